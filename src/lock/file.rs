//! Locks as files, which the kernel gives back when their holder dies.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};
use sha2::{Digest, Sha256};

use super::{Guard, LockError, LockFuture, Locking, Mode, Resource, Wanted, holders, nested, orphan};
use crate::directory::entries;
use crate::spec::ContainerId;
use crate::waiting::{block_on, blocking, sleep};

/// Locks with files in a directory that the runtimes of one host share: `.lock-…`, which exist only while they are
/// held.
///
/// Each is an advisory lock of the kernel (`flock`), so it ends with its holder, however that ends. If a holder was
/// killed, the processes that it left running for its container are ended before the next holder gets the lock:
/// otherwise a plugin would continue to add what the next verb deletes.
///
/// A plugin may use this library for another network of its container: the verb that runs it holds the container for
/// it, and, if that verb is a GC, the network as well. A call that could run only after that verb has released a lock
/// fails at once ([`LockError::Nested`]).
#[derive(Clone, Debug)]
pub struct FileLocks {
    dir: PathBuf,
    patience: Duration,
}

/// How long to wait for a lock, unless said otherwise: longer than a plugin may take, shorter than most callers wait.
const PATIENCE: Duration = Duration::from_secs(60);
/// The first pause between two tries. Each is twice as long as the one before it, so that nobody waits twice as long as
/// needed.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause of those who may be many, and of the one that needs a moment at which nobody has the lock.
const LONGEST_PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(50));
/// The pause from which on nobody looks for a verb that this process was started by: that verb has the lock from the
/// beginning on, and to look for it takes longer than to try.
const UNNESTED: Duration = Duration::from_millis(8);
/// The beginnings of the files' names.
const NETWORK: &str = ".lock-network-";
const CONTAINER: &str = ".lock-container-";
/// The longest part of a name that is taken over into a file name.
const READABLE: usize = 100;

impl FileLocks {
    /// Locks in a directory, which is created when it is needed.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), patience: PATIENCE }
    }

    /// Sets how long to wait for each lock: one minute, by default.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The attachments of a container that verbs which this process was started by are at work on, each by its network
    /// and interface.
    pub(crate) fn outer(&self, id: &ContainerId) -> Vec<(String, String)> {
        nested::outer(&self.path(Resource::Container(id)), id)
    }

    fn path(&self, resource: Resource<'_>) -> PathBuf {
        let kind = match resource {
            Resource::Network(_) => NETWORK,
            Resource::Container(_) => CONTAINER,
        };
        let name = resource.name();
        // Both kinds of names are ASCII.
        let readable = &name[..name.len().min(READABLE)];
        let rest = if name.len() > READABLE { hash(name) } else { String::new() };
        self.dir.join(format!("{kind}{readable}{rest}"))
    }
}

impl Locking for FileLocks {
    fn lock(&self, wanted: &Wanted<'_>) -> Result<Guard, LockError> {
        block_on(self.take(wanted))
    }

    fn lock_async<'a>(&'a self, wanted: &'a Wanted<'_>) -> LockFuture<'a> {
        Box::pin(self.take(wanted))
    }
}

impl FileLocks {
    /// Waits until a resource can be had.
    pub(crate) async fn take(&self, wanted: &Wanted<'_>) -> Result<Guard, LockError> {
        let path = self.path(wanted.resource);
        let began = Instant::now();
        let (mut pause, longest) = (FIRST_PAUSE, longest_pause(wanted));
        let resource = || wanted.resource.to_string();
        loop {
            match try_lock(&self.dir, &path, wanted.mode) {
                Ok(Some(held)) => return mark(held, wanted),
                Ok(None) => {}
                Err(Refused::Dir(source)) => {
                    return Err(LockError::Dir { resource: resource(), dir: self.dir.clone(), source });
                }
                Err(Refused::File(source)) => return Err(LockError::Io { resource: resource(), path, source }),
            }
            if pause < UNNESTED
                && let Some(granted) = nested::grant(&path, wanted)
            {
                return granted;
            }
            if began.elapsed() >= self.patience {
                let (holder, waited) = (holders::of(&path), began.elapsed());
                return Err(LockError::Held { resource: resource(), holder, waited });
            }
            if sleep(pause, wanted.cancel).await {
                return Err(LockError::Cancelled { resource: resource() });
            }
            pause = (pause * 2).min(longest);
        }
    }
}

fn longest_pause(wanted: &Wanted<'_>) -> Duration {
    let (of_many, of_one) = LONGEST_PAUSES;
    let is_gc = matches!(wanted.resource, Resource::Network(_)) && wanted.mode == Mode::Exclusive;
    if is_gc { of_one } else { of_many }
}

fn hash(name: &str) -> String {
    Sha256::digest(name).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// A lock that is held.
struct Held {
    path: PathBuf,
    lock: File,
    mode: Mode,
}

impl Held {
    fn is_network(&self) -> bool {
        self.path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(NETWORK.as_bytes()))
    }
}

/// Why there is no lock: its directory can't be made, or the file can't be used.
enum Refused {
    Dir(io::Error),
    File(io::Error),
}

impl<E: Into<io::Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::File(error.into())
    }
}

/// Takes the lock if it is free, or shared by those who want it so; `None` when it is not.
fn try_lock(dir: &Path, path: &Path, mode: Mode) -> Result<Option<Held>, Refused> {
    let wanted = match mode {
        Mode::Shared => FlockOperation::NonBlockingLockShared,
        Mode::Exclusive => FlockOperation::NonBlockingLockExclusive,
    };
    loop {
        let lock = open(dir, path)?;
        match flock(&lock, wanted) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        // Its last holder may have removed the file between our opening and locking it: then it locks nothing.
        if is_at(&lock, path)? {
            return Ok(Some(Held { path: path.to_owned(), lock, mode }));
        }
    }
}

fn open(dir: &Path, path: &Path) -> Result<File, Refused> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).mode(0o600).custom_flags(flags.bits());
    match options.open(path) {
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Refused::Dir)?;
            Ok(options.open(path)?)
        }
        opened => Ok(opened?),
    }
}

fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let held = file.metadata()?;
    if !held.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (held.dev(), held.ino())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// Marks an exclusive lock as held, once what its last holder left running has ended.
fn mark(held: Held, wanted: &Wanted<'_>) -> Result<Guard, LockError> {
    let error = |source| LockError::Io { resource: wanted.resource.to_string(), path: held.path.clone(), source };
    if held.mode == Mode::Exclusive {
        let mut file: &File = &held.lock;
        let mut first = [0];
        // A holder that gave the lock back removed the file, mark and all.
        let read = retry_on_intr(|| rustix::io::read(file, &mut first[..]));
        if read.map_err(|errno| error(errno.into()))? == 0 {
            let purpose = wanted.purpose.map(|purpose| format!("\n{}", nested::line(purpose))).unwrap_or_default();
            file.write_all(format!("{}{purpose}", wanted.resource.name()).as_bytes()).map_err(error)?;
        } else {
            blocking(|| orphan::end_all(wanted.resource));
        }
    }
    Ok(Guard::new(held))
}

/// Gives back the containers that dead holders still have in their name, and ends what these left running. Nobody else
/// does, unless somebody asks for the container again.
fn sweep(dir: &Path) {
    for entry in entries(dir).unwrap_or_default() {
        if !entry.name().as_encoded_bytes().starts_with(CONTAINER.as_bytes()) {
            continue;
        }
        if let Ok(Some(held)) = try_lock(dir, &entry.path, Mode::Exclusive) {
            let mut mark = String::new();
            // What can't be read, or is no container, was cut short before anything was started.
            let read = (&held.lock).read_to_string(&mut mark).ok();
            let id = mark.lines().next().unwrap_or_default();
            if let Some(id) = read.and_then(|_| ContainerId::new(id).ok()) {
                blocking(|| orphan::end_all(Resource::Container(&id)));
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.is_network() && self.mode == Mode::Exclusive {
            sweep(self.path.parent().unwrap_or(&self.path));
        }
        // The last of those who share it removes it. Where it stays, it is in nobody's way.
        if self.mode == Mode::Exclusive || flock(&self.lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = fs::remove_file(&self.path);
        }
    }
}
