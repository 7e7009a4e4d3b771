//! Namespaces by the names that people give, and the container ID that tools derive from such a name.

use std::io;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha512};

use crate::spec::ContainerId;

/// The directory of the names of `ip netns`.
pub const NAMED: &str = "/var/run/netns";

/// A namespace argument that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidNamespace {
    /// It is relative, and there is no working directory.
    #[error("cannot make the namespace path `{}` absolute: {source}", path.display())]
    #[non_exhaustive]
    NoWorkingDirectory {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is empty.
    #[error("the namespace is empty")]
    Empty,
    /// It is not UTF-8, and plugins get text.
    #[error("namespace path `{}` is not UTF-8", .0.display())]
    NotUtf8(PathBuf),
}

/// Returns the absolute path of a namespace, cleaned of `.`, `..` and repeated slashes by name alone, as in Go, so that
/// two tools use the same name for the same attachment. A bare name that is not a file here is a name of `ip netns`.
///
/// ```
/// assert_eq!(libcni::netns::resolve("/run//netns/./blue")?, std::path::Path::new("/run/netns/blue"));
/// # Ok::<(), libcni::netns::InvalidNamespace>(())
/// ```
///
/// # Errors
/// See [`InvalidNamespace`].
pub fn resolve(argument: impl AsRef<Path>) -> Result<PathBuf, InvalidNamespace> {
    let argument = argument.as_ref();
    if argument.as_os_str().is_empty() {
        return Err(InvalidNamespace::Empty);
    }
    let is_name =
        matches!(argument.components().collect::<Vec<_>>()[..], [Component::Normal(name)] if name == argument);
    let path = if is_name && !argument.exists() { Path::new(NAMED).join(argument) } else { argument.to_owned() };
    let absolute =
        std::path::absolute(&path).map_err(|source| InvalidNamespace::NoWorkingDirectory { path, source })?;
    let cleaned = clean(&absolute);
    if cleaned.to_str().is_some() { Ok(cleaned) } else { Err(InvalidNamespace::NotUtf8(cleaned)) }
}

fn clean(absolute: &Path) -> PathBuf {
    let mut cleaned = PathBuf::from("/");
    for component in absolute.components() {
        match component {
            Component::Normal(name) => cleaned.push(name),
            Component::ParentDir => {
                cleaned.pop();
            }
            _ => {}
        }
    }
    cleaned
}

/// Returns the ID that the Go cnitool, and ours, give to the container of a namespace.
pub fn container_id(netns: impl AsRef<Path>) -> ContainerId {
    let hash = Sha512::digest(netns.as_ref().as_os_str().as_encoded_bytes());
    let hex: String = hash.iter().take(10).map(|byte| format!("{byte:02x}")).collect();
    ContainerId::new(format!("cnitool-{hex}")).expect("letters, digits and a dash")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_by_name() {
        assert_eq!(resolve("/run//netns/./x/../blue/").unwrap(), Path::new("/run/netns/blue"));
        assert_eq!(resolve("/../..").unwrap(), Path::new("/"));
    }

    #[test]
    fn a_bare_name_is_one_of_ip_netns() {
        assert_eq!(resolve("no-such-file").unwrap(), Path::new("/var/run/netns/no-such-file"));
        assert_eq!(resolve("/blue").unwrap(), Path::new("/blue"));
    }

    #[test]
    fn the_container_id_is_that_of_go() {
        assert_eq!(container_id("/run/netns/blue").as_str(), "cnitool-df26705e2e4ffd095eb1");
    }
}
