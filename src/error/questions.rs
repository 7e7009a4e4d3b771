//! The questions that embedders ask of an error: the code, whether to try again or to clean up, and what it is about.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use super::Error;
use crate::Chain;
use crate::cache::CacheError;
use crate::conf::LoadError;
use crate::invoke::{ExecError, FindError, InvalidSetting, PluginFailure};
use crate::lock::LockError;
use crate::spec::{Command, ErrorCode, ErrorReply, InvalidArg};

impl Error {
    /// The code that a plugin gave, or that the protocol has for this error.
    pub fn code(&self) -> ErrorCode {
        match self {
            Error::Name(name) => name.code(),
            Error::Invalid(error) if error.is::<InvalidArg>() || error.is::<InvalidSetting>() => {
                ErrorCode::INVALID_ENVIRONMENT
            }
            Error::Invalid(_) => ErrorCode::DECODING,
            Error::Netns(_) | Error::OtherNetns { .. } => ErrorCode::INVALID_NETNS,
            Error::Load(_) | Error::NoPlugins { .. } | Error::InvalidVersion { .. } => {
                ErrorCode::INVALID_NETWORK_CONFIG
            }
            Error::CheckUnsupported { .. } | Error::VersionUnsupported { .. } | Error::NoCommonVersion { .. } => {
                ErrorCode::INCOMPATIBLE_VERSION
            }
            Error::Plugin(source) => source.code().unwrap_or(ErrorCode::INTERNAL),
            Error::Cache(CacheError::Io { .. })
            | Error::LiveUnknown { source: CacheError::Io { .. }, .. }
            | Error::NotRecorded { .. } => ErrorCode::IO,
            Error::Cache(_)
            | Error::LiveUnknown { .. }
            | Error::InvalidCachedResult { .. }
            | Error::UnusableCachedResult { .. }
            | Error::NoRecordedConfiguration { .. } => ErrorCode::DECODING,
            Error::Lock(error) if error.is_retryable() => ErrorCode::TRY_AGAIN_LATER,
            Error::Lock(LockError::Io { .. } | LockError::Dir { .. }) => ErrorCode::IO,
            Error::Occupied(_) | Error::Misnamed { .. } => ErrorCode::INVALID_ENVIRONMENT,
            Error::NotCached { .. } => ErrorCode::UNKNOWN_CONTAINER,
            Error::NotUpdated { .. } => ErrorCode::INVALID_NETWORK_CONFIG,
            Error::UpdateUnfinished { .. } => ErrorCode::INTERNAL,
            Error::PluginNotFound { .. } | Error::Lock(_) => ErrorCode::INTERNAL,
            Error::RolledBack { source, .. } | Error::UpdateUndone { source, .. } => source.code(),
            #[cfg(feature = "tokio")]
            Error::NotStarted { .. } => ErrorCode::INTERNAL,
            Error::Several(failures) => failures.first().code(),
        }
    }

    /// Returns true if the same call may succeed later, although nothing has changed.
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Plugin(source) => match &source.failure {
                PluginFailure::Reported { reply, .. } => reply.code == ErrorCode::TRY_AGAIN_LATER,
                PluginFailure::Exec { error } => {
                    matches!(error, ExecError::Busy { .. } | ExecError::TimedOut { .. })
                }
                _ => false,
            },
            Error::Lock(error) => error.is_retryable(),
            Error::RolledBack { source, undo } => source.is_retryable() && undo.is_none(),
            Error::Several(failures) => failures.iter().all(Error::is_retryable),
            _ => false,
        }
    }

    /// Returns true if it failed because the call was cancelled.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Error::Plugin(source) => {
                matches!(source.failure, PluginFailure::Exec { error: ExecError::Cancelled { .. } })
            }
            Error::Lock(error) => matches!(error, LockError::Cancelled { .. }),
            Error::RolledBack { source, .. } | Error::UpdateUndone { source, .. } => source.is_cancelled(),
            _ => false,
        }
    }

    /// Returns true if a failed ADD may have left something behind that only DEL removes.
    ///
    /// This is false if no plugin was started, or if the plugin reports that the container is unknown (code 3).
    pub fn needs_cleanup(&self) -> bool {
        match self {
            Error::Plugin(source) => source.needs_cleanup,
            Error::PluginNotFound { needs_cleanup, .. } => *needs_cleanup,
            Error::NotRecorded { undo, .. } | Error::RolledBack { undo, .. } => undo.is_some(),
            Error::Several(failures) => failures.iter().any(Error::needs_cleanup),
            _ => false,
        }
    }

    /// Records whether an ADD that failed may have left something behind.
    pub(crate) fn set_needs_cleanup(&mut self, needed: bool) {
        match self {
            Error::Plugin(source) => source.needs_cleanup = needed,
            Error::PluginNotFound { needs_cleanup, .. } => *needs_cleanup = needed,
            _ => {}
        }
    }

    /// Returns true if the plugin said that the container is unknown (code 3), and with it that nothing is left to
    /// clean up.
    pub(crate) fn says_nothing_is_left(&self) -> bool {
        matches!(self, Error::Plugin(source) if source.code() == Some(ErrorCode::UNKNOWN_CONTAINER))
    }

    /// Returns true if a plugin was ended before it could say what it had done, or the verb between two plugins. The
    /// caller that cancelled it may be gone by then, as a dropped future is, and never learn of it.
    pub(crate) fn was_cut_short(&self) -> bool {
        match self {
            Error::Plugin(source) => match &source.failure {
                PluginFailure::Exec { error } => error.was_started() || matches!(error, ExecError::Cancelled { .. }),
                _ => false,
            },
            _ => false,
        }
    }

    /// The plugin that the error is about, by its `type`.
    pub fn plugin(&self) -> Option<&str> {
        match self {
            Error::Plugin(source) => Some(&source.plugin),
            Error::VersionUnsupported { plugin, .. } => Some(plugin),
            Error::PluginNotFound { source, .. } => source.plugin(),
            Error::RolledBack { source, .. } | Error::UpdateUndone { source, .. } => source.plugin(),
            _ => None,
        }
    }

    /// The network that the error is about, by its name.
    pub fn network(&self) -> Option<&str> {
        let network = match self {
            Error::Plugin(source) => return source.network.as_deref(),
            Error::Occupied(occupied) => Some(&occupied.network),
            Error::PluginNotFound { network, .. } => return network.as_deref(),
            Error::NoPlugins { network }
            | Error::InvalidVersion { network, .. }
            | Error::CheckUnsupported { network, .. }
            | Error::VersionUnsupported { network, .. }
            | Error::LiveUnknown { network, .. }
            | Error::NoCommonVersion { network, .. } => Some(network),
            Error::Load(LoadError::NotFound { name, .. }) => Some(name),
            Error::NotCached { key, .. } | Error::NoRecordedConfiguration { key } => return Some(key.network.as_str()),
            Error::RolledBack { source, .. } | Error::UpdateUndone { source, .. } => return source.network(),
            _ => None,
        };
        network.map(String::as_str)
    }

    /// The verb that the error is about, where it is about one.
    pub fn command(&self) -> Option<Command> {
        match self {
            Error::Plugin(source) => Some(source.command),
            Error::PluginNotFound { command, .. } | Error::InvalidVersion { command, .. } => Some(*command),
            Error::CheckUnsupported { .. } => Some(Command::Check),
            Error::LiveUnknown { .. } | Error::Misnamed { .. } => Some(Command::Gc),
            Error::VersionUnsupported { .. } => Some(Command::Version),
            Error::NotRecorded { .. } | Error::RolledBack { .. } | Error::Occupied(_) => Some(Command::Add),
            _ => None,
        }
    }

    /// The file that the error is about: a configuration, a plugin's executable, a cache entry, a lock.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Error::Load(LoadError::Config(error)) => error.file(),
            Error::Load(
                LoadError::NoConfigs { dirs, .. }
                | LoadError::AllBroken { dirs, .. }
                | LoadError::NotFound { dirs, .. },
            ) => dirs.first().map(PathBuf::as_path),
            Error::Load(LoadError::Dir { dir, .. }) => Some(dir),
            Error::Plugin(source) => Some(&source.program),
            Error::Cache(CacheError::Io { path, .. } | CacheError::Invalid { path, .. })
            | Error::LiveUnknown { source: CacheError::Io { path, .. } | CacheError::Invalid { path, .. }, .. } => {
                Some(path)
            }
            Error::NotRecorded { source: CacheError::Io { path, .. }, .. } => Some(path),
            Error::Lock(LockError::Io { path, .. } | LockError::Dir { dir: path, .. }) => Some(path),
            Error::RolledBack { source, .. } => source.file(),
            _ => None,
        }
    }

    /// The same error of a plugin, for the network that it belongs to.
    pub(crate) fn in_network(mut self, name: &str) -> Self {
        match &mut self {
            Error::PluginNotFound { network, .. } => *network = Some(name.to_owned()),
            Error::Plugin(error) => error.network = Some(name.to_owned()),
            _ => {}
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

    /// Returns why the verb failed and nothing else, for a line that has said already which plugin it is about.
    pub fn reason(&self) -> String {
        match self {
            Error::Plugin(error) => {
                let cause = error.source().map(|cause| format!(": {}", Chain(cause))).unwrap_or_default();
                format!("{}{cause}", error.failure)
            }
            Error::PluginNotFound { source, .. } => source.to_string(),
            other => Chain(other).to_string(),
        }
    }

    /// Returns the error in the protocol's form: the message, and in `details` the causes, or the details of the
    /// plugin.
    pub fn to_reply(&self) -> ErrorReply {
        if let Error::Plugin(error) = self {
            return error.to_reply();
        }
        let reply = ErrorReply::new(self.code(), self.to_string());
        match self.source() {
            Some(cause) => reply.with_details(Chain(cause).to_string()),
            None => reply,
        }
    }
}
