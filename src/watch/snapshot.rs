//! The configuration at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::follow::{follow_conf_dir, follow_plugin};
use super::inotify::Watches;
use crate::Chain;
use crate::conf::{ConfDir, Listing, LoadError, NetworkConfig};
use crate::invoke::{FindError, find};

/// The networks of a directory and whether their plugins are there, at one moment. It never changes.
#[derive(Debug)]
pub struct Snapshot {
    listing: Result<Listing, LoadError>,
    plugins: BTreeMap<String, Result<PathBuf, FindError>>,
}

impl Snapshot {
    /// Looks at everything, and watches it.
    pub(super) fn take(conf_dir: &ConfDir, plugin_dirs: &[PathBuf], watches: &mut Watches) -> Self {
        watches.begin();
        conf_dir.dirs().iter().for_each(|dir| follow_conf_dir(watches, dir));
        let listing = conf_dir.list();
        let networks = listing.as_ref().map_or(&[][..], |listing| &listing.networks);
        let mut plugins = BTreeMap::new();
        for plugin in networks.iter().flat_map(plugin_names) {
            if !plugins.contains_key(plugin) {
                plugin_dirs.iter().for_each(|dir| follow_plugin(watches, dir, plugin));
                plugins.insert(plugin.to_owned(), find(plugin, plugin_dirs));
            }
        }
        watches.end();
        Self { listing, plugins }
    }

    /// The networks that can be used by name; empty if there is no directory.
    pub fn networks(&self) -> &[NetworkConfig] {
        self.listing().map_or(&[], |listing| &listing.networks)
    }

    /// The network of this name.
    pub fn network(&self, name: &str) -> Option<&NetworkConfig> {
        self.networks().iter().find(|network| network.name() == name)
    }

    /// The network of containers that ask for none by name: see
    /// [`ConfDir::default_network`](crate::conf::ConfDir::default_network). It need not be the first of
    /// [`networks`](Self::networks).
    pub fn default_network(&self) -> Option<&NetworkConfig> {
        self.listing().ok()?.default_network()
    }

    /// All that the directory configures, broken and shadowed files included.
    ///
    /// # Errors
    /// It has no configuration file, does not exist, or can't be read.
    pub fn listing(&self) -> Result<&Listing, &LoadError> {
        self.listing.as_ref()
    }

    /// The path of a plugin that a network of the snapshot names, itself or for IPAM; `None` for any other plugin.
    pub fn plugin(&self, name: &str) -> Option<Result<&Path, &FindError>> {
        Some(self.plugins.get(name)?.as_deref())
    }

    /// The plugins of a network that are not installed. While one is missing, ADD fails.
    ///
    /// Those for IPAM don't count, since some plugins have theirs built in.
    pub fn missing_plugins(&self, network: &NetworkConfig) -> Vec<&FindError> {
        let types: BTreeSet<_> = network.plugins().iter().map(|plugin| plugin.plugin_type()).collect();
        types.into_iter().filter_map(|name| self.plugin(name)?.err()).collect()
    }

    /// Returns true if another snapshot says the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same_listing = match (&self.listing, &other.listing) {
            (Ok(a), Ok(b)) => {
                are_same(&a.networks, &b.networks)
                    && are_same(&a.shadowed, &b.shadowed)
                    && self.broken().eq(other.broken())
            }
            (Err(a), Err(b)) => Chain(a).to_string() == Chain(b).to_string(),
            _ => false,
        };
        same_listing && self.plugins == other.plugins
    }

    /// Returns true if a file is broken, or broken in another way, that was not so before.
    pub(super) fn is_worse_than(&self, before: &Self) -> bool {
        self.broken().any(|file| before.broken().all(|known| known != file))
    }

    fn broken(&self) -> impl Iterator<Item = String> {
        let broken = self.listing.iter().flat_map(|listing| &listing.broken);
        broken.map(|error| Chain(error).to_string())
    }
}

/// The plugins that a network runs, those for IPAM included.
fn plugin_names(network: &NetworkConfig) -> impl Iterator<Item = &str> {
    let names = network.plugins().iter().flat_map(|plugin| [Some(plugin.plugin_type()), plugin.ipam_type()]).flatten();
    names.filter(|name| !name.is_empty())
}

fn are_same(some: &[NetworkConfig], others: &[NetworkConfig]) -> bool {
    let is_same = |(a, b): (&NetworkConfig, &NetworkConfig)| {
        a.path() == b.path() && a.text() == b.text() && a.plugins() == b.plugins()
    };
    some.len() == others.len() && some.iter().zip(others).all(is_same)
}
