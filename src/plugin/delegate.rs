//! Another plugin, called with this call's environment and configuration.
//!
//! See [section 4](crate::specification#4-delegation) of the specification.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use super::{Answer, Call, Config, Failure};
use crate::Chain;
use crate::invoke::{Environment, Exec, Limits, PluginError, PluginFailure, Request, read_reply};
use crate::result::AddResult;
use crate::spec::{
    CNI_ARGS, CNI_COMMAND, CNI_CONTAINERID, CNI_IFNAME, CniArgs, Command, ContainerId, IfName, Object, text,
};

/// A plugin to delegate to, by its file name in CNI_PATH. By default it gets the environment and the configuration of
/// the call.
///
/// ```
/// use libcni::plugin::{Answer, AttachmentCall};
/// use libcni::result::AddResult;
/// use libcni::spec::Object;
///
/// /// Has `bridge` make an interface, with a configuration made for it.
/// fn add(call: &AttachmentCall) -> Answer<AddResult> {
///     let mut config = Object::new();
///     config.set("cniVersion", call.config.version().as_str());
///     config.set("name", call.config.name().as_str());
///     config.set("type", "bridge");
///     config.set("mtu", &1450);
///     let ifname = "eth1".parse()?;
///     Ok(call.delegate("bridge").config(&config).ifname(&ifname).add()?.keep())
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a delegate does nothing until a verb is called"]
#[doc(alias("DelegateAdd", "DelegateDel", "ipam.ExecAdd"))]
pub struct Delegate<'a> {
    plugin: &'a str,
    call: &'a Call,
    config: Option<String>,
    env: BTreeMap<OsString, OsString>,
    limits: Limits,
    exec: Arc<dyn Exec>,
    undoes_failed_add: bool,
}

/// A delegated ADD that succeeded. Dropped without [`Delegated::keep`], it is undone with DEL: an address does not
/// leak when the rest of the ADD fails.
#[derive(Debug)]
pub struct Delegated<'a> {
    delegate: Delegate<'a>,
    result: AddResult,
    kept: bool,
}

impl<'a> Delegate<'a> {
    pub(super) fn new(call: &'a Call, plugin: &'a str) -> Self {
        let (env, exec) = (call.env.clone(), Arc::clone(&call.exec));
        Self { plugin, call, config: None, env, limits: Limits::default(), exec, undoes_failed_add: true }
    }

    /// Sets the configuration, in place of the call's own. It needs `cniVersion` and `name`.
    pub fn config(mut self, config: &Object) -> Self {
        self.config = Some(config.to_string());
        self
    }

    /// Sets the container (CNI_CONTAINERID), for a GC that runs DEL for attachments that are no longer valid: the GC
    /// itself has no container.
    pub fn container_id(self, id: &ContainerId) -> Self {
        self.variable(CNI_CONTAINERID, id.as_str())
    }

    /// Sets the name of the interface (CNI_IFNAME).
    pub fn ifname(self, ifname: &IfName) -> Self {
        self.variable(CNI_IFNAME, ifname.as_str())
    }

    /// Sets the generic arguments (CNI_ARGS).
    pub fn args(self, args: &CniArgs) -> Self {
        self.variable(CNI_ARGS, &args.to_string())
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Sets the limits of one execution, in place of [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the executor that finds and runs the plugin, in place of the one that runs this plugin's delegates.
    pub fn exec(mut self, exec: impl Exec + 'static) -> Self {
        self.exec = Arc::new(exec);
        self
    }

    /// Leaves an ADD that failed as it is, instead of running DEL.
    ///
    /// Use it for a plugin that undoes its own failures, and may refuse because the attachment already exists: DEL
    /// would remove what an earlier ADD made.
    pub fn without_undo(mut self) -> Self {
        self.undoes_failed_add = false;
        self
    }

    /// Runs ADD. When it fails after it was started, runs DEL, as the specification asks for.
    ///
    /// # Errors
    /// The plugin can't be found, fails, or prints no result; its error object is passed on as it is.
    pub fn add(self) -> Answer<Delegated<'a>> {
        let request = self.request(Command::Add)?;
        let added = self.execute(&request).and_then(|stdout| self.read_result(&request, stdout));
        match added {
            Ok(result) => Ok(Delegated { delegate: self, result, kept: false }),
            Err(error) => {
                if self.undoes_failed_add && was_started(&error) {
                    let _ = self.run(Command::Del);
                }
                Err(told(*error))
            }
        }
    }

    fn read_result(&self, request: &Request, stdout: Vec<u8>) -> Result<AddResult, Box<PluginError>> {
        let config = self.config.as_ref().and_then(|config| Config::parse(config.as_bytes()).ok());
        let version = config.as_ref().unwrap_or(&self.call.config).version();
        AddResult::parse_reply(&text(&stdout), version.as_str())
            .map_err(|source| PluginError::new(request, PluginFailure::InvalidResult { stdout, source }))
    }

    /// Runs DEL.
    ///
    /// # Errors
    /// The plugin can't be found or fails.
    pub fn del(self) -> Answer {
        self.run(Command::Del)
    }

    /// Runs CHECK.
    ///
    /// # Errors
    /// The plugin can't be found or fails.
    pub fn check(self) -> Answer {
        self.run(Command::Check)
    }

    /// Runs GC.
    ///
    /// # Errors
    /// The plugin can't be found or fails.
    pub fn gc(self) -> Answer {
        self.run(Command::Gc)
    }

    /// Runs STATUS.
    ///
    /// # Errors
    /// The plugin can't be found or fails.
    pub fn status(self) -> Answer {
        self.run(Command::Status)
    }

    fn run(&self, command: Command) -> Answer {
        let executed = self.execute(&self.request(command)?);
        executed.map(drop).map_err(|error| told(*error))
    }

    fn request(&self, command: Command) -> Answer<Request> {
        let mut env = self.env.clone();
        env.insert(CNI_COMMAND.into(), command.as_str().into());
        Ok(Request {
            plugin: self.plugin.to_owned(),
            command,
            program: self.exec.find(self.plugin, &self.call.plugin_dirs())?,
            env: Environment::from(env.into_iter().collect::<Vec<_>>()),
            stdin: self.config.as_deref().unwrap_or(self.call.config.text()).into(),
        })
    }

    fn execute(&self, request: &Request) -> Result<Vec<u8>, Box<PluginError>> {
        let ended = self.exec.exec(request, &self.limits);
        let output = ended.map_err(|error| PluginError::new(request, PluginFailure::Exec { error }))?;
        super::pass_on_stderr(&output.stderr);
        read_reply(request, output)
    }
}

/// Names the failed plugin on stderr, since its error object is passed on as it is.
fn told(error: PluginError) -> Failure {
    super::pass_on_stderr(format!("{}\n", Chain(&error)).as_bytes());
    error.into()
}

fn was_started(error: &PluginError) -> bool {
    !matches!(&error.failure, PluginFailure::Exec { error } if !error.was_started())
}

impl Delegated<'_> {
    /// The answer of the plugin.
    pub fn result(&self) -> &AddResult {
        &self.result
    }

    /// Leaves it in place, and takes the result.
    pub fn keep(mut self) -> AddResult {
        self.kept = true;
        self.result.clone()
    }
}

impl Drop for Delegated<'_> {
    fn drop(&mut self) {
        if !self.kept {
            // The error that led here is what the runtime must hear; it runs DEL as well.
            let _ = self.delegate.run(Command::Del);
        }
    }
}
