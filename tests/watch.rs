//! Configuration and plugin directories, followed as they change.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libcni::conf::{ConfDir, ConfError};
use libcni::watch::{Pace, Snapshot, Watcher};
use tempfile::TempDir;

mod content;
mod directories;
mod links;
mod pace;
mod plugins;
mod receive;

/// Longer than any snapshot takes, and shorter than the time after which a watcher looks without a reason.
const LONG: Duration = Duration::from_secs(20);
/// How long to see whether something comes that must not.
const SHORT: Duration = Duration::from_millis(150);

/// A directory with everything in it, and a watcher of `net.d` and `bin`, which nothing has made yet.
struct Watched {
    dir: TempDir,
    watcher: Watcher,
}

impl Watched {
    fn new() -> Self {
        Self::at(quick())
    }

    fn at(pace: Pace) -> Self {
        Self::in_dir(tempfile::tempdir().unwrap(), "net.d", pace)
    }

    /// Watches a directory somewhere below.
    fn below(net_d: &str) -> Self {
        Self::in_dir(tempfile::tempdir().unwrap(), net_d, quick())
    }

    /// With its directories, and a network `one` in a file of the same name.
    fn with_one() -> Self {
        let mut watched = Self::new();
        watched.mkdir("net.d").mkdir("bin").network("net.d/one.conflist", "one");
        watched
    }

    fn in_dir(dir: TempDir, net_d: &str, pace: Pace) -> Self {
        let watcher = Watcher::new(&ConfDir::new(dir.path().join(net_d)), [dir.path().join("bin")]);
        Self { watcher: watcher.unwrap().pace(pace), dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn mkdir(&mut self, name: &str) -> &mut Self {
        fs::create_dir_all(self.path(name)).unwrap();
        self
    }

    fn write(&mut self, name: &str, content: &str) -> &mut Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    /// Writes a file that configures a network with the plugin `plug`.
    fn network(&mut self, file: &str, name: &str) -> &mut Self {
        self.write(file, &list(name))
    }

    fn rename(&mut self, from: &str, to: &str) -> &mut Self {
        fs::rename(self.path(from), self.path(to)).unwrap();
        self
    }

    fn link(&mut self, target: impl AsRef<Path>, link: &str) -> &mut Self {
        symlink(target, self.path(link)).unwrap();
        self
    }

    /// Makes a link point elsewhere, as those do who want no moment without it.
    fn relink(&mut self, target: impl AsRef<Path>, link: &str) -> &mut Self {
        let new = format!("{link}_new");
        self.link(target, &new).rename(&new, link)
    }

    fn remove(&mut self, name: &str) -> &mut Self {
        let path = self.path(name);
        let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        removed.unwrap();
        self
    }

    /// The next snapshot.
    #[track_caller]
    fn next(&mut self) -> Arc<Snapshot> {
        self.watcher.recv_timeout(LONG).unwrap().expect("no snapshot")
    }

    /// Waits until a snapshot has these networks and no other.
    #[track_caller]
    fn until<const N: usize>(&mut self, networks: [&str; N]) -> Arc<Snapshot> {
        self.until_it(&format!("has the networks {networks:?}"), |snapshot| names(snapshot) == networks)
    }

    /// Waits until a snapshot is as wanted: a change in several steps may be delivered in as many.
    #[track_caller]
    fn until_it(&mut self, what: &str, holds: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let began = Instant::now();
        let mut last = None;
        while began.elapsed() < LONG {
            match self.watcher.recv_timeout(LONG).unwrap() {
                Some(snapshot) if holds(&snapshot) => return snapshot,
                None => break,
                other => last = other,
            }
        }
        panic!("no snapshot that {what}; the last one: {last:#?}");
    }

    /// Lets the watcher do what it has to do, which must not deliver anything.
    #[track_caller]
    fn nothing_new(&mut self) {
        let snapshot = self.watcher.recv_timeout(SHORT).unwrap();
        assert!(snapshot.is_none(), "{snapshot:#?}");
    }
}

/// A pace for tests that only want to know what comes, and whether.
fn quick() -> Pace {
    Pace::default().quiet(Duration::from_millis(10))
}

/// The text of a list of one plugin.
fn list(name: &str) -> String {
    format!(r#"{{"cniVersion": "1.0.0", "name": "{name}", "plugins": [{{"type": "plug"}}]}}"#)
}

fn names(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.networks().iter().map(|network| network.name()).collect()
}

/// The names of the broken files.
fn broken(snapshot: &Snapshot) -> Vec<String> {
    let file = |error: &ConfError| error.file().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    snapshot.listing().map_or_else(|_| Vec::new(), |listing| listing.broken.iter().map(file).collect())
}
