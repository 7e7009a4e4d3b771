//! The errors of the verbs, sorted by who must act.

mod failures;
mod from;
mod not_updated;
mod object;
mod occupied;
mod questions;
mod words;

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::path::PathBuf;

pub use self::failures::Failures;
pub use self::not_updated::WhyNotUpdated;
pub use self::occupied::Occupied;
use self::words::{another, listed, of, supporting, undone, why_not_cached};
use crate::cache::{CacheError, Key};
use crate::conf::LoadError;
use crate::invoke::{FindError, PluginError};
use crate::lock::LockError;
use crate::netns::NetnsError;
use crate::result::{ConvertError, ParseError};
use crate::spec::{Command, InvalidName, InvalidVersion, Version};

/// A verb failed.
///
/// The message describes only its own layer; the cause is its [`source`](StdError::source). To print both in one line
/// use [`Error::to_reply`] or walk the chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // ---- the caller
    /// A container ID, network name or interface name is not allowed.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A value that was given or read is invalid: an argument, an address, a version, a result. The error itself, of
    /// [`spec`](crate::spec) or [`result`](crate::result), is found by downcasting.
    #[error(transparent)]
    Invalid(Box<dyn StdError + Send + Sync>),
    /// A network namespace can't be made, entered or removed.
    #[error(transparent)]
    Netns(#[from] NetnsError),

    // ---- whoever wrote the configuration
    /// The network can't be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The network has no plugins, so no verb can do anything.
    #[error("network `{network}` has no plugins")]
    #[non_exhaustive]
    NoPlugins {
        /// The network.
        network: String,
    },
    /// The network's version is not a version.
    #[error("network `{network}` can't be used with {command}")]
    #[non_exhaustive]
    InvalidVersion {
        /// The network.
        network: String,
        /// The verb.
        command: Command,
        /// The text.
        source: InvalidVersion,
    },
    /// The network's version does not have the verb CHECK.
    #[error("network `{network}` has version {version}, and CHECK needs 0.4.0 or newer")]
    #[non_exhaustive]
    CheckUnsupported {
        /// The network.
        network: String,
        /// Its version.
        version: String,
    },

    // ---- whoever installed the plugins
    /// A plugin of the network can't be found.
    #[error("{command} is not possible{}", of(network))]
    #[non_exhaustive]
    PluginNotFound {
        /// The network; `None` for a plugin that was asked for by name.
        network: Option<String>,
        /// The verb.
        command: Command,
        /// The plugin, and the directories that were searched.
        source: FindError,
        /// True if this is the end of an ADD that had started a plugin before it.
        needs_cleanup: bool,
    },
    /// A plugin does not support the network's version.
    #[error(
        "plugin `{plugin}` does not support version {wanted} of network `{network}`, only {}",
        supported.join(", ")
    )]
    #[non_exhaustive]
    VersionUnsupported {
        /// The network.
        network: String,
        /// The plugin.
        plugin: String,
        /// The network's version.
        wanted: String,
        /// The features of the plugin.
        supported: Vec<String>,
    },
    /// No version of the configuration is supported by all plugins of the network.
    #[error(
        "no version of network `{network}` ({}) is supported by all of its plugins: {}",
        listed(configured),
        supporting(plugins)
    )]
    #[non_exhaustive]
    NoCommonVersion {
        /// The network.
        network: String,
        /// The versions of its configuration.
        configured: Vec<Version>,
        /// Its plugins, and what each supports.
        plugins: BTreeMap<String, Vec<String>>,
    },

    // ---- the plugin
    /// A plugin failed: which one, of which network, on which verb, and how.
    #[error(transparent)]
    Plugin(#[from] Box<PluginError>),

    // ---- the host
    /// Other operations run on the same container or network, or the locks can't be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The interface belongs to another network, or is in the namespace already. Nothing was run or changed.
    #[error(transparent)]
    Occupied(#[from] Box<Occupied>),
    /// The attachment is not on record, so it is not known what was added, and with which configuration.
    #[error(
        "container `{}` is not on network `{}` as `{}`: {}",
        key.container_id, key.network, key.ifname,
        why_not_cached(*is_begun, dir)
    )]
    #[non_exhaustive]
    NotCached {
        /// Network, container and interface.
        key: Box<Key>,
        /// The directory of the cache, which was looked into.
        dir: PathBuf,
        /// True if an ADD was begun and not finished.
        is_begun: bool,
    },
    /// The record of an attachment has no configuration: it is one of another program, or of an older form.
    #[error(
        "container `{}` is on record as `{}` of network `{}`, without the configuration that it was added with",
        key.container_id, key.ifname, key.network
    )]
    #[non_exhaustive]
    NoRecordedConfiguration {
        /// Network, container and interface.
        key: Box<Key>,
    },
    /// The cache can't be read or written.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Nothing is on record of an attachment that is to be kept, but of one that is nearly called so.
    #[error("nothing is on record of `{name}`, which is to be kept; did you mean `{near}`?")]
    #[non_exhaustive]
    Misnamed {
        /// The attachment, as `ID:IFNAME`.
        name: String,
        /// The other one.
        near: String,
    },
    /// A GC that keeps what is live did not ask the plugins, since a record can't be read.
    #[error("it is not known who is live on network `{network}`, so its plugins did not get GC")]
    #[non_exhaustive]
    LiveUnknown {
        /// The network.
        network: String,
        /// The record, and why.
        source: CacheError,
    },
    /// The path leads to another network namespace than the one that the attachment was added to.
    #[error("{attachment} was added to {}", another(recorded, given))]
    #[non_exhaustive]
    OtherNetns {
        /// Network, container and interface.
        attachment: String,
        /// The path of the namespace that it was added to.
        recorded: PathBuf,
        /// The path of the other one; the same where what it leads to was replaced.
        given: PathBuf,
    },
    /// The cached result of the attachment is not a result.
    #[error("the cached result of {attachment} is invalid")]
    #[non_exhaustive]
    InvalidCachedResult {
        /// Network, container and interface.
        attachment: String,
        /// The fault.
        source: ParseError,
    },
    /// The cached result of the attachment can't be converted to the network's version.
    #[error("the cached result of {attachment} can't be used")]
    #[non_exhaustive]
    UnusableCachedResult {
        /// Network, container and interface.
        attachment: String,
        /// The fault.
        source: ConvertError,
    },
    /// ADD succeeded, but was undone, since it could not be recorded.
    #[error("ADD of {attachment} could not be recorded and was undone{}", undone(undo))]
    #[non_exhaustive]
    NotRecorded {
        /// Network, container and interface.
        attachment: String,
        /// Why it could not be recorded.
        source: CacheError,
        /// The error while it was undone, if there was one: then something may be left behind.
        undo: Option<Box<Error>>,
    },

    /// An attachment can't be updated. Nothing was run or changed.
    #[error("{attachment} can't be updated while the container runs: {why}")]
    #[non_exhaustive]
    NotUpdated {
        /// Network, container and interface.
        attachment: String,
        /// The obstacles.
        why: WhyNotUpdated,
    },
    /// An update was begun but not finished, so the state of the plugins that changed is not known.
    #[error("an update of {attachment} was begun and not finished; another update completes it")]
    #[non_exhaustive]
    UpdateUnfinished {
        /// Network, container and interface.
        attachment: String,
    },
    /// An update failed, and the previous state was restored.
    #[error("the update of {attachment} failed, and was undone{}", undone(undo))]
    #[non_exhaustive]
    UpdateUndone {
        /// Network, container and interface.
        attachment: String,
        /// Why it failed.
        source: Box<Error>,
        /// True if it stays on record as unfinished, since the previous state could not be restored.
        is_unfinished: bool,
        /// The error while it was undone, if there was one.
        undo: Option<Box<Error>>,
    },

    /// A call could not be handed to a thread: no file descriptor is left, there is no tokio runtime, or it is
    /// shutting down. Nothing was done.
    #[cfg(feature = "tokio")]
    #[error("the call could not be started")]
    #[non_exhaustive]
    NotStarted {
        /// Why.
        source: std::io::Error,
    },

    // ---- several
    /// ADD failed, and what may have been added was removed again.
    #[error("ADD failed and was undone{}", undone(undo))]
    #[non_exhaustive]
    RolledBack {
        /// Why ADD failed.
        source: Box<Error>,
        /// The error while it was undone, if there was one: then something may be left behind.
        undo: Option<Box<Error>>,
    },
    /// A verb that continues after an error had more than one.
    #[error(transparent)]
    Several(Failures),
}
