//! The plugins that are installed, and which versions each supports.

use std::path::{Path, PathBuf};

use super::Cni;
use crate::error::Error;
use crate::invoke::{Installed, InstalledFiles, Standing, UnreadableDir, installed, is_of_system};
use crate::spec::Object;
use crate::waiting::block_on;

/// The plugins of a runtime's directories.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct InstalledPlugins {
    /// Every regular file, in the order in which it would be found.
    pub plugins: Vec<InstalledPlugin>,
    /// The directories that were skipped, since they have the system's own programs, which may do anything when run.
    pub of_system: Vec<PathBuf>,
    /// The directories that can't be read, and why.
    pub unreadable: Vec<UnreadableDir>,
}

/// A file of a plugin directory, and what it answered to VERSION.
#[derive(Debug)]
#[non_exhaustive]
pub struct InstalledPlugin {
    /// The file.
    pub installed: Installed,
    /// The versions that it supports; empty if it was not asked, or is not a plugin.
    pub supported_versions: Vec<String>,
    /// The reason why it can't be run as a plugin.
    pub error: Option<String>,
}

impl Cni {
    /// Asks every executable of the plugin directories which versions it supports. It skips directories of the system's
    /// own programs: asking `reboot` would be a bad idea.
    ///
    /// ```no_run
    /// for plugin in libcni::Cni::new().installed_plugins()?.plugins {
    ///     println!("{}: {}", plugin.installed.name, plugin.supported_versions.join(", "));
    /// }
    /// # Ok::<(), libcni::Error>(())
    /// ```
    ///
    /// # Errors
    /// The call was cancelled. Faults of a file or a directory are in the value.
    pub fn installed_plugins(&self) -> Result<InstalledPlugins, Error> {
        block_on(self.installed_plugins_async())
    }

    pub(super) async fn installed_plugins_async(&self) -> Result<InstalledPlugins, Error> {
        let (of_system, dirs): (Vec<_>, Vec<_>) = self.plugin_dirs.iter().cloned().partition(|dir| is_of_system(dir));
        let InstalledFiles { files, unreadable } = installed(&dirs);
        let mut plugins = Vec::with_capacity(files.len());
        for file in files {
            plugins.push(self.ask(file).await?);
        }
        Ok(InstalledPlugins { plugins, of_system, unreadable })
    }

    async fn ask(&self, installed: Installed) -> Result<InstalledPlugin, Error> {
        let (supported_versions, error) = match installed.standing {
            Standing::Shadowed { .. } => (Vec::new(), None),
            Standing::NotExecutable => (Vec::new(), Some("not executable".to_owned())),
            Standing::Found => match self.plugin_version_async(&installed.name).await {
                Ok(reply) => (reply.supported_versions, None),
                Err(error) if error.is_cancelled() => return Err(error),
                Err(error) => (Vec::new(), Some(format!("no plugin: {}", error.reason()))),
            },
        };
        Ok(InstalledPlugin { installed, supported_versions, error })
    }
}

impl InstalledPlugin {
    /// Returns the file that is run instead, where an earlier directory has one of this name.
    pub fn shadowed_by(&self) -> Option<&Path> {
        match &self.installed.standing {
            Standing::Shadowed { by } => Some(by),
            _ => None,
        }
    }

    /// Returns whether it is the plugin of its name, and can be run.
    pub fn is_usable(&self) -> bool {
        self.error.is_none() && self.shadowed_by().is_none()
    }

    /// Describes it: `name`, `file`, `supportedVersions`, and where they apply `shadowedBy` and `error`.
    pub fn to_object(&self) -> Object {
        let mut object = Object::new();
        object.set("name", &self.installed.name);
        object.set("file", &self.installed.path.to_string_lossy());
        object.set("supportedVersions", &self.supported_versions);
        object.set_some("shadowedBy", &self.shadowed_by().map(Path::to_string_lossy));
        object.set_some("error", &self.error);
        object
    }
}
