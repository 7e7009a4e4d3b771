//! All networks that directories configure.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{ConfError, NetworkConfig};
use crate::spec::Object;

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

    /// Describes the listing: `networks` (`name`, `cniVersion`, `plugins` by their types, `file`), those that are
    /// `shadowed` (the same, and `shadowedBy`, a file), and `broken` files ([`ConfError::to_object`]).
    pub fn to_object(&self) -> Object {
        let shadowed = |network: &NetworkConfig| {
            let mut object = describe(network);
            object.set("shadowedBy", &self.winner(network).map(file));
            object
        };
        let mut report = Object::new();
        report.set("networks", &self.networks.iter().map(describe).collect::<Vec<_>>());
        report.set("shadowed", &self.shadowed.iter().map(shadowed).collect::<Vec<_>>());
        report.set("broken", &self.broken.iter().map(ConfError::to_object).collect::<Vec<_>>());
        report
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

fn describe(network: &NetworkConfig) -> Object {
    let mut object = Object::new();
    object.set("name", network.name());
    object.set("cniVersion", network.effective_version());
    object.set("plugins", &network.plugin_types());
    object.set("file", &file(network));
    object
}

fn file(network: &NetworkConfig) -> String {
    network.path().map(|path| path.display().to_string()).unwrap_or_default()
}
