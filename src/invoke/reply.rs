//! Turns the output of a plugin into an answer or a failure.

use super::{Output, PluginError, PluginFailure, Request};
use crate::spec::{Command, ErrorReply, Fields, Object, read_raw, text};

/// The answer of a plugin that succeeded: what it printed on stdout
/// ([2.4](crate::specification#24-stdout-stderr-exit-status)).
///
/// # Errors
/// The plugin failed. The error has the CNI error object on its stdout; if stdout is empty, it has stderr and the exit
/// status or signal, and if stdout is something else, it quotes that. An error object as the answer to ADD is a failure
/// whatever the exit status: a container without its network must not count as added.
pub fn read_reply(request: &Request, output: Output) -> Result<Vec<u8>, Box<PluginError>> {
    let Output { status, stdout, stderr } = output;
    let reported = if status.success() { misspoken(request.command, &stdout) } else { error_object(&stdout) };
    let failure = match reported {
        Some(reply) => PluginFailure::Reported { reply, status, stderr },
        None if status.success() => return Ok(stdout),
        None if stdout.is_empty() => PluginFailure::Silent { status, stderr },
        None => PluginFailure::Garbled { status, stdout, stderr },
    };
    Err(PluginError::new(request, failure))
}

/// The error object in place of an answer to ADD.
fn misspoken(command: Command, stdout: &[u8]) -> Option<ErrorReply> {
    if command != Command::Add {
        return None;
    }
    error_reply(&Object::parse(&text(stdout)).ok().filter(is_error_object)?)
}

/// Returns whether an answer has both keys of an error object, which no result has, and none of a result.
fn is_error_object(object: &Object) -> bool {
    let has = |key: &&str| object.has_folded(key);
    ["code", "msg"].iter().all(has) && !["interfaces", "ips", "ip4", "ip6"].iter().any(has)
}

/// The error object that a failed plugin printed; `None` for anything else.
fn error_object(stdout: &[u8]) -> Option<ErrorReply> {
    let text = text(stdout);
    // Go programs print null for a nil pointer.
    let object = if text.trim() == "null" { Object::new() } else { Object::parse(&text).ok()? };
    let is_error = ["code", "msg", "details"].iter().any(|key| object.has_folded(key));
    // Any other output, such as a result, is quoted, since it would be an error without a text.
    if is_error || object.is_empty() { error_reply(&object) } else { None }
}

/// Reads an error object. What should be a text and is not counts as its JSON text: the code must not get lost, since
/// runtimes act upon it.
fn error_reply(object: &Object) -> Option<ErrorReply> {
    let mut fields = Fields::of(object);
    let code = fields.take_or_default("code").ok()?;
    let mut text = |key| {
        let raw = fields.take_raw(key)?;
        Some(read_raw(raw).unwrap_or_else(|_| raw.get().to_owned()))
    };
    let cni_version = text("cniVersion").filter(|version| !version.is_empty());
    let (msg, details) = (text("msg").unwrap_or_default(), text("details").filter(|details| !details.is_empty()));
    Some(ErrorReply { cni_version, code, msg, details, extra: fields.rest() })
}
