//! A network namespace that lives as long as this program wants.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

/// Where `ip netns` keeps its names.
pub(super) const NAMED: &str = "/var/run/netns";

/// A namespace that was made for one command. It has a name of `ip netns`, and goes when this is dropped.
pub(super) struct Namespace {
    path: PathBuf,
}

/// A namespace could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} a network namespace at {}: {source}", path.display())]
pub(super) struct NotMade {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Namespace {
    /// Makes a namespace as the kernel makes it: with its loopback interface down.
    pub(super) fn create() -> Result<Self, NotMade> {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().subsec_nanos();
        let path = Path::new(NAMED).join(format!("conformance-{}-{now:x}", std::process::id()));
        let at = path.clone();
        let error = |doing| {
            let path = at.clone();
            move |source: io::Error| NotMade { doing, path, source }
        };
        fs::create_dir_all(NAMED).and_then(|()| File::create_new(&path)).map_err(error("name"))?;
        let namespace = Self { path: path.clone() };
        let made = std::thread::scope(|scope| scope.spawn(|| make(&path)).join());
        made.unwrap_or_else(|panic| std::panic::resume_unwind(panic)).map_err(error("make"))?;
        Ok(namespace)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Moves the calling thread to a new namespace, and pins that to a path. The thread is of no use afterwards.
fn make(path: &Path) -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    Ok(mount(Some("/proc/thread-self/ns/net"), path, None::<&str>, MsFlags::MS_BIND, None::<&str>)?)
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Processes that are still in it keep it alive; without a name, nobody else finds it.
        let _ = umount2(&self.path, MntFlags::MNT_DETACH);
        let _ = fs::remove_file(&self.path);
    }
}
