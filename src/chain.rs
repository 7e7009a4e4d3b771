//! An error with its causes, in one line.

use std::error::Error;
use std::fmt::{self, Write};

use crate::printable::Indented;

/// Displays an error and its causes, from the outermost in: errors here say their own layer only.
///
/// Text of plugins and files in it is made [`Printable`](crate::Printable), and further lines of it are indented.
///
/// ```
/// use libcni::Chain;
/// use libcni::conf::NetworkConfig;
///
/// let error = NetworkConfig::parse(r#"{"name": "net", "plugins": [{"x": 1}]}"#).unwrap_err();
/// assert_eq!(
///     Chain(&error).to_string(),
///     "network configuration:1:29: plugin 0 of the list is invalid: `type` is missing",
/// );
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a>(pub &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Indented::new(f);
        write!(out, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(out, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Said(&'static str, #[source] Option<Box<Said>>);

    #[test]
    fn no_word_of_an_error_or_cause_begins_a_line_or_moves_a_cursor() {
        let cause = Said("\nerror: forged\n\n  listed\u{1b}[2J", None);
        let text = Chain(&Said("failed\r\n", Some(Box::new(cause)))).to_string();
        assert_eq!(text, "failed\\r\n    : \n    error: forged\n\n  listed\\u{1b}[2J");
    }
}
