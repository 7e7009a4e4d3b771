//! The files of the host that a plugin needs: its own, and where their symbolic links lead.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Files to show to a plugin, by paths without symbolic links.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sources {
    pub(super) dirs: BTreeSet<PathBuf>,
    /// Single files outside of those.
    pub(super) files: BTreeSet<PathBuf>,
    /// Symbolic links on the way to any of them: their paths, and where they lead.
    pub(super) links: BTreeSet<(PathBuf, PathBuf)>,
}

/// How many symbolic links the kernel follows.
const LONGEST: usize = 40;

impl Sources {
    /// Finds what directories, and the symbolic links in them, lead to.
    pub(super) fn of(dirs: &[PathBuf]) -> Self {
        let mut sources = Self::default();
        for dir in dirs {
            if let Ok(real) = fs::canonicalize(dir) {
                sources.alias(dir, &real);
                sources.dirs.insert(real);
            }
        }
        for dir in sources.dirs.clone() {
            let entries = fs::read_dir(&dir).into_iter().flatten().flatten();
            let links = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
            links.for_each(|link| sources.follow(link.path()));
        }
        sources
    }

    /// Follows a symbolic link, and those that it leads to.
    fn follow(&mut self, mut link: PathBuf) {
        for _ in 0..LONGEST {
            let Some(target) = target(&link) else { return };
            let Some((parent, name)) = target.parent().zip(target.file_name()) else { return };
            let Ok(real) = fs::canonicalize(parent) else { return };
            self.alias(parent, &real);
            let path = real.join(name);
            let Ok(meta) = fs::symlink_metadata(&path) else { return };
            // Those of a directory that is shown are followed on their own.
            if self.dirs.contains(&real) {
                return;
            }
            if !meta.is_symlink() {
                let known = if meta.is_dir() { &mut self.dirs } else { &mut self.files };
                known.insert(path);
                return;
            }
            if let Ok(text) = fs::read_link(&path) {
                self.links.insert((path.clone(), text));
            }
            link = path;
        }
    }

    /// A directory has another path as well.
    fn alias(&mut self, path: &Path, real: &Path) {
        let path = lexically(path);
        if path != real {
            self.links.insert((path, real.to_owned()));
        }
    }
}

fn target(link: &Path) -> Option<PathBuf> {
    Some(link.parent()?.join(fs::read_link(link).ok()?))
}

/// A path without `.` and `..`, as if no component were a symbolic link.
fn lexically(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            std::path::Component::ParentDir => drop(plain.pop()),
            std::path::Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_to_files_that_are_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        let path = |name: &str| root.join(name);
        for name in ["plugins", "built", "other"] {
            fs::create_dir(path(name)).unwrap();
        }
        fs::write(path("built/program"), "").unwrap();
        symlink("../other/hop", path("plugins/one")).unwrap();
        symlink(path("built/program"), path("other/hop")).unwrap();
        symlink("one", path("plugins/two")).unwrap();
        symlink("plugins", path("named")).unwrap();
        let sources = Sources::of(&[path("named")]);
        assert_eq!(sources.dirs, [path("plugins")].into());
        assert_eq!(sources.files, [path("built/program")].into());
        let links = [(path("named"), path("plugins")), (path("other/hop"), path("built/program"))];
        assert_eq!(sources.links, links.into());
    }
}
