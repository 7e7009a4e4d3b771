//! A host for one check: a network, and empty directories for the records of plugins.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::Builder;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

use super::isolation::{Isolated, Lowered, PROCESSES, Reaper, mounts};
use super::network::add_pair_here;
use crate::Chain;
use crate::invoke::{Exec, ExecError, Limits, Output, ProcessExec, Request};
use crate::link::{Handle, LinkError, Request as Change};

/// Where plugins and what they run keep their state and their locks.
pub(super) const STATE: [&str; 2] = ["/run", "/var/lib"];

/// Where `ip netns` keeps its names.
pub(super) const NAMED: &str = "/var/run/netns";

/// An interface of every host, for plugins that need one to work on.
pub(super) const UPLINK: &str = "uplink";

/// The file of flanneld, which its plugin looks for.
const FLANNEL: &str = "/run/flannel/subnet.env";
const FLANNEL_SUBNET: &str =
    "FLANNEL_NETWORK=10.88.0.0/16\nFLANNEL_SUBNET=10.88.0.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n";

/// A host could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotMade {
    #[error("cannot {doing}: {source}")]
    System { doing: String, source: io::Error },
    #[error("cannot bring up `lo`: {}", Chain(.0))]
    Network(#[from] LinkError),
}

fn failed<E: Into<io::Error>>(doing: impl Into<String>) -> impl FnOnce(E) -> NotMade {
    let doing = doing.into();
    move |source| NotMade::System { doing, source: source.into() }
}

/// The parts of hosts.
pub(super) struct Hosts<'a> {
    pub(super) isolated: &'a Isolated,
    pub(super) reaper: &'a Reaper,
}

/// A host, to run plugins on.
pub(super) struct Host<'a> {
    /// The mounts as a plugin has them: without this process's /proc.
    mounts: File,
    reaper: &'a Reaper,
}

impl Hosts<'_> {
    /// Runs something on a host of its own, in a thread of it: everything is new and empty, and ends with the host.
    pub(super) fn on_new_one<T: Send>(&self, work: impl FnOnce(&Host<'_>) -> T + Send) -> Result<T, NotMade> {
        in_thread(|| {
            self.make()?;
            let mounts = in_thread(mounts_of_plugin).map_err(failed("make the mounts of a plugin"))?;
            Ok(work(&Host { mounts, reaper: self.reaper }))
        })
    }

    fn make(&self) -> Result<(), NotMade> {
        let new =
            CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS;
        unshare(new).map_err(failed("make a host"))?;
        for dir in ["/run", "/var", "/tmp", "/dev/shm"] {
            mounts::memory(dir).map_err(failed(format!("make {dir}")))?;
        }
        for dir in ["/var/cache", "/var/lib/cni", "/var/log", "/var/tmp"] {
            fs::create_dir_all(dir).map_err(failed(format!("make {dir}")))?;
        }
        symlink("../run", "/var/run").map_err(failed("make /var/run"))?;
        fs::create_dir_all("/run/flannel").map_err(failed("make /run/flannel"))?;
        fs::write(FLANNEL, FLANNEL_SUBNET).map_err(failed(format!("make {FLANNEL}")))?;
        for shown in &self.isolated.shown {
            shown.show().map_err(failed(format!("show {} to the plugin", shown.path.display())))?;
        }
        // Names of namespaces are to be seen by plugins, whose mounts are others.
        mount(None::<&str>, "/run", None::<&str>, MsFlags::MS_SHARED, None::<&str>).map_err(failed("share /run"))?;
        // Only some plugins read it, and not every kernel lets everybody have one.
        let _ = mounts::kernel("sysfs", "/sys");
        let mut network = Handle::here()?;
        network.ask([Change::bring_up("lo")])?;
        // A kernel without these has few plugins that work.
        let _ = add_pair_here(&mut network, UPLINK, "uplink-peer");
        Ok(())
    }
}

/// Runs something in a thread that ends with it, since what it changes is the thread's.
fn in_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let ended = std::thread::scope(|scope| scope.spawn(work).join());
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Makes the mounts that a plugin of this host has, which hear of new ones here, and returns their namespace.
fn mounts_of_plugin() -> io::Result<File> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none)?;
    let namespace = File::open("/proc/thread-self/ns/mnt")?;
    mounts::take_away("/proc")?;
    mount(Some(PROCESSES), "/proc", none, MsFlags::MS_MOVE, none)?;
    Ok(namespace)
}

impl Host<'_> {
    /// Runs a plugin on the host. Whatever it or another has left behind can't hold that up: somebody watches who is
    /// out of its reach, since it can stop a process of this program before that has become the plugin.
    pub(super) fn exec(&self, request: &Request, limits: &Limits) -> Result<Output, ExecError> {
        let no_thread = |source| ExecError::Io { doing: "start a thread for", source };
        let (running, ended) = channel::<()>();
        std::thread::scope(|scope| {
            let watch = Builder::new().spawn_scoped(scope, move || self.end_when_late(&ended, limits));
            let watch = watch.map_err(no_thread)?;
            let run = Builder::new().spawn_scoped(scope, move || {
                let _running = running;
                let lowered = self.enter()?;
                Ok((ProcessExec.exec(request, limits), lowered))
            });
            let run = run.map_err(no_thread)?.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // The limit is raised here again, since the other thread may not.
            let (ran, _lowered) = run?;
            let was_late = watch.join().unwrap_or(false);
            if was_late { Err(ExecError::TimedOut { after: limits.timeout, stderr: Vec::new() }) } else { ran }
        })
    }

    /// Ends everything on all hosts while an execution takes longer than its deadline allows; returns whether it did.
    fn end_when_late(&self, ended: &Receiver<()>, limits: &Limits) -> bool {
        const SLACK: Duration = Duration::from_secs(5);
        const AGAIN: Duration = Duration::from_secs(1);
        let mut patience = limits.timeout.saturating_add(limits.grace.saturating_mul(2)).saturating_add(SLACK);
        let mut was_late = false;
        while ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            self.reaper.end_running();
            (was_late, patience) = (true, AGAIN);
        }
        was_late
    }

    /// Makes the calling thread one whose programs are plugins.
    fn enter(&self) -> Result<Lowered, ExecError> {
        let enter = || {
            unshare(CloneFlags::CLONE_FS)?;
            setns(&self.mounts, CloneFlags::CLONE_NEWNS)?;
            setns(self.reaper.namespace(), CloneFlags::CLONE_NEWPID)
        };
        let failed = |doing| move |source| ExecError::Io { doing, source };
        enter().map_err(io::Error::from).map_err(failed("enter the namespaces for"))?;
        Lowered::for_programs_of_this_thread().map_err(failed("limit the number of processes for"))
    }
}

/// Directories of [`STATE`].
pub(super) fn state_dirs() -> impl Iterator<Item = &'static Path> {
    STATE.iter().map(Path::new)
}

/// The path of a file that leads to the host's own namespace.
pub(super) fn own_namespace() -> io::Result<PathBuf> {
    let path = Path::new(NAMED).join("own");
    fs::create_dir_all(NAMED)?;
    File::create(&path)?;
    mount(Some("/proc/thread-self/ns/net"), &path, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
    Ok(path)
}
