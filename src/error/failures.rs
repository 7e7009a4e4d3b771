//! The errors of a verb that goes on after one.

use std::error::Error as StdError;
use std::fmt;

use super::Error;
use crate::Chain;

/// The errors of a verb that goes on after one; never empty.
#[derive(Debug)]
pub struct Failures(Vec<Error>);

impl Failures {
    /// `Ok` without errors, one error as it is, more as [`Error::Several`].
    pub(crate) fn into_result(errors: Vec<Error>) -> Result<(), Error> {
        match <[Error; 1]>::try_from(errors) {
            Ok([one]) => Err(one),
            Err(none) if none.is_empty() => Ok(()),
            Err(several) => Err(Error::Several(Failures(several))),
        }
    }

    /// The errors in the order they happened.
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        self.0.iter()
    }

    pub(super) fn first(&self) -> &Error {
        &self.0[0]
    }
}

impl IntoIterator for Failures {
    type Item = Error;
    type IntoIter = std::vec::IntoIter<Error>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} errors", self.0.len())?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {}", Chain(error)))
    }
}

impl StdError for Failures {}
