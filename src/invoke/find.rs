//! A plugin by name in the plugin directories.

use std::path::{Path, PathBuf};

/// The directories in which runtimes look for plugins by default.
pub const DEFAULT_PLUGIN_DIRS: [&str; 3] = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"];

/// A plugin can't be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// The name is empty.
    #[error("no plugin name given")]
    NoName,
    /// The name is not that of a file: it contains a path separator or NUL.
    #[error("invalid plugin name `{}`: it must be a bare file name", plugin.escape_debug())]
    #[non_exhaustive]
    BadName {
        /// The name.
        plugin: String,
    },
    /// There is no directory to search.
    #[error("no plugin directories given to find `{plugin}` in")]
    #[non_exhaustive]
    NoDirs {
        /// The name.
        plugin: String,
    },
    /// The directory can't be passed to the plugin: `CNI_PATH` separates directories by `:`.
    #[error("plugin directory `{}` can't be used: `CNI_PATH` can't name a directory with a `:`", dir.display())]
    #[non_exhaustive]
    BadDir {
        /// The name.
        plugin: String,
        /// The directory.
        dir: PathBuf,
    },
    /// The file that was found may not be executed.
    #[error("plugin `{plugin}` can't be run: {} may not be executed", file.display())]
    #[non_exhaustive]
    NotExecutable {
        /// The name.
        plugin: String,
        /// The file.
        file: PathBuf,
    },
    /// No directory has a regular file of that name.
    #[error("plugin `{plugin}` not found in {}", list(dirs))]
    #[non_exhaustive]
    NotFound {
        /// The name.
        plugin: String,
        /// The directories that were searched.
        dirs: Vec<PathBuf>,
    },
}

/// For an [`Exec`](super::Exec) that looks elsewhere than [`find`] does.
impl FindError {
    /// No directory has a plugin of that name.
    pub fn not_found(plugin: impl Into<String>, dirs: impl Into<Vec<PathBuf>>) -> Self {
        Self::NotFound { plugin: plugin.into(), dirs: dirs.into() }
    }

    /// The file of a plugin may not be executed.
    pub fn not_executable(plugin: impl Into<String>, file: impl Into<PathBuf>) -> Self {
        Self::NotExecutable { plugin: plugin.into(), file: file.into() }
    }
}

impl FindError {
    /// The name that was looked for, if there was one.
    pub fn plugin(&self) -> Option<&str> {
        match self {
            Self::NoName => None,
            Self::BadName { plugin }
            | Self::NoDirs { plugin }
            | Self::BadDir { plugin, .. }
            | Self::NotExecutable { plugin, .. }
            | Self::NotFound { plugin, .. } => Some(plugin),
        }
    }
}

fn list(dirs: &[PathBuf]) -> String {
    let dirs: Vec<_> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    dirs.join(":")
}

/// Finds a plugin: the first directory that has a regular file of that name, symbolic links followed.
///
/// Empty directory names are skipped. (In Go they mean the working directory, and then the program of that name in
/// `$PATH` is run.)
///
/// ```
/// use libcni::invoke::{FindError, find};
///
/// assert_eq!(find("sh", &["/no/such/directory".into(), "/bin".into()])?, std::path::Path::new("/bin/sh"));
/// assert!(matches!(find("../sh", &["/bin".into()]), Err(FindError::BadName { .. })));
/// # Ok::<(), FindError>(())
/// ```
///
/// # Errors
/// See [`FindError`].
#[doc(alias = "FindInPath")]
pub fn find(plugin: &str, dirs: &[PathBuf]) -> Result<PathBuf, FindError> {
    let name = || plugin.to_owned();
    if plugin.is_empty() {
        return Err(FindError::NoName);
    }
    if plugin.contains(['/', '\0']) {
        return Err(FindError::BadName { plugin: name() });
    }
    if dirs.is_empty() {
        return Err(FindError::NoDirs { plugin: name() });
    }
    if let Some(dir) = dirs.iter().find(|dir| has_separator(dir)) {
        return Err(FindError::BadDir { plugin: name(), dir: dir.clone() });
    }
    dirs.iter()
        .filter(|dir| !dir.as_os_str().is_empty())
        .map(|dir| absolute(dir).join(plugin))
        .find(|path| path.is_file())
        .ok_or_else(|| FindError::NotFound { plugin: name(), dirs: dirs.to_vec() })
}

/// Returns whether the system says of a file that this process may not execute it.
#[cfg(target_os = "linux")]
pub(crate) fn is_locked(file: &Path) -> bool {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    use rustix::io::Errno;

    accessat(CWD, file, Access::EXEC_OK, AtFlags::EACCESS) == Err(Errno::ACCESS)
}

/// Returns true if the name of a directory has what separates directories in CNI_PATH.
pub(crate) fn has_separator(dir: &Path) -> bool {
    dir.as_os_str().as_encoded_bytes().contains(&b':')
}

/// A relative directory counts from the working directory; where there is none, it stays as it is.
fn absolute(dir: &Path) -> PathBuf {
    if dir.is_absolute() {
        return dir.to_owned();
    }
    std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned())
}
