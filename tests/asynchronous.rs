//! The verbs as futures.

use std::time::Duration;

use libcni::AsyncCni;
use tokio::runtime::{Builder, Runtime};

use crate::support::{self, Sandbox, is_gone, pid_in};

mod dropped;
mod many;
mod settled;
mod stuck;
mod verbs;

/// Both kinds of runtime.
fn runtimes() -> [Runtime; 2] {
    [current_thread(), Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()]
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// Waits until something holds, and lets other tasks run meanwhile.
async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), wait).await;
    assert!(waited.is_ok(), "waited in vain: {what}");
}

/// A sandbox whose one plugin hangs in ADD, with a child; both leave their process IDs.
fn hanging() -> Sandbox {
    let hang = "trap ': >$home/asked; exit 1' TERM; echo $$ >$home/plugin; sleep 300 & echo $! >$home/child; wait";
    Sandbox::new().plugins(["one"]).on("one", "ADD", hang)
}

/// The hanging plugin was asked to end, and is gone with its child.
#[track_caller]
fn tree_was_ended(sandbox: &Sandbox) {
    for file in ["plugin", "child"] {
        let pid = pid_in(&sandbox.path(file));
        support::eventually(&format!("{file} {pid} is gone"), || is_gone(pid));
    }
    assert!(sandbox.path("asked").exists());
}

/// The verbs as futures, with a deadline for plugins that no test waits for.
fn in_async(sandbox: &Sandbox) -> AsyncCni {
    sandbox.builder().timeout(Duration::from_secs(600)).build().unwrap().into_async()
}

/// Waits until all calls have ended, which must not take as long as the deadline.
async fn settled(cni: &AsyncCni) {
    tokio::time::timeout(Duration::from_secs(20), cni.settled()).await.expect("a call is still at work");
}
