//! A thread with a descriptor table of its own, which is all but empty.

use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::Builder;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::close;

/// The work that is run there.
type Job = Box<dyn FnOnce() + Send>;

/// Runs functions on that thread, until it is dropped.
///
/// They must own no descriptor, nor anything that owns one: its number means another one there.
#[derive(Debug)]
pub(super) struct Apart(Sender<Job>);

impl Apart {
    pub(super) fn new() -> std::io::Result<Self> {
        let (jobs, to_do) = channel();
        Builder::new().name("libcni-start".to_owned()).spawn(move || work(&to_do))?;
        Ok(Self(jobs))
    }

    /// Runs a function and waits for it; `None` where there is no such thread to be had.
    pub(super) fn run<T: Send + 'static>(&self, function: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (tell, told) = sync_channel(1);
        // Nobody is there no more: then nobody tells either.
        let _ = self.0.send(Box::new(move || drop(tell.send(function()))));
        told.recv().ok()
    }
}

fn work(to_do: &Receiver<Job>) {
    if unshare(CloneFlags::CLONE_FILES).is_err() {
        return;
    }
    let all = crate::directory::numbers("/proc/thread-self/fd");
    if all.is_empty() {
        return;
    }
    for descriptor in all {
        // The one that the listing itself had is closed already.
        let _ = close(descriptor);
    }
    to_do.iter().for_each(|job| job());
}
