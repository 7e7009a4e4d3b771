//! The files in the plugin directories.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::FindError;
use crate::directory::entries;
use crate::spec::nearest;

/// A regular file of a plugin directory. It may not be a plugin: only its answer to VERSION shows that.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Installed {
    /// The file name, which is the plugin's `type`.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Its use when a plugin of this name is run.
    pub standing: Standing,
}

/// The files of plugin directories.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct InstalledFiles {
    /// The files.
    pub files: Vec<Installed>,
    /// The directories that could not be read.
    pub unreadable: Vec<UnreadableDir>,
}

/// A plugin directory that could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct UnreadableDir {
    /// The directory.
    pub dir: PathBuf,
    /// Why.
    pub error: io::Error,
}

/// The use of a file in a plugin directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// It is run.
    Found,
    /// It is found, but nobody may execute it: the search does not continue to a later directory.
    NotExecutable,
    /// An earlier directory has a file of this name, which is found instead.
    #[non_exhaustive]
    Shadowed {
        /// That file.
        by: PathBuf,
    },
}

/// The regular files of the plugin directories, symbolic links followed, in the order in which [`find`](super::find)
/// looks: by directory, then by name. A directory that does not exist, and the same directory again, have none.
///
/// ```
/// for plugin in libcni::invoke::installed(&["/opt/cni/bin".into()]).files {
///     println!("{} {:?}", plugin.path.display(), plugin.standing);
/// }
/// ```
pub fn installed(dirs: &[PathBuf]) -> InstalledFiles {
    let mut all: Vec<Installed> = Vec::new();
    let mut unreadable = Vec::new();
    let mut seen = Vec::new();
    for dir in dirs.iter().filter(|dir| !dir.as_os_str().is_empty()) {
        // Two names of one directory (/lib is /usr/lib on many hosts) don't make its files shadow themselves.
        let own = fs::canonicalize(dir).unwrap_or_else(|_| dir.clone());
        if seen.contains(&own) {
            continue;
        }
        seen.push(own);
        match names(dir) {
            Ok(names) => {
                let files: Vec<_> = names.into_iter().filter_map(|name| judged(dir, name, &all)).collect();
                all.extend(files);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => unreadable.push(UnreadableDir { dir: dir.clone(), error }),
        }
    }
    InstalledFiles { files: all, unreadable }
}

/// The names in a directory, sorted. A name that is not UTF-8 can't be a `type`.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    names.extend(entries(dir)?.iter().filter_map(|entry| entry.name().to_str().map(str::to_owned)));
    names.sort_unstable();
    Ok(names)
}

fn judged(dir: &Path, name: String, earlier: &[Installed]) -> Option<Installed> {
    let path = dir.join(&name);
    let metadata = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
    let standing = match earlier.iter().find(|other| other.name == name) {
        Some(other) => Standing::Shadowed { by: other.path.clone() },
        None if metadata.permissions().mode() & 0o111 == 0 => Standing::NotExecutable,
        None => Standing::Found,
    };
    Some(Installed { name, path, standing })
}

impl FindError {
    /// Returns a question such as "did you mean `bridge`?", if a file of the directories has nearly the requested name.
    pub fn suggestion(&self) -> Option<String> {
        let Self::NotFound { plugin, dirs } = self else { return None };
        let found = installed(dirs).files;
        let meant = nearest(plugin, found.iter().map(|file| file.name.as_str()))?;
        Some(format!("did you mean `{meant}`?"))
    }
}

/// Returns whether a directory has the system's own programs, which may do anything when run.
pub(crate) fn is_of_system(dir: &Path) -> bool {
    let dir = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    let system = ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
    system.iter().any(|name| dir == Path::new(name))
}
