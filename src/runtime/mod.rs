//! The verbs of a runtime: a network and an attachment become one request per plugin.
//!
//! One file per verb; what each does, and in which order, is in
//! [section 3](crate::specification#3-running-a-network) of the specification.

mod add;
mod attachment;
mod check;
mod del;
pub(crate) mod derive;
mod gc;
mod guard;
mod hold;
mod negotiate;
mod notice;
mod requests;
mod rollback;
mod status;
mod validate;
mod version;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use self::attachment::Attachment;
pub use self::del::{DelReport, OnMissingPlugin};
pub use self::gc::Keep;
pub use self::negotiate::SupportedVersions;
pub use self::notice::Notice;
use crate::cache::Cache;
use crate::conf::NetworkConfig;
use crate::error::Error;
use crate::invoke::{
    CancelToken, Exec, Failure, FindError, Limits, Parameters, PluginError, ProcessExec, Request, join_dirs, read_reply,
};
use crate::lock::Locking;
use crate::spec::{Command, Object, Version};

/// A runtime's view of CNI: where plugins are, where results are kept, and how plugins are run.
///
/// It holds no state between calls but the cache on disk, and can be shared by threads. Operations on one container
/// wait for each other, and GC of a network for all that goes on in it, across all processes that use this crate with
/// the same cache directory ([`crate::lock`]).
///
/// ```no_run
/// use libcni::conf::ConfDir;
/// use libcni::{Attachment, Cni};
///
/// let network = ConfDir::default().load("mynet")?.network;
/// let attachment = Attachment::new("container-1".parse()?, "eth0".parse()?).netns("/run/netns/blue");
/// let cni = Cni::new();
/// let result = cni.add(&network, &attachment)?;
/// println!("{}", result.latest().ips[0].address);
/// cni.del(&network, &attachment)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "CNIConfig")]
pub struct Cni {
    plugin_dirs: Vec<PathBuf>,
    cache: Cache,
    exec: Arc<dyn Exec>,
    env: Vec<(OsString, OsString)>,
    limits: Limits,
    locking: Option<Arc<dyn Locking>>,
    lock_timeout: Duration,
    notices: notice::Sink,
}

/// Where plugins are looked for by default.
pub const DEFAULT_PLUGIN_DIRS: [&str; 3] = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"];

impl Default for Cni {
    fn default() -> Self {
        Self::new()
    }
}

impl Cni {
    /// Plugins from [`DEFAULT_PLUGIN_DIRS`], the cache in `/var/lib/cni`, plugins as processes with the environment
    /// that this process has now.
    #[doc(alias = "NewCNIConfig")]
    pub fn new() -> Self {
        Self {
            plugin_dirs: DEFAULT_PLUGIN_DIRS.map(PathBuf::from).to_vec(),
            cache: Cache::default(),
            exec: Arc::new(ProcessExec),
            env: std::env::vars_os().collect(),
            limits: Limits::default(),
            locking: None,
            lock_timeout: Duration::from_secs(60),
            notices: notice::Sink::default(),
        }
    }

    /// Looks for plugins in these directories, in this order.
    pub fn plugin_dirs(self, dirs: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let plugin_dirs = dirs.into_iter().map(Into::into).collect();
        Self { plugin_dirs, ..self }
    }

    /// Keeps results in another directory.
    #[doc(alias = "NewCNIConfigWithCacheDir")]
    pub fn cache_dir(self, dir: impl Into<PathBuf>) -> Self {
        let cache = Cache::new(dir);
        Self { cache, ..self }
    }

    /// Runs plugins in another way: a fake in tests, some other kind of process.
    pub fn exec(self, exec: impl Exec + 'static) -> Self {
        let exec = Arc::new(exec);
        Self { exec, ..self }
    }

    /// Gives plugins another environment than this process has, besides the protocol's variables.
    pub fn env(self, env: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let env = env.into_iter().collect();
        Self { env, ..self }
    }

    /// How long each execution of a plugin may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// What each execution of a plugin may take, time included.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Ends running and future executions when the token is cancelled.
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.limits.cancel = Some(token);
        self
    }

    /// Keeps operations apart in another way than with files in the cache directory ([`FileLocks`](crate::lock::FileLocks)).
    pub fn locking(self, locking: impl Locking + 'static) -> Self {
        let locking: Option<Arc<dyn Locking>> = Some(Arc::new(locking));
        Self { locking, ..self }
    }

    /// How long to wait for another operation on the same container or network, one minute unless set.
    pub fn lock_timeout(self, lock_timeout: Duration) -> Self {
        Self { lock_timeout, ..self }
    }

    /// Hears what is worth knowing but no error. By default it goes to stderr.
    pub fn on_notice(self, hear: impl Fn(&Notice<'_>) + Send + Sync + 'static) -> Self {
        let notices = notice::Sink::new(hear);
        Self { notices, ..self }
    }

    /// The cache of results.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Runs a plugin of a network for an attachment, or for the network as a whole.
    fn call(
        &self,
        command: Command,
        network: &NetworkConfig,
        plugin: &str,
        attachment: Option<&Attachment>,
        config: &Object,
    ) -> Result<Answer, Error> {
        let request = self.request_in(command, network, plugin, attachment, config)?;
        self.run(request).map_err(|source| Error::Plugin { network: network.name().to_owned(), source })
    }

    /// What a plugin of a network is sent.
    fn request_in(
        &self,
        command: Command,
        network: &NetworkConfig,
        plugin: &str,
        attachment: Option<&Attachment>,
        config: &Object,
    ) -> Result<Request, Error> {
        let dirs = join_dirs(&self.plugin_dirs);
        let args = attachment.map(|a| a.args.to_string()).unwrap_or_default();
        let parameters =
            Parameters { path: &dirs, args: &args, ..attachment.map(Attachment::parameters).unwrap_or_default() };
        self.request(command, plugin, parameters, config).map_err(|source| Error::PluginNotFound {
            network: network.name().to_owned(),
            command,
            source,
        })
    }

    fn request(
        &self,
        command: Command,
        plugin: &str,
        parameters: Parameters<'_>,
        config: &Object,
    ) -> Result<Request, FindError> {
        Ok(Request {
            plugin: plugin.to_owned(),
            command,
            program: self.exec.find(plugin, &self.plugin_dirs)?,
            env: parameters.environment(command, &self.env),
            stdin: config.to_string().into_bytes(),
        })
    }

    fn run(&self, request: Request) -> Result<Answer, Box<PluginError>> {
        let ended = self.exec.exec(&request, &self.limits);
        let output = ended.map_err(|error| PluginError::new(&request, Failure::Exec { error }))?;
        let stderr = output.stderr.clone();
        let answer = read_reply(&request, output);
        // A failure that says nothing else quotes stderr in its message.
        if answer.as_ref().map_or_else(|e| e.reply().is_some(), |_| true) {
            self.notices.stderr(&request, &stderr);
        }
        Ok(Answer { stdout: answer?, request })
    }

    /// The version of a network; an error that names it, where the text is none.
    fn version(&self, network: &NetworkConfig, command: Command) -> Result<Version, Error> {
        network.version().map_err(|source| Error::InvalidVersion {
            network: network.name().to_owned(),
            command,
            source,
        })
    }
}

/// What a plugin that succeeded printed, and what it was asked.
struct Answer {
    stdout: Vec<u8>,
    request: Request,
}

impl Answer {
    /// The answer as text, where it is UTF-8, which JSON is.
    fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap_or_default()
    }
}
