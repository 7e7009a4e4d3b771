//! Why the tool fails, for people and for programs.

use std::fmt;
use std::io;

use libcni::spec::{ErrorCode, Object};
use libcni::{Chain, Error};

use super::{is_json, line, printable_json, say};

/// The reason why the tool fails: a message, further facts, and what the user can do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u8,
    message: String,
    /// The error for programs: `code`, `msg`, and what the failure is about.
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

    /// The same failure with a hint, or a further one.
    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        let hints = self.hint.into_iter().chain([hint.into()]).collect::<Vec<_>>();
        Self { hint: Some(hints.join("; ")), ..self }
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
        if let Some(hint) = &self.hint {
            object.set("hint", hint);
        }
        printable_json(&object.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = Chain(&error).to_string();
        let hint = hint(&error).or_else(|| lacks_right(&message));
        Self { status: 1, message, about: error.to_object(), hint }
    }
}

/// The next step after an error, whichever verb it ended.
fn hint(error: &Error) -> Option<String> {
    match error {
        Error::Load(error) => error.suggestion(),
        Error::PluginNotFound { source, .. } => source.suggestion(),
        Error::NotCached { is_begun: true, key, .. } => Some(format!(
            "`cnitool del {} --container-id {} --ifname {}` undoes what there is of it",
            key.network, key.container_id, key.ifname
        )),
        Error::NotCached { .. } => Some("`cnitool list attachments` shows the attachments on record".to_owned()),
        Error::OtherNetns { .. } => Some("`cnitool del` removes what is left of it".to_owned()),
        Error::NoRecordedConfiguration { .. } => {
            Some("`cnitool del` without `--cached` uses the configuration that the network has today".to_owned())
        }
        Error::Netns(error) if error.is_missing() => {
            Some("`ip netns list` shows the namespaces that have names".to_owned())
        }
        _ => None,
    }
}

/// A user who is not root, and what the system or a plugin refused.
fn lacks_right(message: &str) -> Option<String> {
    let message = message.to_lowercase();
    let is_refused = ["permission denied", "operation not permitted"].iter().any(|words| message.contains(words));
    let is_lacking = is_refused && !rustix::process::geteuid().is_root();
    is_lacking.then(|| "this takes rights that root has, such as CAP_NET_ADMIN and CAP_SYS_ADMIN".to_owned())
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(ErrorCode::IO, format!("cannot write to stdout: {error}"))
    }
}
