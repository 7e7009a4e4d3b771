//! The environment of a plugin.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::Arc;

use super::Parameters;

/// The whole environment of a process, each variable once. All requests of a runtime share the variables that plugins
/// inherit.
///
/// ```
/// use libcni::invoke::Environment;
///
/// let mut environment = Environment::from_iter([("LANG", "C")]);
/// environment.set("CNI_IFNAME", "eth0");
/// assert_eq!(environment.get("LANG"), Some("C".as_ref()));
/// assert_eq!(environment.iter().count(), 2);
/// ```
#[derive(Clone, Default)]
pub struct Environment {
    inherited: Inherited,
    own: Vec<(OsString, OsString)>,
}

impl Environment {
    pub(crate) fn new(inherited: &Inherited, own: Vec<(OsString, OsString)>) -> Self {
        Self { inherited: inherited.clone(), own }
    }

    /// Sets a variable, in place of one of this name.
    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        let name = name.into();
        if self.inherited.iter().any(|(known, _)| *known == name) {
            self.own = self.inherited.iter().chain(&self.own).cloned().collect();
            self.inherited = Inherited::default();
        }
        self.own.retain(|(known, _)| *known != name);
        self.own.push((name, value.into()));
    }

    /// The value of a variable.
    pub fn get(&self, key: &str) -> Option<&OsStr> {
        self.iter().find(|(found, _)| *found == key).map(|(_, value)| value)
    }

    /// All variables.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.inherited.iter().chain(&self.own).map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

/// These variables; of several with one name, the last.
impl From<Vec<(OsString, OsString)>> for Environment {
    fn from(variables: Vec<(OsString, OsString)>) -> Self {
        Self::from_iter(variables)
    }
}

/// These variables; of several with one name, the last.
impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        let mut environment = Self::default();
        variables.into_iter().for_each(|(name, value)| environment.set(name, value));
        environment
    }
}

/// Equal variables in the same order, whoever shares them.
impl PartialEq for Environment {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Environment {}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Variables for every plugin, each once, and none that a call sets. Made once, for many calls.
#[derive(Clone, Debug)]
pub(crate) struct Inherited(Arc<[(OsString, OsString)]>);

impl Inherited {
    pub(crate) fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut variables: Vec<_> = variables.into_iter().filter(is_variable).collect();
        let mut set: BTreeSet<&OsStr> = Parameters::NAMES.map(OsStr::new).into();
        let mut is_first = variables.iter().map(|(key, _)| set.insert(key)).collect::<Vec<_>>().into_iter();
        variables.retain(|_| is_first.next().unwrap_or_default());
        Self(variables.into())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(OsString, OsString)> {
        self.0.iter()
    }
}

/// Returns true if a process can have a variable of this name and value: anything else would be another one.
pub(crate) fn is_variable((name, value): &(OsString, OsString)) -> bool {
    let (name, value) = (name.as_encoded_bytes(), value.as_encoded_bytes());
    !name.is_empty() && !name.contains(&b'=') && !name.contains(&0) && !value.contains(&0)
}

impl Default for Inherited {
    fn default() -> Self {
        Self(Arc::new([]))
    }
}
