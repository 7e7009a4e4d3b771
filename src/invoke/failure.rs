//! How a plugin failed, in one message that says which plugin, which verb, and why.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use super::{ExecError, Request};
use crate::Printable;
use crate::result::ParseError;
use crate::spec::{Command, ErrorCode, ErrorReply, InvalidVersionReply};

/// A plugin failed: which one, on which verb, and how.
#[derive(Debug)]
pub struct PluginError {
    /// The plugin's `type`.
    pub plugin: String,
    /// Its executable.
    pub program: PathBuf,
    /// The verb.
    pub command: Command,
    /// How it failed.
    pub failure: Failure,
}

/// How a plugin failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// It answered with an error object of the protocol.
    #[error("{}", reported(reply, *status))]
    Reported {
        /// The error object.
        reply: ErrorReply,
        /// Exit status or signal.
        status: ExitStatus,
        /// The bytes that it printed on stderr.
        stderr: Vec<u8>,
    },
    /// It failed without a word on stdout.
    #[error("{status}{}", said(stderr))]
    Silent {
        /// Exit status or signal.
        status: ExitStatus,
        /// The bytes that it printed on stderr.
        stderr: Vec<u8>,
    },
    /// It failed, and what it printed on stdout is no error object.
    #[error("{status}, and no CNI error on stdout but {}", quote(stdout))]
    Garbled {
        /// Exit status or signal.
        status: ExitStatus,
        /// The bytes that it printed on stdout.
        stdout: Vec<u8>,
        /// The bytes that it printed on stderr.
        stderr: Vec<u8>,
    },
    /// It succeeded, but its answer to ADD is no result.
    #[error("its answer {} is no result", quote(stdout))]
    InvalidResult {
        /// The bytes that it printed on stdout.
        stdout: Vec<u8>,
        /// Why that is no result.
        source: ParseError,
    },
    /// It succeeded, but its answer to VERSION is none.
    #[error("its answer {} is no VERSION reply", quote(stdout))]
    InvalidVersionReply {
        /// The bytes that it printed on stdout.
        stdout: Vec<u8>,
        /// Why that is no VERSION reply.
        source: InvalidVersionReply,
    },
    /// It did not start or did not end by itself.
    #[error("{error}{}", said(error.stderr()))]
    Exec {
        /// The reason.
        error: ExecError,
    },
}

impl PluginError {
    pub(crate) fn new(request: &Request, failure: Failure) -> Box<Self> {
        Box::new(Self {
            plugin: request.plugin.clone(),
            program: request.program.clone(),
            command: request.command,
            failure,
        })
    }

    /// The code that the plugin gave, if it answered in the protocol.
    pub fn code(&self) -> Option<ErrorCode> {
        self.reply().map(|reply| reply.code)
    }

    /// The error object that the plugin printed, if it answered in the protocol.
    pub fn reply(&self) -> Option<&ErrorReply> {
        match &self.failure {
            Failure::Reported { reply, .. } => Some(reply),
            _ => None,
        }
    }

    /// Returns the bytes that the plugin printed on stderr.
    pub fn stderr(&self) -> &[u8] {
        match &self.failure {
            Failure::Reported { stderr, .. } | Failure::Silent { stderr, .. } | Failure::Garbled { stderr, .. } => {
                stderr
            }
            Failure::Exec { error } => error.stderr(),
            Failure::InvalidResult { .. } | Failure::InvalidVersionReply { .. } => &[],
        }
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plugin, program, command, failure } = self;
        write!(f, "plugin `{plugin}` ({}) failed on {command}: {failure}", Path::display(program))
    }
}

impl std::error::Error for PluginError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.failure {
            Failure::Exec { error } => std::error::Error::source(error),
            Failure::InvalidResult { source, .. } => Some(source),
            Failure::InvalidVersionReply { source, .. } => Some(source),
            Failure::Reported { .. } | Failure::Silent { .. } | Failure::Garbled { .. } => None,
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
    match (words.as_str(), status.code()) {
        ("", _) if reply.code == ErrorCode::default() => format!("{status}, and an error object that says nothing"),
        ("", _) => format!("{status}, and an error object with code {} that says nothing else", reply.code),
        (_, Some(0)) => format!("{words} (reported with {status}, as if it had succeeded)"),
        (_, Some(_)) => words,
        (_, None) => format!("{words} (and then ended by {status})"),
    }
}
