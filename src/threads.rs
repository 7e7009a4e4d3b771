//! The threads of this process.

use nix::sched::{CloneFlags, unshare};

/// Returns whether the calling thread is the only one of this process.
pub(crate) fn is_only_thread() -> bool {
    // To unshare the thread group is refused where there are other threads, and has no effect where there are none.
    unshare(CloneFlags::CLONE_THREAD).is_ok()
}
