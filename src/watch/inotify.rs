//! The events that the kernel is asked to report, and whether it has reported any of that.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};

/// Directories and files that are watched.
///
/// They are named anew in each round, from [`begin`](Self::begin) to [`end`](Self::end); what was not named again is
/// given up then. The kernel knows a directory by its inode, so a name that means another one now is a new watch.
#[derive(Debug)]
pub(super) struct Watches {
    inotify: Inotify,
    watched: HashMap<WatchDescriptor, Interest>,
    /// Those of the last round, while a round is going on.
    before: HashMap<WatchDescriptor, Interest>,
    incomplete: bool,
}

/// The state of a directory or file by which a change is seen.
#[derive(Debug)]
enum Interest {
    Everything,
    Entries(BTreeSet<OsString>),
}

/// How many times events are read before the caller has its turn again, however many there are.
const READS: usize = 256;

impl Watches {
    pub(super) fn new() -> nix::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        Ok(Self { inotify, watched: HashMap::new(), before: HashMap::new(), incomplete: false })
    }

    pub(super) fn begin(&mut self) {
        self.before = std::mem::take(&mut self.watched);
        self.incomplete = false;
    }

    pub(super) fn end(&mut self) {
        for (descriptor, _) in self.before.drain() {
            if !self.watched.contains_key(&descriptor) {
                // Gone already where the inode is.
                let _ = self.inotify.rm_watch(descriptor);
            }
        }
    }

    /// Returns true if something could not be watched in this round: the user has no watch left, or may not read a
    /// directory.
    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Watches for one entry of a directory: whether it is there, and which one it is.
    pub(super) fn entry(&mut self, dir: &Path, name: &OsStr) {
        if let Some(Interest::Entries(names)) = self.add(dir, of_dirs(), Interest::Entries(BTreeSet::new())) {
            names.insert(name.to_owned());
        }
    }

    /// Watches for all entries of a directory.
    pub(super) fn dir(&mut self, dir: &Path) {
        if let Some(interest) = self.add(dir, of_dirs(), Interest::Everything) {
            *interest = Interest::Everything;
        }
    }

    /// Watches the content of a file, whichever of its names it is written by.
    pub(super) fn file(&mut self, file: &Path) {
        self.add(file, of_files(), Interest::Everything);
    }

    fn add(&mut self, path: &Path, events: AddWatchFlags, interest: Interest) -> Option<&mut Interest> {
        match self.inotify.add_watch(path, events | AddWatchFlags::IN_DONT_FOLLOW) {
            Ok(descriptor) => Some(match self.watched.entry(descriptor) {
                Entry::Occupied(there) => there.into_mut(),
                Entry::Vacant(free) => free.insert(interest),
            }),
            // The next look sees that, and the directory above reports when it changes.
            Err(Errno::ENOENT | Errno::ENOTDIR) => None,
            Err(_) => {
                self.incomplete = true;
                None
            }
        }
    }

    /// Reads what was reported, and returns whether any of it matters.
    pub(super) fn take_news(&mut self) -> nix::Result<bool> {
        let mut news = false;
        for _ in 0..READS {
            match self.inotify.read_events() {
                Ok(events) => news |= events.iter().any(|event| self.matters(event)),
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(news)
    }

    fn matters(&self, event: &InotifyEvent) -> bool {
        // The kernel dropped events, which may have been about anything.
        if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
            return true;
        }
        match (self.watched.get(&event.wd), &event.name) {
            (Some(Interest::Entries(names)), Some(name)) => names.contains(name),
            (Some(_), _) => true,
            // Given up in the meantime.
            (None, _) => false,
        }
    }
}

/// One set for all directories, since the kernel keeps the one that was given last.
fn of_dirs() -> AddWatchFlags {
    AddWatchFlags::IN_ONLYDIR
        | AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_MOVE
        | AddWatchFlags::IN_ATTRIB
        | AddWatchFlags::IN_DELETE_SELF
}

fn of_files() -> AddWatchFlags {
    AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_ATTRIB
}

impl AsFd for Watches {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}
