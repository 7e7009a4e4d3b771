//! All networks that directories configure.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{ConfError, NetworkConfig};

/// The networks that one directory or several configure.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Listing {
    /// The networks that can be loaded by name. Those of an earlier directory come first, and of one directory those of
    /// `*.conflist` files.
    pub networks: Vec<NetworkConfig>,
    /// Files whose network has the name of a network in an earlier file, so that no lookup by name finds them.
    pub shadowed: Vec<NetworkConfig>,
    /// Files that are not configurations.
    pub broken: Vec<ConfError>,
    pub(super) dirs: Vec<PathBuf>,
    pub(super) default: Option<PathBuf>,
}

impl Listing {
    /// A listing of one network.
    pub fn of(network: NetworkConfig) -> Self {
        Self { networks: vec![network], ..Self::default() }
    }

    /// Returns the default network: see [`ConfDir::default_network`](super::ConfDir::default_network). `None` when no
    /// file can be used, and with [`OnBroken::Stop`](super::OnBroken::Stop) when a broken file comes first.
    ///
    /// ```
    /// use libcni::conf::ConfDir;
    ///
    /// let dir = tempfile::tempdir()?;
    /// std::fs::write(dir.path().join("10-one.conf"), r#"{"name": "one", "type": "bridge"}"#)?;
    /// std::fs::write(dir.path().join("20-two.conflist"), r#"{"name": "two", "plugins": [{"type": "bridge"}]}"#)?;
    ///
    /// let listing = ConfDir::new(dir.path()).list()?;
    /// assert_eq!(listing.networks[0].name(), "two");
    /// assert_eq!(listing.default_network().map(|network| network.name()), Some("one"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn default_network(&self) -> Option<&NetworkConfig> {
        let default = self.default.as_deref()?;
        self.networks.iter().chain(&self.shadowed).find(|network| network.path() == Some(default))
    }

    /// Returns the network that is loaded by the name of this one, which may be shadowed by it.
    pub fn winner(&self, network: &NetworkConfig) -> Option<&NetworkConfig> {
        self.networks.iter().find(|other| other.name() == network.name())
    }

    /// Returns all networks, shadowed ones included, in the order in which containerd and CRI-O number them: by
    /// directory, and then by file name, with any extension.
    pub fn in_file_order(&self) -> Vec<&NetworkConfig> {
        let mut all: Vec<_> = self.networks.iter().chain(&self.shadowed).collect();
        all.sort_by_key(|network| self.place(network.path().unwrap_or(Path::new(""))));
        all
    }

    /// Where a file comes among all of them.
    fn place<'a>(&self, file: &'a Path) -> (usize, Option<&'a OsStr>) {
        let dir = self.dirs.iter().position(|dir| file.parent() == Some(dir)).unwrap_or(self.dirs.len());
        (dir, file.file_name())
    }
}
