//! Another plugin, called with this call's environment and configuration.
//!
//! See [section 4](crate::specification#4-delegation) of the specification.

use super::{Answer, Call};
use crate::invoke::{
    Environment, Exec, Failure as PluginFailure, Limits, PluginError, ProcessExec, Request, read_reply,
};
use crate::result::AddResult;
use crate::spec::{CNI_COMMAND, Command};

/// A plugin to delegate to, by its file name in CNI_PATH.
#[derive(Clone, Copy, Debug)]
#[doc(alias("DelegateAdd", "DelegateDel", "ipam.ExecAdd"))]
pub struct Delegate<'a> {
    call: &'a Call,
    plugin: &'a str,
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
        Self { call, plugin }
    }

    /// Runs ADD.
    ///
    /// # Errors
    /// The plugin can't be found, fails, or prints no result; its CNI error code is kept.
    pub fn add(self) -> Answer<Delegated<'a>> {
        let (request, stdout) = self.run(Command::Add)?;
        let text = std::str::from_utf8(&stdout).unwrap_or_default();
        match AddResult::parse_reply(text, self.call.config.version().as_str()) {
            Ok(result) => Ok(Delegated { delegate: self, result, kept: false }),
            Err(source) => Err(PluginError::new(&request, PluginFailure::InvalidResult { stdout, source }).into()),
        }
    }

    /// Runs DEL.
    ///
    /// # Errors
    /// The plugin can't be found or fails.
    pub fn del(self) -> Answer {
        self.run(Command::Del).map(drop)
    }

    /// Runs CHECK.
    ///
    /// # Errors
    /// The plugin can't be found or fails.
    pub fn check(self) -> Answer {
        self.run(Command::Check).map(drop)
    }

    /// Runs GC.
    ///
    /// # Errors
    /// The plugin can't be found or fails.
    pub fn gc(self) -> Answer {
        self.run(Command::Gc).map(drop)
    }

    /// Runs STATUS.
    ///
    /// # Errors
    /// The plugin can't be found or fails.
    pub fn status(self) -> Answer {
        self.run(Command::Status).map(drop)
    }

    fn run(self, command: Command) -> Answer<(Request, Vec<u8>)> {
        let exec = ProcessExec;
        let request = Request {
            plugin: self.plugin.to_owned(),
            command,
            program: exec.find(self.plugin, &self.call.plugin_dirs())?,
            env: self.environment(command),
            stdin: self.call.config.text().into(),
        };
        let ended = exec.exec(&request, &Limits::default());
        let output = ended.map_err(|error| *PluginError::new(&request, PluginFailure::Exec { error }))?;
        super::io::pass_on_stderr(&output.stderr);
        let stdout = read_reply(&request, output).map_err(|error| *error)?;
        Ok((request, stdout))
    }

    /// The caller's environment with another verb.
    fn environment(self, command: Command) -> Environment {
        let mut env = self.call.env.clone();
        env.insert(CNI_COMMAND.into(), command.as_str().into());
        env.into_iter().collect::<Vec<_>>().into()
    }
}

impl Delegated<'_> {
    /// What the plugin answered.
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
            let _ = self.delegate.del();
        }
    }
}
