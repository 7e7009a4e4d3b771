//! Why the tool fails, for people and for programs.

use std::fmt;
use std::io;

use libcni::spec::{ErrorCode, ErrorReply, Object};
use libcni::{Chain, Error};
use serde::Serialize;

use super::{is_json, line, printable_json, say};

/// Why the tool fails: a message, what is known besides, and what the user can do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u8,
    message: String,
    /// What programs get: `code`, `msg`, and what the failure is about.
    about: Object,
    hint: Option<String>,
}

impl Failure {
    /// A failure that the protocol has this code for. The exit status is 1.
    pub(crate) fn new(code: ErrorCode, message: impl fmt::Display) -> Self {
        let message = message.to_string();
        let mut about = Object::new();
        about.set("code", &code);
        about.set("msg", &message);
        Self { status: 1, message, about, hint: None }
    }

    /// Wrong usage: the exit status is 2.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(ErrorCode::INVALID_ENVIRONMENT, message).with_status(2)
    }

    /// The same failure with another exit status.
    pub(crate) fn with_status(self, status: u8) -> Self {
        Self { status, ..self }
    }

    /// The same failure with a hint.
    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        let hint = Some(hint.into());
        Self { hint, ..self }
    }

    pub(crate) fn status(&self) -> u8 {
        self.status
    }

    /// Writes the failure to stderr.
    pub(crate) fn tell(&self) {
        if is_json() {
            return line(&self.to_json());
        }
        say(&format!("error: {}", self.message));
        if let Some(hint) = &self.hint {
            say(&format!("hint: {hint}"));
        }
    }

    /// The failure as one line of JSON.
    fn to_json(&self) -> String {
        let mut object = self.about.clone();
        set_some(&mut object, "hint", self.hint.as_ref());
        printable_json(&object.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { status: 1, message: Chain(&error).to_string(), about: describe(&error), hint: None }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(ErrorCode::IO, format!("cannot write to stdout: {error}"))
    }
}

/// What is known of an error: `code`, `msg`, `details`, and what it is about.
fn describe(error: &Error) -> Object {
    let ErrorReply { code, msg, details, .. } = error.to_reply();
    let mut object = Object::new();
    object.set("code", &code);
    object.set("msg", &msg);
    set_some(&mut object, "details", Some(details).filter(|details| !details.is_empty()));
    set_some(&mut object, "network", error.network());
    set_some(&mut object, "plugin", error.plugin());
    set_some(&mut object, "verb", error.command().map(|command| command.as_str()));
    set_some(&mut object, "file", error.file().map(|file| file.to_string_lossy()));
    if let Error::Several(failures) = error {
        object.set("errors", &failures.iter().map(describe).collect::<Vec<_>>());
    }
    object
}

fn set_some(object: &mut Object, key: &str, value: Option<impl Serialize>) {
    if let Some(value) = value {
        object.set(key, &value);
    }
}
