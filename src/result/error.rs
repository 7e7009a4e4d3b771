//! The reasons why a text is not a result, and why a result can't be converted.

use crate::spec::{InvalidField, Malformed};

/// A text is not a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// It is not a JSON object.
    #[error("the result is not a JSON object")]
    Json(#[source] Malformed),
    /// A field does not have the form that the result's version requires.
    #[error("the result does not have the form of its version")]
    Field(#[source] InvalidField),
    /// No implemented version is called that.
    #[error("unsupported result version `{0}`")]
    UnsupportedVersion(String),
    /// The result is of another generation than the one asked for.
    #[error("the result says {}, which can't be read as `{asked}`", said(found.as_deref()))]
    #[non_exhaustive]
    VersionMismatch {
        /// The version asked for.
        asked: String,
        /// The version in the text; `None` when it names none.
        found: Option<String>,
    },
}

fn said(version: Option<&str>) -> String {
    version.map_or_else(|| "no version".to_owned(), |version| format!("version `{version}`"))
}

/// A result can't be converted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// No implemented version is called that.
    #[error("can't convert a result to unknown version `{0}`")]
    UnknownVersion(String),
    /// A result of version 0.1.0 or 0.2.0 must have an address. The message is that of the Go library, since other
    /// programs look for it.
    #[error("cannot convert: no valid IP addresses")]
    NoAddress(String),
}
