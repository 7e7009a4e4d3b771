//! What a plugin's end means: an answer, or an error that says which plugin, which verb, and why.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use super::{ExecError, Output, Request};
use crate::Printable;
use crate::result::ParseError;
use crate::spec::{Command, ErrorCode, ErrorReply, InvalidVersionReply, Object};

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
    #[error("{}", Printable(&reply.to_string()))]
    Reported {
        /// The error object.
        reply: ErrorReply,
        /// What it printed on stderr.
        stderr: Vec<u8>,
    },
    /// It failed without a word on stdout.
    #[error("{status}{}", said(stderr))]
    Silent {
        /// Exit status or signal.
        status: ExitStatus,
        /// What it printed on stderr.
        stderr: Vec<u8>,
    },
    /// It failed, and what it printed on stdout is no error object.
    #[error("{status}, and no CNI error on stdout but {}", quote(stdout))]
    Garbled {
        /// Exit status or signal.
        status: ExitStatus,
        /// What it printed on stdout.
        stdout: Vec<u8>,
        /// What it printed on stderr.
        stderr: Vec<u8>,
    },
    /// It succeeded, but its answer to ADD is no result.
    #[error("its answer {} is no result", quote(stdout))]
    InvalidResult {
        /// What it printed on stdout.
        stdout: Vec<u8>,
        /// Why that is no result.
        source: ParseError,
    },
    /// It succeeded, but its answer to VERSION is none.
    #[error("its answer {} is no VERSION reply", quote(stdout))]
    InvalidVersionReply {
        /// What it printed on stdout.
        stdout: Vec<u8>,
        /// Why that is no VERSION reply.
        source: InvalidVersionReply,
    },
    /// It did not start or did not end by itself.
    #[error("{error}{}", said(error.stderr()))]
    Exec {
        /// What went wrong.
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

    /// What the plugin printed on stderr.
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

/// The answer of a plugin that succeeded: what it printed on stdout
/// ([2.4](crate::specification#24-stdout-stderr-exit-status)).
///
/// # Errors
/// The plugin failed. Its stdout then is a CNI error object; where it is empty, stderr and the exit status or
/// signal have to do, and where it is something else, that is quoted.
pub fn read_reply(request: &Request, output: Output) -> Result<Vec<u8>, Box<PluginError>> {
    let Output { status, stdout, stderr } = output;
    if status.success() {
        return Ok(stdout);
    }
    let failure = match error_object(&stdout) {
        _ if stdout.is_empty() => Failure::Silent { status, stderr },
        Some(reply) => Failure::Reported { reply, stderr },
        None => Failure::Garbled { status, stdout, stderr },
    };
    Err(PluginError::new(request, failure))
}

fn error_object(stdout: &[u8]) -> Option<ErrorReply> {
    let text = std::str::from_utf8(stdout).ok()?;
    // Go programs print null for a nil pointer.
    if text.trim() == "null" {
        return Some(ErrorReply::default());
    }
    Object::parse(text).ok()?;
    serde_json::from_str(text).ok()
}

/// How much of an output an error message quotes, in bytes.
const QUOTED: usize = 1024;

/// An output for an error message: escaped, so that it can't move a terminal's cursor, and not too long.
fn quote(output: &[u8]) -> String {
    let shown = &output[..output.len().min(QUOTED)];
    let rest = match output.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} bytes more"),
    };
    format!("\"{}\"{rest}", String::from_utf8_lossy(shown).escape_debug())
}

fn said(stderr: &[u8]) -> String {
    match stderr.trim_ascii() {
        [] => String::new(),
        words => format!(", stderr: {}", quote(words)),
    }
}
