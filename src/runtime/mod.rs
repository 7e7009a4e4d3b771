//! The verbs of a runtime: a network and an attachment become one request per plugin.
//!
//! One file per verb; what each does, and in which order, is in
//! [section 3](crate::specification#3-running-a-network) of the specification.

mod add;
mod arguments;
#[cfg(feature = "tokio")]
mod asynchronous;
mod attachment;
mod builder;
mod call;
mod caution;
mod check;
mod del;
pub(crate) mod derive;
mod dry_run;
mod examine;
mod foreign_netns;
mod gc;
mod installed;
mod interface_names;
mod locks;
mod negotiate;
mod notice;
mod occupied;
mod recorded;
mod removal;
mod request;
mod rollback;
mod status;
mod survey;
#[cfg(feature = "tracing")]
mod traced;
mod update;
mod validate;
mod version;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "tokio")]
pub use self::asynchronous::AsyncCni;
pub use self::attachment::Attachment;
pub use self::builder::Builder;
use self::call::Answer;
pub use self::caution::Caution;
pub use self::del::{CachedAttachment, DelReport, DeletedBy, OnMissingPlugin};
pub use self::examine::Fault;
pub use self::gc::Keep;
pub use self::installed::{InstalledPlugin, InstalledPlugins};
pub use self::interface_names::interface_names;
pub use self::negotiate::{SupportedBy, SupportedVersions};
pub use self::notice::Notice;
pub use self::removal::Removal;
pub use self::survey::{Finding, Survey};
pub use self::update::{Changes, Plan, Updated};
use crate::CancelToken;
use crate::cache::Cache;
use crate::conf::NetworkConfig;
use crate::error::Error;
use crate::invoke::{DEFAULT_PLUGIN_DIRS, Exec, Inherited, Limits, ProcessExec};
use crate::lock::Locking;
use crate::spec::{Command, TraceContext, Version};

/// A runtime's view of CNI: where plugins are, where results are kept, and how plugins are run.
///
/// Between calls it keeps no state except the cache on disk and the answers of plugins to VERSION, and threads can
/// share it. Operations on one container wait for each other, and GC waits for all operations on its network, across
/// all processes that use this crate with the same cache directory ([`crate::lock`]).
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
///
/// # In a process that is not all yours
///
/// A verb sets no signal handler, and leaves no thread and no process behind: ADD looks into the container's namespace
/// in a thread of its own, which ends with the call. Other parts of the process matter in three ways:
///
/// - The system reports only once how a plugin ended. If the process ignores SIGCHLD, the system does not report it at
///   all, and every verb fails before it runs anything
///   ([`ExecError::ChildrenIgnored`](crate::invoke::ExecError::ChildrenIgnored)). A handler or thread that waits for
///   any child, as in a process 1, may get the report in place of this library: the verb then fails with
///   [`ExecError::StatusUnknown`](crate::invoke::ExecError::StatusUnknown), and an ADD has to be undone
///   ([`Error::needs_cleanup`]). The answer of the plugin is no substitute: a DEL that succeeds prints nothing, and one
///   that crashes may print nothing, too. Wait for your own children by their process IDs, or link the library into a
///   process of its own.
/// - A plugin gets the namespaces, credentials and working directory of the thread that calls the verb; with
///   `AsyncCni`, those of a thread that calls a verb. Call verbs in a thread that is in the host's namespaces, and
///   enter a container's namespace in another thread ([`crate::netns`]).
/// - A lock that a verb holds at the moment of a `fork` is held until both processes have released it: a child that
///   does not become another program blocks the container until it ends. Fork only while no verb runs.
#[derive(Clone, Debug)]
#[doc(alias = "CNIConfig")]
pub struct Cni {
    plugin_dirs: Vec<PathBuf>,
    cache: Cache,
    exec: Arc<dyn Exec>,
    env: Inherited,
    trace_context: Option<TraceContext>,
    limits: Limits,
    locking: Option<Arc<dyn Locking>>,
    lock_timeout: Duration,
    notices: notice::Sink,
    removals: removal::Removals,
    caution: Caution,
    negotiates: bool,
    answers: version::Answers,
}

impl Default for Cni {
    fn default() -> Self {
        Self::new()
    }
}

impl Cni {
    /// Finds plugins in [`DEFAULT_PLUGIN_DIRS`], keeps the cache in `/var/lib/cni`, and runs plugins as processes with
    /// the current environment of this process. [`Cni::builder`] changes these settings.
    #[doc(alias = "NewCNIConfig")]
    pub fn new() -> Self {
        Self {
            plugin_dirs: DEFAULT_PLUGIN_DIRS.map(PathBuf::from).to_vec(),
            cache: Cache::default(),
            exec: Arc::new(ProcessExec),
            env: Inherited::new(std::env::vars_os()),
            trace_context: None,
            limits: Limits::default(),
            locking: None,
            lock_timeout: Duration::from_secs(60),
            notices: notice::Sink::default(),
            removals: removal::Removals::default(),
            caution: Caution::default(),
            negotiates: false,
            answers: version::Answers::default(),
        }
    }

    /// Returns the same for calls that continue from another place of a distributed trace.
    ///
    /// ```
    /// # fn example(cni: &libcni::Cni, network: &libcni::conf::NetworkConfig, attachment: &libcni::Attachment)
    /// # -> Result<(), libcni::Error> {
    /// use libcni::spec::TraceContext;
    ///
    /// let span = TraceContext::new("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")?;
    /// cni.with_trace_context(span).add(network, attachment)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_trace_context(&self, context: TraceContext) -> Self {
        let trace_context = Some(context);
        Self { trace_context, ..self.clone() }
    }

    /// Returns the same for calls that end when the token is cancelled, and by no other token.
    pub fn with_cancel(&self, token: CancelToken) -> Self {
        let mut cni = self.clone();
        cni.limits.cancel = Some(token);
        cni
    }

    /// The cache of results.
    pub fn cache(&self) -> &Cache {
        &self.cache
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
