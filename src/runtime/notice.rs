//! Notices: events that a runtime may want to log, but that are not errors.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::Plan;
use crate::cache::Entry;
use crate::error::Error;
use crate::invoke::Request;
use crate::spec::Command;

/// Something a runtime may want to log.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// A plugin wrote to stderr.
    #[non_exhaustive]
    Stderr {
        /// The plugin.
        plugin: &'a str,
        /// The verb that it was called with.
        command: Command,
        /// The text, as the plugin wrote it.
        text: &'a [u8],
    },
    /// A cache entry is unusable. The verb continues without it.
    #[non_exhaustive]
    UnusableCacheEntry {
        /// The reason.
        error: &'a Error,
    },
    /// A lock can't be taken, because its file can't be written. A verb that removes continues without it.
    #[non_exhaustive]
    Unlocked {
        /// Which, and why.
        error: &'a Error,
    },
    /// DEL does not touch a namespace, since the path leads to another one than at ADD, or to that of this process.
    #[non_exhaustive]
    ForeignNetns {
        /// The path.
        netns: &'a Path,
    },
    /// DEL of an attachment that is not on record does not touch a namespace, since the interface in it belongs to
    /// another attachment.
    #[non_exhaustive]
    InterfaceOfOther {
        /// The interface.
        ifname: &'a str,
        /// The path of the namespace.
        netns: &'a Path,
        /// The attachment that it belongs to.
        owner: &'a Entry,
    },
    /// CHECK of an attachment that was added with another configuration than its network has now.
    #[non_exhaustive]
    ConfigurationChanged {
        /// The network.
        network: &'a str,
        /// The plan of [`Cni::update`](crate::Cni::update).
        plan: &'a Plan,
    },
    /// A plugin is not installed, and DEL continues without it, as the caller chose.
    #[non_exhaustive]
    PluginSkipped {
        /// Which, and where it was looked for.
        error: &'a Error,
    },
}

/// Who hears notices.
#[derive(Clone)]
pub(super) struct Sink(Arc<dyn Fn(&Notice<'_>) + Send + Sync>);

impl Sink {
    pub(super) fn new(hear: impl Fn(&Notice<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    pub(super) fn stderr(&self, request: &Request, text: &[u8]) {
        if !text.is_empty() {
            let (plugin, command) = (request.plugin.as_str(), request.command);
            (self.0)(&Notice::Stderr { plugin, command, text });
        }
    }

    /// Takes what was read from the cache; tells that it can't be used, where it can't.
    pub(super) fn usable<T>(&self, read: Result<T, impl Into<Error>>) -> Option<T> {
        read.map_err(|error| self.unusable_entry(&error.into())).ok()
    }

    pub(super) fn unusable_entry(&self, error: &Error) {
        self.tell(&Notice::UnusableCacheEntry { error });
    }

    pub(super) fn tell(&self, notice: &Notice<'_>) {
        (self.0)(notice);
    }
}

/// To stderr: what plugins wrote as it is, the rest in a line of its own.
impl Default for Sink {
    fn default() -> Self {
        Self::new(|notice| {
            let mut stderr = std::io::stderr().lock();
            // If stderr is closed, the error can't be reported.
            let _ = match notice {
                Notice::Stderr { text, .. } => stderr.write_all(text),
                other => writeln!(stderr, "libcni: {other}"),
            };
        })
    }
}

/// A path in one line.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

/// In one line, with all causes.
impl fmt::Display for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stderr { plugin, command, text } => {
                write!(f, "plugin `{plugin}` on {command}: {}", String::from_utf8_lossy(text).trim_end())
            }
            Self::UnusableCacheEntry { error } => write!(f, "passed over: {}", crate::Chain(*error)),
            Self::Unlocked { error } => write!(f, "continuing without a lock: {}", crate::Chain(*error)),
            Self::ForeignNetns { netns } => {
                write!(f, "{} is not the network namespace of the container, and is not touched", escaped(netns))
            }
            Self::InterfaceOfOther { ifname, netns, owner: Entry { network, container_id, .. } } => {
                let netns = escaped(netns);
                let owner = format!("belongs to network `{network}`, as container `{container_id}`");
                write!(f, "interface `{ifname}` in {netns} {owner}, and is not touched")
            }
            Self::ConfigurationChanged { network, plan } => {
                write!(f, "network `{network}` has another configuration than at ADD; an update would run {plan}")
            }
            Self::PluginSkipped { error } => write!(f, "skipped: {}", crate::Chain(*error)),
        }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}
