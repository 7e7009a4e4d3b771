//! The namespace of this process: for plugins and runtimes, that of the host.

use std::ffi::OsStr;
use std::path::Path;

use super::found::Found;

/// The variable that allows plugins to work on the namespace that they are in.
pub(crate) const CNI_NETNS_OVERRIDE: &str = "CNI_NETNS_OVERRIDE";

/// Returns whether a path is the network namespace that the calling thread is in. A path that can't be read is not.
pub fn is_own(path: &Path) -> bool {
    Found::at(path).is_ok_and(|found| found.is_some_and(|found| found.is_own()))
}

/// Returns whether a value of [`CNI_NETNS_OVERRIDE`] allows it.
pub(crate) fn override_allows(value: &OsStr) -> bool {
    value == "1" || value.eq_ignore_ascii_case("true")
}
