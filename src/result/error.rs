//! The reasons why a text is not a result, and why a result can't be converted.

use crate::spec::InvalidField;

/// A text is not a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// It is not a JSON object.
    #[error("the result is not a JSON object")]
    Json(#[source] serde_json::Error),
    /// A field does not have the form that the result's version requires.
    #[error("the result does not have the form of its version")]
    Field(#[source] InvalidField),
    /// No implemented version is called that.
    #[error("unsupported result version `{0}`")]
    UnsupportedVersion(String),
    /// The result is of another generation than the one asked for.
    #[error("the result says version `{found}`, which can't be read as `{asked}`")]
    VersionMismatch {
        /// The version asked for.
        asked: String,
        /// The version in the text; empty when it names none.
        found: String,
    },
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
