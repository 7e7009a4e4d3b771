//! A fault of a document: where, which value, and what it must be.

use std::fmt;

use serde::de;

/// A field of a JSON document does not have the form that its type requires.
///
/// Displayed it is a sentence: `` `ipam.ranges[0][0].subnet` must be a string, not 5 ``.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    path: String,
    reason: String,
    /// True if the reason goes on after the path, as "must be a string" does.
    goes_on: bool,
    /// True if the reason says which value it is about, or is about none.
    has_value: bool,
}

impl InvalidField {
    /// A field with a reason that stands for itself.
    pub(crate) fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into(), goes_on: false, has_value: true }
    }

    /// A field that is not there.
    pub(crate) fn missing(path: impl Into<String>) -> Self {
        Self { goes_on: true, ..Self::new(path, "is missing") }
    }

    /// A value that is not what it must be.
    pub(crate) fn expected(what: impl fmt::Display) -> Self {
        Self { goes_on: true, has_value: false, ..Self::new("", format!("must be {what}")) }
    }

    /// Where the field is, such as `ips[0].address`; empty for the document itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The fault.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The same error about a value, given as JSON text, which it names unless it does so already.
    pub(crate) fn about(mut self, value: &str) -> Self {
        if std::mem::replace(&mut self.has_value, true) {
            return self;
        }
        let is_simple = !value.starts_with(['{', '[']);
        if self.goes_on {
            self.reason = format!("{}, not {}", self.reason, short(value));
        } else if is_simple && !self.reason.contains(value.trim_matches('"')) {
            self.reason = format!("{}: {}", short(value), self.reason);
        }
        self
    }

    /// The same error, of a key of an object.
    pub(crate) fn inside_key(mut self, key: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{key}{separator}{}", self.path);
        self
    }

    /// The same error, of an entry of a list.
    pub(crate) fn inside_entry(mut self, index: usize) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("[{index}]{separator}{}", self.path);
        self
    }
}

/// How much of a value an error quotes, in characters.
const QUOTED: usize = 60;

/// A value for an error message.
fn short(value: &str) -> String {
    match value.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, reason, goes_on, .. } = self;
        match (path.as_str(), goes_on) {
            ("", true) => write!(f, "it {reason}"),
            ("", false) => f.write_str(reason),
            (path, true) => write!(f, "`{path}` {reason}"),
            (path, false) => write!(f, "`{path}`: {reason}"),
        }
    }
}

impl std::error::Error for InvalidField {}

impl de::Error for InvalidField {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = format!("{message:#}");
        Placed::read(&message).unwrap_or_else(|| Self { has_value: false, ..Self::new("", message) })
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::expected(expected)
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::expected(expected)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::expected(one_of(expected))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self { goes_on: true, ..Self::new(field, format!("is not a known key; the keys are {}", one_of(expected))) }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::missing(field)
    }
}

/// An invalid field on its way through an error of serde's, which is made of what is displayed: the alternate form
/// keeps its parts apart.
pub(crate) struct Placed(pub(crate) InvalidField);

/// No text of JSON has this character as it is.
const SEPARATOR: char = '\u{1}';

impl Placed {
    fn read(displayed: &str) -> Option<InvalidField> {
        let (path, rest) = displayed.strip_prefix(SEPARATOR)?.split_once(SEPARATOR)?;
        let (goes_on, reason) = rest.split_once(SEPARATOR)?;
        Some(InvalidField { goes_on: goes_on == "true", ..InvalidField::new(path, reason) })
    }
}

impl fmt::Display for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InvalidField { path, reason, goes_on, .. } = &self.0;
        if f.alternate() {
            write!(f, "{SEPARATOR}{path}{SEPARATOR}{goes_on}{SEPARATOR}{reason}")
        } else {
            self.0.fmt(f)
        }
    }
}

/// Names in the form "`a`, `b` or `c`".
fn one_of(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// A part of a text that serde_json reads, or finds not to be JSON.
pub(super) fn unread(error: &serde_json::Error) -> InvalidField {
    de::Error::custom(reason(error))
}

/// The value of a key that can't be written as JSON.
pub(crate) fn unwritable(key: &str, error: &serde_json::Error) -> InvalidField {
    InvalidField::new(key, error.to_string())
}

/// The message of serde_json, without the position: it counts from the start of a part of the text, which nobody sees.
pub(super) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.to_owned(),
        None => text,
    }
}
