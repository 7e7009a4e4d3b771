//! Many ADDs and DELs by one long-lived process and by the tool, some of which are killed or given up: nothing grows.
//!
//! `LIBCNI_SOAK` says how many there are; `scripts/soak.sh` asks for 20,000.

mod killed;
mod load;
mod state;

use tokio::runtime::Builder;

use self::load::Load;
use self::state::State;
use crate::Test;
use crate::host::{Host, eventually};

pub(crate) const TESTS: &[Test] = &[("soak::nothing_grows", nothing_grows)];

/// How many verbs are run.
fn verbs() -> usize {
    std::env::var_os("LIBCNI_SOAK").map_or(64, |verbs| verbs.into_string().unwrap().parse().unwrap())
}

fn nothing_grows(host: &Host) {
    let threads_end = std::time::Duration::from_millis(50);
    let runtime = Builder::new_multi_thread().worker_threads(2).thread_keep_alive(threads_end).enable_all().build();
    let (runtime, load) = (runtime.unwrap(), Load::new(host));
    // What is made once, and kept.
    runtime.block_on(load.run(32));
    State::wait_for_threads(2);
    let before = State::of(host);
    runtime.block_on(load.run(verbs()));
    eventually(|| State::of(host).has_not_grown(&before));
    let (after, done) = (State::of(host), load.done());
    assert!(after.has_not_grown(&before), "{done:?}\nbefore {before:#?}\nafter {after:#?}");
    assert_eq!(done.verbs, verbs() + 32);
    host.is_clean();
}
