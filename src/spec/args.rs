//! The generic arguments, `CNI_ARGS`.

use std::fmt;
use std::str::FromStr;

/// Generic arguments: pairs of a key and a value, in order, keys may repeat.
///
/// On the wire they are `K=V;K2=V2` without any escaping, so an untrusted key or value could smuggle in further pairs:
/// [`CniArgs::push`] refuses those, and so does reading a text. [6.2](crate::specification#62-generic-arguments) lists
/// the common keys.
///
/// ```
/// use libcni::spec::CniArgs;
///
/// let mut args = CniArgs::new();
/// args.push("K8S_POD_NAME", "web-0")?;
/// args.push("K8S_POD_NAMESPACE", "default")?;
/// assert_eq!(args.to_string(), "K8S_POD_NAME=web-0;K8S_POD_NAMESPACE=default");
/// assert!(args.push("IP", "10.0.0.1;EVIL=1").is_err());
/// # Ok::<(), libcni::spec::InvalidArg>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CniArgs {
    pairs: Vec<(String, String)>,
}

/// A text that is not a pair `KEY=VALUE` with both sides non-empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid CNI_ARGS pair `{pair}`: it must be KEY=VALUE, neither empty nor containing `=`, `;` or NUL")]
pub struct InvalidArg {
    pair: String,
}

impl CniArgs {
    /// No arguments.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a pair.
    ///
    /// # Errors
    /// The key or the value is empty or contains `=`, `;` or NUL.
    pub fn push(&mut self, key: impl Into<String>, value: impl Into<String>) -> Result<(), InvalidArg> {
        self.pairs.push(checked(key.into(), value.into())?);
        Ok(())
    }

    /// Sets a key, and removes its other pairs.
    ///
    /// # Errors
    /// As those of [`CniArgs::push`]; then nothing is set.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>) -> Result<(), InvalidArg> {
        let pair = checked(key.into(), value.into())?;
        self.pairs.retain(|(key, _)| *key != pair.0);
        self.pairs.push(pair);
        Ok(())
    }

    /// The value of a key, the last one if it is repeated.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(other, _)| other == key).map(|(_, value)| value.as_str())
    }

    /// Returns true if there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The pairs in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }
}

fn checked(key: String, value: String) -> Result<(String, String), InvalidArg> {
    let bad = |text: &str| text.is_empty() || text.contains(['=', ';', '\0']);
    if bad(&key) || bad(&value) { Err(InvalidArg { pair: format!("{key}={value}") }) } else { Ok((key, value)) }
}

/// Takes pairs as they are, unchecked: for those that another program wrote down, such as a cache entry.
impl FromIterator<(String, String)> for CniArgs {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self { pairs: pairs.into_iter().collect() }
    }
}

/// Reads `K=V;K2=V2`; an empty text has no pairs.
impl FromStr for CniArgs {
    type Err = InvalidArg;

    fn from_str(text: &str) -> Result<Self, InvalidArg> {
        let mut args = CniArgs::new();
        if text.is_empty() {
            return Ok(args);
        }
        for pair in text.split(';') {
            let (key, value) = pair.split_once('=').ok_or_else(|| InvalidArg { pair: pair.to_owned() })?;
            args.push(key, value)?;
        }
        Ok(args)
    }
}

/// The text of the environment variable.
impl fmt::Display for CniArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (key, value)) in self.iter().enumerate() {
            let separator = if i == 0 { "" } else { ";" };
            write!(f, "{separator}{key}={value}")?;
        }
        Ok(())
    }
}
