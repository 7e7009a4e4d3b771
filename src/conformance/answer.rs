//! How one execution of the plugin ended, and whether that is what the specification wants.

use std::ffi::OsStr;
use std::fmt;
use std::time::Duration;

use crate::Chain;
use crate::invoke::{ExecError, Output, Request};
use crate::result::AddResult;
use crate::spec::{CNI_COMMAND, ErrorCode, ErrorReply, Object};

use super::finding::{Verdict, deviation, not_applicable};

/// One execution.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) request: Request,
    /// The version that was asked for.
    pub(super) version: String,
    pub(super) ended: Result<Output, ExecError>,
    pub(super) took: Duration,
}

impl Answer {
    /// The output, however it ended by itself.
    pub(super) fn output(&self) -> Verdict<&Output> {
        self.ended.as_ref().map_err(|_| deviation(self.to_string()))
    }

    /// The error object that it printed, whatever the exit status.
    pub(super) fn error(&self) -> Option<ErrorReply> {
        let object = self.object().filter(|object| object.get("code").is_some())?;
        serde_json::from_str(&object.to_string()).ok()
    }

    fn object(&self) -> Option<Object> {
        let output = self.ended.as_ref().ok()?;
        Object::parse(std::str::from_utf8(&output.stdout).ok()?).ok()
    }

    pub(super) fn succeeds(&self) -> Verdict {
        let succeeded = self.output()?.status.success() && self.error().is_none();
        if succeeded { Ok(()) } else { Err(deviation(self.to_string())) }
    }

    /// The one JSON object that it answered with.
    pub(super) fn document(&self) -> Verdict<Object> {
        self.succeeds()?;
        self.object().ok_or_else(|| deviation(format!("{self}, which is not one JSON object")))
    }

    /// The result that it answered with, read as a runtime does.
    pub(super) fn result(&self) -> Verdict<AddResult> {
        let object = self.document()?;
        let result = AddResult::parse_reply(&object.to_string(), &self.version);
        result.map_err(|error| deviation(format!("{self}, which is not a result: {}", Chain(&error))))
    }

    /// It failed, and not by crashing or hanging.
    pub(super) fn is_refused(&self) -> Verdict {
        let output = self.output()?;
        match (output.status.code(), self.error()) {
            (_, Some(_)) => Ok(()),
            (Some(code), None) if code != 0 => Ok(()),
            _ => Err(deviation(self.to_string())),
        }
    }

    /// It failed with an error of one of these codes.
    pub(super) fn is_refused_with(&self, codes: &[ErrorCode]) -> Verdict {
        self.is_refused()?;
        let error =
            self.error().ok_or_else(|| not_applicable(format!("{self}, which is not an error object: see 902")))?;
        if codes.contains(&error.code) {
            return Ok(());
        }
        let codes: Vec<_> = codes.iter().map(ToString::to_string).collect();
        Err(deviation(format!("{self}; the code should be {}", codes.join(" or "))))
    }
}

/// The event, in a few words: `DEL ends with exit status: 1, error 7 "no such bridge"`.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = self.request.env(CNI_COMMAND).unwrap_or(OsStr::new("a call without verb")).display();
        let output = match &self.ended {
            Ok(output) => output,
            Err(error) => return write!(f, "{verb}: {}", Chain(error)),
        };
        write!(f, "{verb} ends with {}", output.status)?;
        if let Some(ErrorReply { code, msg, details, .. }) = self.error() {
            let details = details.map(|details| format!(" ({})", quote(details.as_bytes()))).unwrap_or_default();
            return write!(f, ", error {code} {}{details}", quote(msg.as_bytes()));
        }
        match self.object() {
            Some(object) => write!(f, ", stdout {}", in_one_line(&object.to_string()))?,
            None if output.stdout.is_empty() => {}
            None => write!(f, ", stdout {}", quote(&output.stdout))?,
        }
        if !output.status.success() && !output.stderr.is_empty() {
            write!(f, ", stderr {}", quote(&output.stderr))?;
        }
        Ok(())
    }
}

/// How much of an output a report quotes, in bytes.
const QUOTED: usize = 600;

/// An output for people: its beginning, in quotes and in one line.
pub(super) fn quote(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output.trim_ascii_end()).into_owned();
    format!("\"{}\"", beginning(&text).escape_debug().to_string().replace("\\\"", "\""))
}

/// A JSON text for people, without the line breaks between its tokens.
fn in_one_line(json: &str) -> String {
    beginning(&json.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn beginning(text: &str) -> String {
    let mut shown: String = text.chars().take(QUOTED).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
