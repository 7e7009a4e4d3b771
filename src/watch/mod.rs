//! Configuration and plugin directories, followed as they change (feature `watch`).
//!
//! A [`Watcher`] delivers a [`Snapshot`] of the networks and their plugins, and another one whenever any of them has
//! changed, and only then. The directories, and those above them, need not exist yet; they may be removed, made again,
//! renamed, or be symbolic links that now point elsewhere, like the files of a Kubernetes ConfigMap. The watcher waits
//! for half-written files.
//!
//! A snapshot is immutable and shared, so a runtime keeps the latest one and holds no lock while a plugin runs.
//!
//! ```no_run
//! use std::sync::{Arc, RwLock};
//!
//! use libcni::conf::ConfDir;
//! use libcni::invoke::DEFAULT_PLUGIN_DIRS;
//! use libcni::watch::{Snapshot, Watcher};
//!
//! let mut watcher = Watcher::new(&ConfDir::default(), DEFAULT_PLUGIN_DIRS)?;
//! let latest: Arc<RwLock<Arc<Snapshot>>> = Arc::new(RwLock::new(watcher.recv()?));
//! let keep = latest.clone();
//! std::thread::spawn(move || {
//!     for snapshot in watcher {
//!         let Ok(snapshot) = snapshot else { break };
//!         *keep.write().unwrap() = snapshot;
//!     }
//! });
//!
//! let now = latest.read().unwrap().clone();
//! let ready = now.network("mynet").is_some_and(|network| now.missing_plugins(network).is_empty());
//! # Ok::<(), libcni::watch::WatchError>(())
//! ```

mod alarm;
#[cfg(feature = "tokio")]
mod asynchronous;
mod follow;
mod inotify;
mod pace;
mod snapshot;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::alarm::Alarm;
#[cfg(feature = "tokio")]
pub use self::asynchronous::AsyncWatcher;
use self::inotify::Watches;
pub use self::pace::Pace;
use self::pace::Schedule;
pub use self::snapshot::Snapshot;
use crate::conf::ConfDir;

/// Follows a configuration directory, and the plugins that its networks name.
///
/// It needs no thread: it works while one of its functions is called, and the kernel remembers what happens in between.
/// Beside the blocking functions it has an iterator, which never ends, and for poll loops a descriptor ([`AsFd`],
/// level-triggered) that is readable when [`try_recv`](Self::try_recv) has something to do. With `tokio`, use
/// `into_async`.
///
/// It watches every directory on the way to a file, including symbolic links, with inotify. If that is not possible,
/// because the user has no watch left or may not read a directory, it looks at everything every 2 seconds.
#[derive(Debug)]
pub struct Watcher {
    conf_dir: ConfDir,
    plugin_dirs: Vec<PathBuf>,
    watches: Watches,
    alarm: Alarm,
    schedule: Schedule,
    delivered: Option<Arc<Snapshot>>,
}

/// Changes can't be followed: the system refuses.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot {doing}")]
pub struct WatchError {
    doing: &'static str,
    source: Arc<io::Error>,
}

impl WatchError {
    fn new(doing: &'static str, source: impl Into<io::Error>) -> Self {
        Self { doing, source: Arc::new(source.into()) }
    }
}

fn error<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> WatchError {
    move |source| WatchError::new(doing, source)
}

impl Watcher {
    /// Follows a directory of configurations, and directories of plugins in the order in which they are searched. None
    /// of them has to exist.
    ///
    /// # Errors
    /// The process has no descriptor left, or its user no inotify instance (`fs.inotify.max_user_instances`).
    pub fn new(
        conf_dir: &ConfDir,
        plugin_dirs: impl IntoIterator<Item = impl Into<PathBuf>>,
    ) -> Result<Self, WatchError> {
        let plugin_dirs = plugin_dirs.into_iter().map(Into::into);
        let watches = Watches::new().map_err(error("make an inotify instance"))?;
        let alarm = Alarm::new(watches.as_fd()).map_err(error("make a timer"))?;
        Ok(Self {
            conf_dir: conf_dir.clone(),
            plugin_dirs: plugin_dirs.collect(),
            watches,
            alarm,
            schedule: Schedule::new(Instant::now()),
            delivered: None,
        })
    }

    /// Follows at another pace.
    pub fn pace(mut self, pace: Pace) -> Self {
        self.schedule.pace = pace;
        self
    }

    /// Waits for the next snapshot. The first one comes at once, each later one when something has changed.
    ///
    /// # Errors
    /// The system refuses to wait, which is not known to happen. Faults of the directory are in the snapshot.
    pub fn recv(&mut self) -> Result<Arc<Snapshot>, WatchError> {
        loop {
            if let Some(snapshot) = self.try_recv()? {
                return Ok(snapshot);
            }
            self.wait(None, None)?;
        }
    }

    /// Waits for the next snapshot, for a limited time.
    ///
    /// # Errors
    /// See [`Watcher::recv`].
    pub fn recv_timeout(&mut self, longest: Duration) -> Result<Option<Arc<Snapshot>>, WatchError> {
        let until = Instant::now().checked_add(longest);
        loop {
            let snapshot = self.try_recv()?;
            if snapshot.is_some() || until.is_some_and(|until| until <= Instant::now()) {
                return Ok(snapshot);
            }
            self.wait(None, until)?;
        }
    }

    /// The next snapshot, if there is one. Never waits, but may read the directories.
    ///
    /// # Errors
    /// See [`Watcher::recv`].
    pub fn try_recv(&mut self) -> Result<Option<Arc<Snapshot>>, WatchError> {
        if self.take_news()? {
            self.schedule.reported(Instant::now());
        }
        let is_due = self.schedule.next_look() <= Instant::now();
        let snapshot = if is_due { self.look() } else { None };
        self.alarm.set(self.schedule.next_look()).map_err(error("set a timer"))?;
        Ok(snapshot)
    }

    fn take_news(&mut self) -> Result<bool, WatchError> {
        self.watches.take_news().map_err(error("read what has changed"))
    }

    fn wait(&self, other: Option<BorrowedFd<'_>>, until: Option<Instant>) -> Result<(), WatchError> {
        self.alarm.wait(other, until).map_err(error("wait for changes"))
    }

    /// Looks at everything; returns what is to be delivered of that.
    fn look(&mut self) -> Option<Arc<Snapshot>> {
        let snapshot = Snapshot::take(&self.conf_dir, &self.plugin_dirs, &mut self.watches);
        let now = Instant::now();
        self.schedule.looked(now, !self.watches.is_incomplete());
        if let Some(before) = &self.delivered {
            if snapshot.is_same(before) {
                self.schedule.believe();
                return None;
            }
            if snapshot.is_worse_than(before) && !self.schedule.doubt(now) {
                return None;
            }
        }
        self.schedule.believe();
        let snapshot = Arc::new(snapshot);
        self.delivered = Some(snapshot.clone());
        Some(snapshot)
    }
}

/// Waits for each snapshot; never ends.
impl Iterator for Watcher {
    type Item = Result<Arc<Snapshot>, WatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.recv())
    }
}

impl AsFd for Watcher {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.alarm.as_fd()
    }
}

impl AsRawFd for Watcher {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
