//! A watcher for tokio: a thread of its own that waits, and a future that gets its snapshots.

use std::sync::Arc;
use std::thread::Builder;

use tokio::sync::watch;

use super::{Snapshot, WatchError, Watcher, error};
use crate::CancelToken;

/// The thread's news: its latest snapshot, or why it ended.
type Latest = Result<Arc<Snapshot>, WatchError>;

/// A [`Watcher`] whose snapshots are awaited (features `watch` and `tokio`).
///
/// It has a thread of its own, which is not one of a tokio runtime, and which ends when the watcher is dropped.
#[derive(Debug)]
pub struct AsyncWatcher {
    latest: watch::Receiver<Latest>,
    stop: CancelToken,
}

impl Watcher {
    /// The same, with snapshots to await (features `watch` and `tokio`).
    ///
    /// # Errors
    /// The system has no thread or descriptor left.
    pub fn into_async(mut self) -> Result<AsyncWatcher, WatchError> {
        let stop = CancelToken::new().map_err(error("make an event"))?;
        let stopped = stop.clone();
        let (tell, latest) = watch::channel(Err(WatchError::new("go on", std::io::ErrorKind::Other)));
        let thread = Builder::new().name("libcni-watch".to_owned());
        thread.spawn(move || self.tell(&tell, &stopped)).map_err(error("start a thread"))?;
        Ok(AsyncWatcher { latest, stop })
    }

    /// Tells of each snapshot until stopped, or of the error that ends it.
    fn tell(&mut self, tell: &watch::Sender<Latest>, stop: &CancelToken) {
        while !stop.is_cancelled() {
            let Some(latest) = self.recv_or_wait(stop).transpose() else { continue };
            let is_last = latest.is_err();
            if tell.send(latest).is_err() || is_last {
                return;
            }
        }
    }

    /// A snapshot, or the wait for one, which also ends when stopped.
    fn recv_or_wait(&mut self, stop: &CancelToken) -> Result<Option<Arc<Snapshot>>, WatchError> {
        let snapshot = self.try_recv()?;
        if snapshot.is_none() {
            self.wait(Some(stop.fd()), None)?;
        }
        Ok(snapshot)
    }
}

impl AsyncWatcher {
    /// Waits for the next snapshot: the first one at once, then the latest one that was not received yet.
    ///
    /// A future that is dropped has received nothing.
    ///
    /// # Errors
    /// See [`Watcher::recv`]. An error is final: each later call returns it again.
    pub async fn recv(&mut self) -> Result<Arc<Snapshot>, WatchError> {
        // Fails when the thread has ended, whose last word then stays the latest.
        let _ = self.latest.changed().await;
        self.latest.borrow_and_update().clone()
    }
}

impl Drop for AsyncWatcher {
    fn drop(&mut self) {
        // Not known to fail, and nobody to tell.
        let _ = self.stop.cancel();
    }
}
