//! The JSON decoder's error, whichever decoder that is.

use std::fmt;
use std::io;

use super::reason;

/// A text is not the JSON that is wanted, or a value can't be written as JSON.
#[derive(Debug)]
pub struct Malformed {
    error: serde_json::Error,
    /// True if the error around it says where, counted from the start of a file.
    is_placed: bool,
}

impl Malformed {
    pub(crate) fn new(error: serde_json::Error) -> Self {
        Self { error, is_placed: false }
    }

    /// The line of the fault, from 1; 0 where there is no text.
    pub(crate) fn line(&self) -> usize {
        self.error.line()
    }

    /// The column of the fault in bytes, from 1; 0 where it is not known.
    pub(crate) fn column(&self) -> usize {
        self.error.column()
    }

    /// An error whose place the error around it says.
    pub(crate) fn placed(error: serde_json::Error) -> Self {
        Self { error, is_placed: true }
    }

    /// The same without its place in the message.
    pub(crate) fn without_place(self) -> Self {
        Self::placed(self.error)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_placed { f.write_str(&reason(&self.error)) } else { self.error.fmt(f) }
    }
}

impl std::error::Error for Malformed {}

/// Invalid data, for programs that read and write JSON.
impl From<Malformed> for io::Error {
    fn from(error: Malformed) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}
