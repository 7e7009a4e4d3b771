//! The ways to wait for a snapshot.

use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{LONG, Watched, names};

#[test]
fn a_watcher_is_an_iterator() {
    let mut watched = Watched::with_one();
    assert_eq!(names(&watched.watcher.next().unwrap().unwrap()), ["one"]);
    watched.network("net.d/one.conflist", "two");
    assert_eq!(names(&watched.watcher.next().unwrap().unwrap()), ["two"]);
}

fn ready(watched: &Watched, limit: PollTimeout) -> i32 {
    poll(&mut [PollFd::new(watched.watcher.as_fd(), PollFlags::POLLIN)], limit).unwrap()
}

#[test]
fn a_poll_loop_hears_of_each_snapshot() {
    let mut watched = Watched::with_one();
    for name in ["one", "two", "three"] {
        watched.network("net.d/one.conflist", name);
        let snapshot = loop {
            let limit = PollTimeout::try_from(LONG).unwrap();
            assert_eq!(ready(&watched, limit), 1, "waited in vain for {name}");
            if let Some(snapshot) = watched.watcher.try_recv().unwrap() {
                break snapshot;
            }
        };
        assert_eq!(names(&snapshot), [name]);
    }
    // Other tests make and remove directories beside this one's, which is reported, but no reason to do anything.
    let is_idle = |watched: &mut Watched| {
        assert!(watched.watcher.try_recv().unwrap().is_none());
        ready(watched, PollTimeout::ZERO) == 0
    };
    assert!((0..1000).any(|_| is_idle(&mut watched)), "there is always something to do");
}

#[cfg(feature = "tokio")]
mod asynchronous {
    use std::sync::Arc;

    use tokio::runtime::Builder;
    use tokio::time::timeout;

    use super::{LONG, Watched, names};
    use crate::support::eventually;

    #[test]
    fn snapshots_can_be_awaited() {
        let watched = Watched::with_one();
        let mut watcher = watched.watcher.into_async().unwrap();
        Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
            assert_eq!(names(&watcher.recv().await.unwrap()), ["one"]);
            for name in ["two", "three"] {
                let nothing = timeout(std::time::Duration::from_millis(50), watcher.recv()).await;
                assert!(nothing.is_err(), "{nothing:?}");
                std::fs::write(watched.dir.path().join("net.d/one.conflist"), super::super::list(name)).unwrap();
                let snapshot = timeout(LONG, watcher.recv()).await.expect("no snapshot").unwrap();
                assert_eq!(names(&snapshot), [name]);
            }
        });
    }

    #[test]
    fn a_dropped_watcher_leaves_no_thread() {
        let mut watcher = Watched::with_one().watcher.into_async().unwrap();
        let runtime = Builder::new_current_thread().build().unwrap();
        let snapshot = Arc::downgrade(&runtime.block_on(watcher.recv()).unwrap());
        assert!(snapshot.upgrade().is_some(), "the watcher has it");
        drop(watcher);
        eventually("the thread has let go of it", || snapshot.upgrade().is_none());
    }
}
