//! The output of the tool: lines and tables for people, JSON for programs. Control characters, which a plugin or a file
//! may have put there, never reach a terminal.

pub(crate) mod describe;
pub(crate) mod dry_run;
pub(crate) mod failure;
pub(crate) mod request;
pub(crate) mod table;

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::OnceLock;

use libcni::runtime::Notice;
use libcni::spec::{ErrorCode, Object};
use libcni::{Printable, PrintableJson};
use serde::Serialize;

/// Writes a line to stdout. Not by `println`: that takes a stdout that can't be written to for success.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    stdout.write_all(format!("{text}\n").as_bytes())
}

/// Writes a value, which must be a JSON object, to stdout.
pub(crate) fn print_json(value: &impl Serialize) -> io::Result<()> {
    let object = Object::parse(&serde_json::to_string(value)?)?;
    print(&printable_json(&object.to_json_pretty()))
}

/// How messages are written: for people or for programs, and with remarks or without.
static CHOSEN: OnceLock<(bool, bool)> = OnceLock::new();

/// Chooses how the tool speaks, once.
pub(crate) fn choose(json: bool, quiet: bool) {
    CHOSEN.get_or_init(|| (json, quiet));
}

pub(crate) fn is_json() -> bool {
    CHOSEN.get().is_some_and(|(json, _)| *json)
}

/// A note on stderr, with further fields for programs, unless the tool is quiet.
pub(crate) fn note(text: &str, about: &Object) {
    match CHOSEN.get() {
        Some((_, true)) => {}
        Some((true, false)) => {
            let mut object = Object::new();
            object.set("note", text);
            about.iter().for_each(|(key, value)| object.set(key, &value));
            line(&printable_json(&object.to_string()));
        }
        _ => say(&format!("note: {text}")),
    }
}

/// A warning on stderr.
pub(crate) fn warn(text: &str) {
    if is_json() { say_object(&[("warning", text)]) } else { say(&format!("warning: {text}")) }
}

/// Wrong usage, in clap's words.
pub(crate) fn say_usage(text: &str) {
    if !is_json() {
        return say(text.trim_end());
    }
    let mut object = Object::new();
    object.set("code", &ErrorCode::INVALID_ENVIRONMENT);
    object.set("msg", text.trim().trim_start_matches("error: "));
    line(&printable_json(&object.to_string()));
}

/// Messages of the library: stderr of plugins as they wrote it, everything else as a warning.
pub(crate) fn hear(notice: &Notice<'_>) {
    match notice {
        Notice::Stderr { plugin, command, text, .. } if is_json() => {
            let text = String::from_utf8_lossy(text);
            say_object(&[("stderr", &text), ("plugin", plugin), ("verb", command.as_str())]);
        }
        Notice::Stderr { text, .. } => pass_on(text),
        other => warn(&other.to_string()),
    }
}

/// Text that a plugin wrote. A terminal would act upon it, so it is escaped there; other readers of stderr get it byte
/// for byte.
fn pass_on(text: &[u8]) {
    let mut stderr = io::stderr();
    // If stderr is closed, the error can't be reported; here and below.
    let _ = if stderr.is_terminal() {
        stderr.write_all(printable(&String::from_utf8_lossy(text)).as_bytes())
    } else {
        stderr.write_all(text)
    };
}

/// The same without what plugins wrote to stderr, which a trace has already.
pub(crate) fn hear_others(notice: &Notice<'_>) {
    if !matches!(notice, Notice::Stderr { .. }) {
        hear(notice);
    }
}

fn say_object(fields: &[(&str, &str)]) {
    let mut object = Object::new();
    fields.iter().for_each(|(key, value)| object.set(key, &value));
    line(&printable_json(&object.to_string()));
}

/// A line on stderr, for people.
pub(crate) fn say(text: &str) {
    line(&printable(text));
}

/// A line on stderr, which can be shown as it is.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A text that moves no cursor.
pub(crate) fn printable(text: &str) -> String {
    Printable(text).to_string()
}

/// The same for JSON.
pub(crate) fn printable_json(json: &str) -> String {
    PrintableJson(json).to_string()
}
