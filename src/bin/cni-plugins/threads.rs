//! Threads for what can be done beside something else.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder};

/// Does one thing in a thread beside another, or one after the other where no thread can be started.
pub(crate) fn both<A: Send, B>(beside: impl FnMut() -> A + Send, here: impl FnOnce() -> B) -> (A, B) {
    let beside = Mutex::new(beside);
    let run = || (beside.lock().unwrap_or_else(PoisonError::into_inner))();
    thread::scope(|scope| match Builder::new().spawn_scoped(scope, run) {
        Ok(thread) => {
            let here = here();
            (thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), here)
        }
        Err(_) => (run(), here()),
    })
}
