//! Values that can't be passed to plugins.

use std::ffi::OsString;
use std::path::PathBuf;

/// A setting that can't be passed to a plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSetting {
    /// A plugin directory has a `:` in its name, which separates directories in CNI_PATH.
    #[error("plugin directory {} can't be used: CNI_PATH separates directories with `:`", .dir.display())]
    #[non_exhaustive]
    PluginDir {
        /// The directory.
        dir: PathBuf,
    },
    /// No process can have an environment variable of this name and value: the name is empty or has `=` or NUL in it,
    /// or the value has NUL.
    #[error("environment variable {name:?} can't be set: its name is empty or has `=` in it, or there is a NUL byte")]
    #[non_exhaustive]
    Variable {
        /// The name.
        name: OsString,
    },
}
