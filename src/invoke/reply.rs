//! What a plugin's end means: an answer, or a failure.

use super::{Failure, Output, PluginError, Request};
use crate::spec::{Command, ErrorReply, Fields, Object};

/// The answer of a plugin that succeeded: what it printed on stdout, which is UTF-8 where the verb has an answer
/// ([2.4](crate::specification#24-stdout-stderr-exit-status)).
///
/// # Errors
/// The plugin failed. Its stdout then is a CNI error object; where it is empty, stderr and the exit status or
/// signal have to do, and where it is something else, that is quoted. An error object as the answer to ADD is a
/// failure whatever the exit status: a container without its network must not count as added.
pub fn read_reply(request: &Request, output: Output) -> Result<Vec<u8>, Box<PluginError>> {
    let Output { status, stdout, stderr } = output;
    let failure = match status.success() {
        true => match misspoken(request.command, &stdout) {
            None => return Ok(stdout),
            Some(Misspoken::Error(reply)) => Failure::Reported { reply, status, stderr },
            Some(Misspoken::NotUtf8) => Failure::NotUtf8 { stdout },
        },
        false if stdout.is_empty() => Failure::Silent { status, stderr },
        false => match error_object(&stdout) {
            Some(reply) => Failure::Reported { reply, status, stderr },
            None => Failure::Garbled { status, stdout, stderr },
        },
    };
    Err(PluginError::new(request, failure))
}

/// What can be wrong with an answer before anybody reads it.
enum Misspoken {
    NotUtf8,
    Error(ErrorReply),
}

fn misspoken(command: Command, stdout: &[u8]) -> Option<Misspoken> {
    if !matches!(command, Command::Add | Command::Version) {
        return None;
    }
    let Ok(text) = std::str::from_utf8(stdout) else { return Some(Misspoken::NotUtf8) };
    let object = Object::parse(text).ok().filter(|object| command == Command::Add && is_error_object(object))?;
    error_reply(&object).map(Misspoken::Error)
}

/// Whether an answer has both keys of an error object, which no result has, and none of a result.
fn is_error_object(object: &Object) -> bool {
    let has = |key: &&str| object.has_folded(key);
    ["code", "msg"].iter().all(has) && !["interfaces", "ips", "ip4", "ip6"].iter().any(has)
}

/// The error object that a failed plugin printed; `None` for anything else.
fn error_object(stdout: &[u8]) -> Option<ErrorReply> {
    let text = std::str::from_utf8(stdout).ok()?;
    // Go programs print null for a nil pointer.
    let object = if text.trim() == "null" { Object::new() } else { Object::parse(text).ok()? };
    let is_error = ["code", "msg", "details"].iter().any(|key| object.has_folded(key));
    // Something else, a result for example, is better quoted than taken for an error without words.
    if is_error || object.is_empty() { error_reply(&object) } else { None }
}

/// Reads an error object. What should be a text and is not counts as its JSON text: the code must not get lost, since
/// runtimes act upon it.
fn error_reply(object: &Object) -> Option<ErrorReply> {
    let mut fields = Fields::of(object);
    let code = fields.take_or_default("code").ok()?;
    let mut text = |key| {
        let raw = fields.take_raw(key)?;
        Some(serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned()))
    };
    let cni_version = text("cniVersion").filter(|version| !version.is_empty());
    let (msg, details) = (text("msg").unwrap_or_default(), text("details").unwrap_or_default());
    Some(ErrorReply { cni_version, code, msg, details, extra: fields.rest() })
}
