//! Everything that a verb can fail with, sorted by who must act.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

use crate::Chain;
use crate::cache::CacheError;
use crate::conf::LoadError;
use crate::invoke::{ExecError, Failure, FindError, PluginError};
use crate::lock::LockError;
use crate::result::{ConvertError, ParseError};
use crate::spec::{Command, ErrorCode, ErrorReply, InvalidName, InvalidVersion, Version};

/// A verb failed.
///
/// The message names its own layer only; what caused it is [`source`](StdError::source). To print both in one
/// line use [`Error::to_reply`] or walk the chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // ---- the caller
    /// A container ID, network name or interface name is not allowed.
    #[error(transparent)]
    Name(#[from] InvalidName),

    // ---- whoever wrote the configuration
    /// The network can't be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The network has no plugins, so no verb can do anything.
    #[error("network `{network}` has no plugins")]
    NoPlugins {
        /// The network.
        network: String,
    },
    /// The network's version is not a version.
    #[error("network `{network}` can't be used with {command}")]
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
    CheckUnsupported {
        /// The network.
        network: String,
        /// Its version.
        version: String,
    },

    // ---- whoever installed the plugins
    /// A plugin of the network can't be found.
    #[error("a plugin{} is missing for {command}", of(network))]
    PluginNotFound {
        /// The network; empty for a plugin that was asked for by name.
        network: String,
        /// The verb.
        command: Command,
        /// Which plugin, and where it was looked for.
        source: FindError,
    },
    /// A plugin does not support the network's version.
    #[error(
        "plugin `{plugin}` does not support version {wanted} of network `{network}`, only {}",
        supported.join(", ")
    )]
    VersionUnsupported {
        /// The network.
        network: String,
        /// The plugin.
        plugin: String,
        /// The network's version.
        wanted: String,
        /// What the plugin supports.
        supported: Vec<String>,
    },
    /// No version of the configuration is supported by all plugins of the network.
    #[error(
        "no version of network `{network}` ({}) is supported by all of its plugins: {}",
        listed(configured),
        supporting(plugins)
    )]
    NoCommonVersion {
        /// The network.
        network: String,
        /// The versions of its configuration.
        configured: Vec<Version>,
        /// Its plugins, and what each supports.
        plugins: Vec<(String, Vec<String>)>,
    },

    // ---- the plugin
    /// A plugin failed.
    #[error("a plugin{} failed", of(network))]
    Plugin {
        /// The network; empty for a plugin that was asked for by name.
        network: String,
        /// Which plugin, and how.
        source: Box<PluginError>,
    },

    // ---- the host
    /// Others are at work on the same container or network, or the locks can't be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Nothing is cached, so what was added, and with which configuration, is not known.
    #[error("nothing is cached of {attachment}")]
    NotCached {
        /// Network, container and interface.
        attachment: String,
    },
    /// The cache can't be read or written.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The cached result of the attachment is no result.
    #[error("the cached result of {attachment} is invalid")]
    InvalidCachedResult {
        /// Network, container and interface.
        attachment: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// The cached result of the attachment can't be converted to the network's version.
    #[error("the cached result of {attachment} can't be used")]
    UnusableCachedResult {
        /// Network, container and interface.
        attachment: String,
        /// What is wrong with it.
        source: ConvertError,
    },
    /// ADD succeeded, but was undone, since it could not be recorded.
    #[error("ADD of {attachment} could not be recorded and was undone{}", undone(undo))]
    NotRecorded {
        /// Network, container and interface.
        attachment: String,
        /// Why it could not be recorded.
        source: CacheError,
        /// What went wrong while it was undone, if anything: then something may be left behind.
        undo: Option<Box<Error>>,
    },

    // ---- several
    /// A verb that goes on after an error met more than one.
    #[error(transparent)]
    Several(Failures),
}

fn of(network: &str) -> String {
    match network {
        "" => String::new(),
        name => format!(" of network `{name}`"),
    }
}

fn listed(versions: &[Version]) -> String {
    versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn supporting(plugins: &[(String, Vec<String>)]) -> String {
    let one = |(plugin, versions): &(String, Vec<String>)| format!("`{plugin}` supports {}", versions.join(", "));
    plugins.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn undone(undo: &Option<Box<Error>>) -> String {
    match undo {
        None => String::new(),
        Some(error) => format!(" in part only ({})", Chain(&**error)),
    }
}

impl Error {
    /// The code that a plugin gave, or that the protocol has for this error.
    pub fn code(&self) -> ErrorCode {
        match self {
            Error::Name(name) => name.code(),
            Error::Load(_) | Error::NoPlugins { .. } | Error::InvalidVersion { .. } => {
                ErrorCode::INVALID_NETWORK_CONFIG
            }
            Error::CheckUnsupported { .. } | Error::VersionUnsupported { .. } | Error::NoCommonVersion { .. } => {
                ErrorCode::INCOMPATIBLE_VERSION
            }
            Error::Plugin { source, .. } => source.code().unwrap_or(ErrorCode::INTERNAL),
            Error::Cache(CacheError::Io { .. }) | Error::NotRecorded { .. } => ErrorCode::IO,
            Error::Cache(_) | Error::InvalidCachedResult { .. } | Error::UnusableCachedResult { .. } => {
                ErrorCode::DECODING
            }
            Error::Lock(error) if error.is_retryable() => ErrorCode::TRY_AGAIN_LATER,
            Error::Lock(LockError::Io { .. }) => ErrorCode::IO,
            Error::NotCached { .. } => ErrorCode::UNKNOWN_CONTAINER,
            Error::PluginNotFound { .. } | Error::Lock(_) => ErrorCode::INTERNAL,
            Error::Several(failures) => failures.first().code(),
        }
    }

    /// Whether the same call may succeed later, without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Plugin { source, .. } => match &source.failure {
                Failure::Reported { reply, .. } => reply.code == ErrorCode::TRY_AGAIN_LATER,
                Failure::Exec { error } => {
                    matches!(error, ExecError::Busy { .. } | ExecError::TimedOut { .. })
                }
                _ => false,
            },
            Error::Lock(error) => error.is_retryable(),
            Error::Several(failures) => failures.iter().all(Error::is_retryable),
            _ => false,
        }
    }

    /// Whether a failed ADD may have left something behind that only DEL removes.
    ///
    /// Not when no plugin was started, nor when the plugin says that the container is unknown (code 3).
    pub fn needs_cleanup(&self) -> bool {
        match self {
            Error::Plugin { source, .. } => match &source.failure {
                Failure::Reported { reply, .. } => reply.code != ErrorCode::UNKNOWN_CONTAINER,
                _ => true,
            },
            // Plugins before the missing one may have run.
            Error::PluginNotFound { .. } => true,
            Error::NotRecorded { undo, .. } => undo.is_some(),
            Error::Several(failures) => failures.iter().any(Error::needs_cleanup),
            _ => false,
        }
    }

    /// Whether a plugin was ended before it could say what it had done.
    pub(crate) fn was_cut_short(&self) -> bool {
        match self {
            Error::Plugin { source, .. } => {
                matches!(&source.failure, Failure::Exec { error } if error.was_started())
            }
            _ => false,
        }
    }

    /// The plugin that the error is about, by its `type`.
    pub fn plugin(&self) -> Option<&str> {
        match self {
            Error::Plugin { source, .. } => Some(&source.plugin),
            Error::VersionUnsupported { plugin, .. } => Some(plugin),
            Error::PluginNotFound { source, .. } => Some(source.plugin()),
            _ => None,
        }
    }

    /// The verb that the error is about, where it is about one.
    pub fn command(&self) -> Option<Command> {
        match self {
            Error::Plugin { source, .. } => Some(source.command),
            Error::PluginNotFound { command, .. } | Error::InvalidVersion { command, .. } => Some(*command),
            Error::CheckUnsupported { .. } => Some(Command::Check),
            Error::VersionUnsupported { .. } => Some(Command::Version),
            Error::NotRecorded { .. } => Some(Command::Add),
            _ => None,
        }
    }

    /// The file that the error is about: a configuration, a plugin's executable, a cache entry, a lock.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Error::Load(LoadError::Config(error)) => error.file(),
            Error::Load(LoadError::NoConfigs { dir, .. } | LoadError::NotFound { dir, .. }) => Some(dir),
            Error::Load(LoadError::Dir { dir, .. }) => Some(dir),
            Error::Plugin { source, .. } => Some(&source.program),
            Error::Cache(CacheError::Io { path, .. } | CacheError::Invalid { path, .. }) => Some(path),
            Error::NotRecorded { source: CacheError::Io { path, .. }, .. } => Some(path),
            Error::Lock(LockError::Io { path, .. }) => Some(path),
            _ => None,
        }
    }

    /// The same error of a plugin, for the network that it belongs to.
    pub(crate) fn in_network(mut self, name: &str) -> Self {
        if let Error::PluginNotFound { network, .. } | Error::Plugin { network, .. } = &mut self {
            name.clone_into(network);
        }
        self
    }

    /// Which plugin can't be found, if that is the error.
    pub(crate) fn into_find_error(self) -> Option<FindError> {
        match self {
            Error::PluginNotFound { source, .. } => Some(source),
            _ => None,
        }
    }

    /// The error in the protocol's form, with the whole chain of causes in `details`.
    pub fn to_reply(&self) -> ErrorReply {
        let details = self.source().map(|cause| Chain(cause).to_string()).unwrap_or_default();
        ErrorReply::new(self.code(), self.to_string()).with_details(details)
    }
}

/// The errors of a verb that goes on after one; never empty.
#[derive(Debug)]
pub struct Failures(Vec<Error>);

impl Failures {
    /// `Ok` without errors, one error as it is, more as [`Error::Several`].
    pub(crate) fn into_result(errors: Vec<Error>) -> Result<(), Error> {
        match <[Error; 1]>::try_from(errors) {
            Ok([one]) => Err(one),
            Err(none) if none.is_empty() => Ok(()),
            Err(several) => Err(Error::Several(Failures(several))),
        }
    }

    /// The errors in the order they happened.
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        self.0.iter()
    }

    fn first(&self) -> &Error {
        &self.0[0]
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} errors", self.0.len())?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {}", Chain(error)))
    }
}

impl StdError for Failures {}
