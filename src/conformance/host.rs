//! A host for one check: a network, and empty directories for what plugins remember.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};

use super::network::add_pair_here;
use crate::Chain;
use crate::link::{Handle, LinkError, Request};
use crate::netns::{Kind, UnshareError, unshare};

/// Where plugins and what they run keep their state and their locks, and where daemons of the real host listen.
pub(super) const STATE: [&str; 3] = ["/run", "/var/run", "/var/lib"];

/// Where `ip netns` keeps its names.
pub(super) const NAMED: &str = "/var/run/netns";

/// An interface of every host, for plugins that need one to work on.
pub(super) const UPLINK: &str = "uplink";

/// A host could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotMade {
    #[error("cannot {doing}: {source}")]
    System { doing: String, source: io::Error },
    #[error("{}", Chain(.0))]
    Namespaces(#[from] UnshareError),
    #[error("cannot bring up `lo`: {}", Chain(.0))]
    Network(#[from] LinkError),
}

/// Runs something on a host of its own: in a thread, and with processes started by it, in which everything is new and
/// empty. The host ends with them.
///
/// Directories to keep stay visible even where the state of the real host is hidden.
pub(super) fn on_new_host<T: Send>(keep: &[PathBuf], work: impl FnOnce() -> T + Send) -> Result<T, NotMade> {
    std::thread::scope(|scope| {
        let host = scope.spawn(|| {
            make(keep)?;
            Ok(work())
        });
        host.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn make(keep: &[PathBuf]) -> Result<(), NotMade> {
    let failed = |doing: &str| {
        let doing = doing.to_owned();
        move |source: io::Error| NotMade::System { doing, source }
    };
    unshare(&[Kind::Network, Kind::Mount])?;
    let kept = keep.iter().filter(|dir| is_state(dir)).map(|dir| Ok((dir, File::open(dir)?)));
    let kept = kept.collect::<io::Result<Vec<_>>>().map_err(failed("open a plugin directory"))?;
    for dir in state_dirs() {
        mount_new("tmpfs", dir).map_err(failed(&format!("hide {}", dir.display())))?;
    }
    for (dir, file) in &kept {
        show_again(dir, file).map_err(failed(&format!("keep {} visible", dir.display())))?;
    }
    fs::create_dir_all("/var/lib/cni").map_err(failed("make /var/lib/cni"))?;
    // Only some plugins read it, and not every kernel lets everybody have one.
    let _ = mount_new("sysfs", Path::new("/sys"));
    let mut network = Handle::here()?;
    network.ask([Request::bring_up("lo")])?;
    // A kernel without these has few plugins that work.
    let _ = add_pair_here(&mut network, UPLINK, "uplink-peer");
    Ok(())
}

/// Directories of [`STATE`] that are ones, and not links to others.
pub(super) fn state_dirs() -> impl Iterator<Item = &'static Path> {
    let is_dir = |path: &&Path| fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
    STATE.iter().map(Path::new).filter(is_dir)
}

fn is_state(path: &Path) -> bool {
    STATE.iter().any(|dir| path.starts_with(dir))
}

fn mount_new(kind: &str, at: &Path) -> io::Result<()> {
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    Ok(mount(Some(kind), at, Some(kind), safe, None::<&str>)?)
}

/// Mounts a directory that was opened before it was hidden.
fn show_again(dir: &Path, opened: &File) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let hidden = format!("/proc/thread-self/fd/{}", opened.as_raw_fd());
    Ok(mount(Some(hidden.as_str()), dir, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)?)
}

/// The path of a file that leads to the host's own namespace.
pub(super) fn own_namespace() -> io::Result<PathBuf> {
    let path = Path::new(NAMED).join("own");
    fs::create_dir_all(NAMED)?;
    File::create(&path)?;
    mount(Some("/proc/thread-self/ns/net"), &path, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
    Ok(path)
}
