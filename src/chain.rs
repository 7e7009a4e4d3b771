//! An error with its causes, in one line.

use std::error::Error;
use std::fmt;

/// Displays an error and its causes, from the outermost in: errors here say their own layer only.
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
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
