//! The root directory of plugins: the programs of the host, the other files that a plugin needs, and nothing else.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::pivot_root;
use rustix::fs::{CWD, Gid, Uid};
use rustix::mount::{OpenTreeFlags, open_tree};

use super::reaper::PROCESSES;
use super::sources::Sources;
use super::{NotIsolated, OWN, failed, is_new_on_each_host, mounts};

/// The program that is the first of the plugin's PID namespace: this one.
pub(super) const INIT: &str = "/.init";

/// Where the root directory of before is while the new one is made.
const OLD: &str = "/.old";
/// Where plugins write that believe to write into their own directory.
const WRITTEN: &str = "/.written";
/// Where that is which each host has in a directory of its own.
const SHOWN: &str = "/.shown";

/// Directories with programs, libraries and their settings.
const SYSTEM: [&str; 10] = ["bin", "etc", "gnu", "lib", "lib32", "lib64", "libx32", "nix", "sbin", "usr"];

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "net/tun"];

/// Directories that are there, empty, for something to be mounted on, or because programs expect them.
const DIRS: [&str; 14] = [
    OLD, WRITTEN, SHOWN, PROCESSES, "/dev/net", "/dev/shm", "/dev/pts", "/mnt", "/proc", "/root", "/run", "/sys",
    "/tmp", "/var",
];

/// Something that each host shows in a directory of its own.
pub(in crate::conformance) struct Shown {
    pub(in crate::conformance) path: PathBuf,
    pub(in crate::conformance) what: What,
}

/// The items to show.
pub(in crate::conformance) enum What {
    /// The directory at this path.
    Dir(PathBuf),
    /// The file at this path.
    File(PathBuf),
    /// A symbolic link that leads there.
    Link(PathBuf),
}

impl Shown {
    /// Shows it, where nothing is yet.
    pub(in crate::conformance) fn show(&self) -> io::Result<()> {
        if self.path.exists() {
            return Ok(());
        }
        if let Some(parent) = self.path.parent() {
            fs::create_dir_all(parent)?;
        }
        match &self.what {
            What::Dir(from) => {
                fs::create_dir(&self.path)?;
                mounts::bind(from, &self.path)
            }
            What::File(from) => {
                File::create(&self.path)?;
                mounts::bind(from, &self.path)
            }
            What::Link(target) => symlink(target, &self.path),
        }
    }
}

/// The program that this process runs.
struct Own {
    file: File,
    path: PathBuf,
}

impl Own {
    fn find() -> io::Result<Self> {
        Ok(Self { file: File::open(OWN)?, path: fs::read_link(OWN)? })
    }

    fn is(&self, meta: &fs::Metadata) -> bool {
        self.file.metadata().is_ok_and(|own| (own.dev(), own.ino()) == (meta.dev(), meta.ino()))
    }
}

/// The root directory that this process has now.
pub(super) struct Root {
    /// /proc of this process's PID namespace, mounted nowhere: plugins get another one.
    pub(super) processes: OwnedFd,
    pub(super) shown: Vec<Shown>,
}

/// Changes the root directory of this process, with some directories of the host in it. Where others than root are to
/// use them, they are given to those.
pub(super) fn change(dirs: &[PathBuf], ids: Option<(Uid, Gid)>) -> Result<Root, NotIsolated> {
    let sources = Sources::of(dirs);
    let new = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS;
    unshare(new).map_err(failed("make namespaces"))?;
    let own = Own::find().map_err(failed("find its own program"))?;
    pivot().map_err(failed("change its root directory"))?;
    let mut maker = Maker { ids, shown: Vec::new(), written: Vec::new(), read_only: Vec::new() };
    maker.make_system().map_err(failed("show programs to the plugin"))?;
    maker.show_init(&own).map_err(failed("show its own program"))?;
    maker.show(&sources).map_err(failed("show the plugin its own files"))?;
    let processes = maker.finish().map_err(failed("finish the plugin's root directory"))?;
    Ok(Root { processes, shown: maker.shown })
}

/// Makes a new root directory, in which the old one is another.
fn pivot() -> io::Result<()> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    // A directory that is there, and has nothing that would be needed while it is covered.
    let at = Path::new("/proc");
    mounts::memory(at)?;
    fs::create_dir(at.join(&OLD[1..]))?;
    pivot_root(at, &at.join(&OLD[1..]))?;
    std::env::set_current_dir("/")?;
    DIRS.iter().try_for_each(fs::create_dir_all)?;
    mounts::kernel("proc", "/proc")
}

struct Maker {
    ids: Option<(Uid, Gid)>,
    shown: Vec<Shown>,
    /// Where plugins can write.
    written: Vec<PathBuf>,
    read_only: Vec<PathBuf>,
}

fn old(path: &Path) -> PathBuf {
    Path::new(OLD).join(path.strip_prefix("/").unwrap_or(path))
}

impl Maker {
    fn make_system(&mut self) -> io::Result<()> {
        for name in SYSTEM {
            let (from, at) = (Path::new(OLD).join(name), Path::new("/").join(name));
            match fs::symlink_metadata(&from) {
                Ok(meta) if meta.is_symlink() => symlink(fs::read_link(&from)?, at)?,
                Ok(meta) if meta.is_dir() => {
                    fs::create_dir(&at)?;
                    mounts::bind(&from, &at)?;
                    self.read_only.push(at);
                }
                _ => {}
            }
        }
        for name in DEVICES {
            let from = Path::new(OLD).join("dev").join(name);
            if from.exists() {
                let at = Path::new("/dev").join(name);
                File::create(&at)?;
                mounts::bind(&from, &at)?;
            }
        }
        for (name, target) in [("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")] {
            symlink(Path::new("/proc/self").join(target), Path::new("/dev").join(name))?;
        }
        // Only some plugins read it, and not every kernel lets everybody have one.
        let _ = mounts::kernel("sysfs", "/sys");
        Ok(())
    }

    fn show_init(&self, own: &Own) -> io::Result<()> {
        let path = old(&own.path);
        let is_there = fs::metadata(&path).is_ok_and(|meta| own.is(&meta));
        let opened = PathBuf::from(format!("/proc/self/fd/{}", own.file.as_raw_fd()));
        // A file that has been replaced or removed since can't be mounted any more.
        if is_there { mounts::file(&path, Path::new(INIT), self.ids) } else { mounts::copy(&opened, Path::new(INIT)) }
    }

    fn show(&mut self, sources: &Sources) -> io::Result<()> {
        mounts::memory(WRITTEN)?;
        for (number, dir) in sources.dirs.iter().enumerate() {
            let at = self.place(dir, &format!("dir{number}"), What::Dir);
            fs::create_dir_all(&at)?;
            self.show_dir(&old(dir), &at, number)?;
        }
        for (number, file) in sources.files.iter().enumerate() {
            let at = self.place(file, &format!("file{number}"), What::File);
            if !at.exists() {
                at.parent().map_or(Ok(()), fs::create_dir_all)?;
                mounts::file(&old(file), &at, self.ids)?;
                self.read_only.push(at);
            }
        }
        for (link, target) in &sources.links {
            let shown = Shown { path: link.clone(), what: What::Link(target.clone()) };
            if is_new_on_each_host(link) {
                self.shown.push(shown);
            } else {
                shown.show()?;
            }
        }
        Ok(())
    }

    /// Where to put something: at its own path, unless that is in a directory that each host has a new one of.
    fn place(&mut self, path: &Path, name: &str, what: impl FnOnce(PathBuf) -> What) -> PathBuf {
        if !is_new_on_each_host(path) {
            return path.to_owned();
        }
        let at = Path::new(SHOWN).join(name);
        self.shown.push(Shown { path: path.to_owned(), what: what(at.clone()) });
        at
    }

    fn show_dir(&mut self, from: &Path, at: &Path, number: usize) -> io::Result<()> {
        let written = Path::new(WRITTEN).join(number.to_string());
        if let Err(error) = mounts::writable(from, at, &written) {
            // Who may not write there can use it all the same, but not who may not read it.
            if self.ids.is_some() && !mounts::is_open(&fs::metadata(from)?) {
                return Err(error);
            }
            self.read_only.push(at.to_owned());
            return mounts::bind(from, at);
        }
        self.written.push(at.to_owned());
        self.ids.map_or(Ok(()), |ids| mounts::give(at, ids))
    }

    /// Removes everything that is no longer needed, and protects the rest from changes.
    fn finish(&self) -> io::Result<OwnedFd> {
        mounts::read_only(&self.read_only, &self.written)?;
        mounts::take_away(OLD)?;
        mounts::take_away(WRITTEN)?;
        [OLD, WRITTEN].iter().try_for_each(fs::remove_dir)?;
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | mounts::SAFE;
        mount(None::<&str>, "/", None::<&str>, flags, None::<&str>)?;
        let processes = open_tree(CWD, "/proc", OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC)?;
        mounts::take_away("/proc")?;
        Ok(processes)
    }
}
