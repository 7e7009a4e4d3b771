//! Oddities of a file that configures a network, although it can be used.

use std::fmt;
use std::path::Path;

use super::NetworkConfig;
use crate::spec::Object;

/// A peculiarity of a configuration: it can be used, but does something else than its author may think.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark {
    /// A key of the list that no runtime reads, since its letters are in another case.
    #[non_exhaustive]
    MisspeltKey {
        /// The key as it is written.
        written: String,
        /// The key that every reader looks for.
        meant: &'static str,
    },
    /// A list in a file whose name says that it has a single plugin. This crate reads it as a list.
    ListInSingleFile,
    /// A single plugin with a key `plugins`, which no runtime reads.
    PluginsBesideType,
    /// A list with a key `type`, which no runtime reads.
    TypeBesidePlugins,
}

/// The keys of a list.
const KEYS: [&str; 7] =
    ["cniVersion", "cniVersions", "name", "disableCheck", "disableGC", "loadOnlyInlinedPlugins", "plugins"];

impl NetworkConfig {
    /// Returns the oddities of the configuration.
    ///
    /// ```
    /// use libcni::conf::{NetworkConfig, Remark};
    ///
    /// let network = NetworkConfig::parse(r#"{"name": "net", "disablecheck": true, "plugins": [{"type": "bridge"}]}"#)?;
    /// assert_eq!(network.remarks()[0].to_string(), "`disablecheck` is ignored: write `disableCheck`");
    /// # Ok::<(), libcni::conf::ConfError>(())
    /// ```
    pub fn remarks(&self) -> Vec<Remark> {
        if self.is_single {
            let plugin = self.plugins().first();
            let has_plugins = plugin.is_some_and(|plugin| plugin.object().get("plugins").is_some());
            return has_plugins.then_some(Remark::PluginsBesideType).into_iter().collect();
        }
        let list = Object::parse(self.text()).unwrap_or_default();
        let file = self.path().and_then(Path::extension);
        let of_file = file.is_some_and(|kind| kind != "conflist").then_some(Remark::ListInSingleFile);
        let of_type = list.get("type").is_some().then_some(Remark::TypeBesidePlugins);
        list.iter().filter_map(|(key, _)| misspelt(key)).chain(of_file).chain(of_type).collect()
    }
}

fn misspelt(key: &str) -> Option<Remark> {
    let meant = KEYS.into_iter().find(|known| known.eq_ignore_ascii_case(key) && *known != key)?;
    Some(Remark::MisspeltKey { written: key.to_owned(), meant })
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MisspeltKey { written, meant } => write!(f, "`{written}` is ignored: write `{meant}`"),
            Self::ListInSingleFile => {
                f.write_str("runtimes in Go refuse the file: it holds a list, and must be named `.conflist`")
            }
            Self::PluginsBesideType => {
                f.write_str("`plugins` is ignored: beside `type`, the file is the configuration of that one plugin")
            }
            Self::TypeBesidePlugins => f.write_str("`type` is ignored: the file is a list, whose plugins have types"),
        }
    }
}
