//! Files in the tool's words.

use std::path::Path;

use libcni::conf::NetworkConfig;

/// A path, or nothing.
pub(crate) fn path(path: Option<&Path>) -> String {
    path.map(|path| path.display().to_string()).unwrap_or_default()
}

/// The file of a network.
pub(crate) fn file(network: &NetworkConfig) -> String {
    path(network.path())
}
