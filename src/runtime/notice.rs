//! What is worth knowing but no error.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use crate::error::Error;
use crate::invoke::Request;
use crate::spec::Command;

/// Something a runtime may want to log.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// A plugin wrote to stderr.
    Stderr {
        /// The plugin.
        plugin: &'a str,
        /// The verb that it was called with.
        command: Command,
        /// What it wrote, as it wrote it.
        text: &'a [u8],
    },
    /// A cache entry is unusable. The verb goes on without it.
    UnusableCacheEntry {
        /// What is wrong with it.
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

    pub(super) fn unusable_entry(&self, error: &Error) {
        (self.0)(&Notice::UnusableCacheEntry { error });
    }
}

/// To stderr: what plugins wrote as it is, the rest in a line of its own.
impl Default for Sink {
    fn default() -> Self {
        Self::new(|notice| {
            let mut stderr = std::io::stderr().lock();
            // There is nobody left to tell when stderr is closed.
            let _ = match notice {
                Notice::Stderr { text, .. } => stderr.write_all(text),
                Notice::UnusableCacheEntry { error } => {
                    writeln!(stderr, "libcni: passed over: {}", crate::Chain(*error))
                }
            };
        })
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}
