//! The verbs of the library, with plugins that do as told.

use libcni::{Cni, Error};
use std::sync::{Arc, Mutex};

use crate::support::chain;

mod add;
mod arguments;
mod check;
mod del;
mod gc;
mod lossless;
mod names;
mod negotiate;
mod requests;
mod rollback;
mod status;
mod validate;

/// Checks that an error and its causes say all of this.
#[track_caller]
fn says<const N: usize>(error: &Error, words: [&str; N]) {
    let message = chain(error);
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}

/// The library with its notices collected.
fn hearing(cni: Cni) -> (Cni, Arc<Mutex<Vec<String>>>) {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let notices = heard.clone();
    (cni.on_notice(move |notice| notices.lock().unwrap().push(format!("{notice:?}"))), heard)
}
