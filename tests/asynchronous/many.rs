//! Many futures at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use libcni::{AsyncCni, Cni};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use super::runtimes;
use crate::support::{FakeExec, Sandbox, attachment, eventually, printing};

/// Adds so many containers at once, which must all succeed.
#[track_caller]
fn add_all(runtime: &Runtime, cni: &AsyncCni, sandbox: &Sandbox, containers: usize) {
    runtime.block_on(async {
        let mut adds = JoinSet::new();
        for n in 0..containers {
            let (cni, network) = (cni.clone(), sandbox.network());
            adds.spawn(async move { cni.add(&network, &attachment(&format!("c{n}"), "eth0")).await });
        }
        while let Some(added) = adds.join_next().await {
            added.unwrap().unwrap();
        }
        cni.settled().await;
    });
    assert_eq!(sandbox.cached().len(), containers);
}

#[test]
fn two_hundred_adds_run_at_the_same_time() {
    for runtime in runtimes() {
        let arrived = Arc::new(AtomicUsize::new(0));
        let fake = FakeExec::new(move |_| {
            arrived.fetch_add(1, Ordering::Relaxed);
            eventually("all are in a plugin", || arrived.load(Ordering::Relaxed) == 200);
            printing("{}")
        });
        let sandbox = Sandbox::new().plugins(["one"]);
        let cni = Cni::builder().exec(fake).cache_dir(sandbox.path("cache")).build().unwrap().into_async();
        add_all(&runtime, &cni, &sandbox, 200);
    }
}

#[test]
fn more_adds_than_threads_take_turns() {
    let runtime = Builder::new_current_thread().max_blocking_threads(2).build().unwrap();
    let sandbox = Sandbox::new().plugins(["one"]);
    add_all(&runtime, &sandbox.cni().into_async(), &sandbox, 10);
    assert_eq!(sandbox.calls().len(), 10);
}
