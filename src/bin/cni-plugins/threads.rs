//! Threads for what can be done beside something else.

use std::thread::ScopedJoinHandle;

/// Returns the value of a thread; its panic is ours.
pub(crate) fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
