//! The namespace of this process: for plugins and runtimes, that of the host.

use std::path::Path;

use super::found::Found;

/// Returns whether a path is the network namespace that the calling thread is in. A path that can't be read is not.
pub fn is_own(path: &Path) -> bool {
    Found::at(path).is_ok_and(|found| found.is_some_and(|found| found.is_own()))
}
