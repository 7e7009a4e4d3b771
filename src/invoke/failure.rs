//! The failure of a plugin, in one message with the plugin, the verb and the reason.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitStatus;

use super::{ExecError, Request};
use crate::result::ParseError;
use crate::spec::{Command, ErrorCode, ErrorReply, InvalidVersionReply};
use crate::{Chain, Printable};

/// A plugin failed. The error has the network, the plugin, the verb and the reason.
#[derive(Debug)]
#[non_exhaustive]
pub struct PluginError {
    /// The network; `None` for a plugin that was asked for by name.
    pub network: Option<String>,
    /// The plugin's `type`.
    pub plugin: String,
    /// Its executable.
    pub program: PathBuf,
    /// The verb.
    pub command: Command,
    /// How it failed.
    pub failure: PluginFailure,
    /// True if this is the end of an ADD that had started a plugin, so that something may be left that only DEL
    /// removes.
    pub needs_cleanup: bool,
}

/// How a plugin failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginFailure {
    /// It answered with an error object of the protocol.
    #[error("{}", reported(reply, *status))]
    #[non_exhaustive]
    Reported {
        /// The error object.
        reply: ErrorReply,
        /// Exit status or signal.
        status: ExitStatus,
        /// The bytes that it printed on stderr.
        stderr: Vec<u8>,
    },
    /// It failed, and printed nothing on stdout.
    #[error("{status}{}", said(stderr))]
    #[non_exhaustive]
    Silent {
        /// Exit status or signal.
        status: ExitStatus,
        /// The bytes that it printed on stderr.
        stderr: Vec<u8>,
    },
    /// It failed, and its stdout is not an error object.
    #[error("{status}, and no CNI error on stdout but {}", quote(stdout))]
    #[non_exhaustive]
    Garbled {
        /// Exit status or signal.
        status: ExitStatus,
        /// The bytes that it printed on stdout.
        stdout: Vec<u8>,
        /// The bytes that it printed on stderr.
        stderr: Vec<u8>,
    },
    /// It succeeded, but its answer to ADD is not a result.
    #[error("its answer {} is not a result", quote(stdout))]
    #[non_exhaustive]
    InvalidResult {
        /// The bytes that it printed on stdout.
        stdout: Vec<u8>,
        /// The reason why that is not a result.
        source: ParseError,
    },
    /// It succeeded, but its answer is not one to VERSION.
    #[error("its answer {} is not a VERSION reply", quote(stdout))]
    #[non_exhaustive]
    InvalidVersionReply {
        /// The bytes that it printed on stdout.
        stdout: Vec<u8>,
        /// The reason why that is not a VERSION reply.
        source: InvalidVersionReply,
    },
    /// It did not start or did not end by itself.
    #[error("{error}{}", said(error.stderr()))]
    #[non_exhaustive]
    Exec {
        /// The reason.
        error: ExecError,
    },
}

impl PluginError {
    pub(crate) fn new(request: &Request, failure: PluginFailure) -> Box<Self> {
        Box::new(Self {
            network: None,
            plugin: request.plugin.clone(),
            program: request.program.clone(),
            command: request.command,
            failure,
            needs_cleanup: false,
        })
    }

    /// The same error, of a plugin of this network.
    pub(crate) fn in_network(mut self: Box<Self>, network: &str) -> Box<Self> {
        self.network = Some(network.to_owned());
        self
    }

    /// Everything but why it failed.
    fn subject(&self) -> String {
        let Self { network, plugin, program, command, .. } = self;
        let of = network.as_ref().map(|network| format!(" of network `{network}`")).unwrap_or_default();
        format!("plugin `{plugin}` ({}){of} failed on {command}", program.display())
    }

    /// The plugin's words, which may begin with its name, as they come after [`subject`](Self::subject).
    fn without_own_name<'a>(&self, words: &'a str) -> &'a str {
        let rest = words.strip_prefix("plugin `").and_then(|rest| rest.strip_prefix(&*self.plugin));
        rest.and_then(|rest| rest.strip_prefix("`: ")).unwrap_or(words)
    }

    /// The error in the protocol's form: what the plugin gave as details is in the details, and not in the message.
    pub(crate) fn to_reply(&self) -> ErrorReply {
        match &self.failure {
            PluginFailure::Reported { reply: ErrorReply { code, msg, details: Some(details), .. }, .. } => {
                let msg = format!("{}: {}", self.subject(), self.without_own_name(&Printable(msg).to_string()));
                ErrorReply::new(*code, msg).with_details(&**details)
            }
            _ => ErrorReply::new(self.code().unwrap_or(ErrorCode::INTERNAL), Chain(self).to_string()),
        }
    }

    /// The code that the plugin gave, if it answered in the protocol.
    pub fn code(&self) -> Option<ErrorCode> {
        self.reply().map(|reply| reply.code)
    }

    /// The error object that the plugin printed, if it answered in the protocol.
    pub fn reply(&self) -> Option<&ErrorReply> {
        match &self.failure {
            PluginFailure::Reported { reply, .. } => Some(reply),
            _ => None,
        }
    }

    /// Returns the bytes that the plugin printed on stderr.
    pub fn stderr(&self) -> &[u8] {
        match &self.failure {
            PluginFailure::Reported { stderr, .. }
            | PluginFailure::Silent { stderr, .. }
            | PluginFailure::Garbled { stderr, .. } => stderr,
            PluginFailure::Exec { error } => error.stderr(),
            PluginFailure::InvalidResult { .. } | PluginFailure::InvalidVersionReply { .. } => &[],
        }
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject(), self.without_own_name(&self.failure.to_string()))
    }
}

impl std::error::Error for PluginError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.failure {
            PluginFailure::Exec { error } => std::error::Error::source(error),
            PluginFailure::InvalidResult { source, .. } => Some(source),
            PluginFailure::InvalidVersionReply { source, .. } => Some(source),
            PluginFailure::Reported { .. } | PluginFailure::Silent { .. } | PluginFailure::Garbled { .. } => None,
        }
    }
}

/// How much of an output an error message quotes, and how much of an error object's words, in bytes.
const QUOTED: usize = 1024;
const WORDS: usize = 4096;

/// An output for an error message: escaped, so that it can't move a terminal's cursor, and not too long.
fn quote(output: &[u8]) -> String {
    let shown = &output[..output.len().min(QUOTED)];
    let text = String::from_utf8_lossy(shown);
    format!("\"{}\"{}", text.escape_debug(), and_more(output.len() - shown.len()))
}

fn and_more(bytes: usize) -> String {
    match bytes {
        0 => String::new(),
        more => format!(" and {more} bytes more"),
    }
}

fn said(stderr: &[u8]) -> String {
    match stderr.trim_ascii() {
        [] => String::new(),
        words => format!(", stderr: {}", quote(words)),
    }
}

/// The plugin's own words, and how it ended where that does not go with them.
fn reported(reply: &ErrorReply, status: ExitStatus) -> String {
    let words = reply.to_string();
    let shown = String::from_utf8_lossy(&words.as_bytes()[..words.len().min(WORDS)]);
    let words = format!("{}{}", Printable(&shown), and_more(words.len().saturating_sub(WORDS)));
    let words = if words.is_empty() { words } else { format!("{words}{}", coded(reply.code)) };
    match (words.as_str(), status.code()) {
        ("", _) if reply.code == ErrorCode::default() => format!("{status}, and an error object without a text"),
        ("", _) => format!("{status}, and an error object with code {} and no text", reply.code),
        (_, Some(0)) => format!("{words} (reported with {status}, as if it had succeeded)"),
        (_, Some(_)) => words,
        (_, None) => format!("{words} (and then ended by {status})"),
    }
}

/// A code with what it means, where it says something.
fn coded(code: ErrorCode) -> String {
    match code.meaning() {
        _ if code == ErrorCode::INTERNAL || code == ErrorCode::default() => String::new(),
        Some(meaning) => format!(" (code {code}: {meaning})"),
        None => format!(" (code {code})"),
    }
}
