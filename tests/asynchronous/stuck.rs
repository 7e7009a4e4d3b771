//! Plugins that hang, and everybody else.

use std::sync::mpsc;
use std::time::Duration;
use std::{fs, iter};

use libcni::AsyncCni;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{in_async, settled};
use crate::support::{Sandbox, alone, attachment};

/// The threads of the test itself, those of an `AsyncCni`, and a thread that is about to end.
const FEW: usize = 2 + 10 + 1;

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// One plugin hangs in ADD, the other answers.
fn half_stuck() -> Sandbox {
    Sandbox::new().plugins(["stuck", "sound"]).on("stuck", "ADD", ": >$home/stuck-$CNI_CONTAINERID; exec sleep 600")
}

/// ADDs of these containers, until so many plugins hang.
async fn hang(sandbox: &Sandbox, cni: &AsyncCni, containers: impl Iterator<Item = String>, hung: usize) -> JoinSet<()> {
    let mut adds = JoinSet::new();
    for container in containers {
        let (cni, network) = (cni.clone(), sandbox.network_with(json!({"plugins": [{"type": "stuck"}]})));
        adds.spawn(async move { drop(cni.add(&network, &attachment(&container, "eth0")).await) });
    }
    let is_stuck = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("stuck-");
    let stuck = || fs::read_dir(sandbox.path("")).unwrap().map(Result::unwrap).filter(is_stuck).count();
    let wait = async {
        while stuck() < hung {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(120), wait).await.expect("plugins that don't run");
    adds
}

/// STATUS and ADD of another network and container.
async fn others_work(sandbox: &Sandbox, cni: &AsyncCni) {
    let network = sandbox.network_with(json!({"name": "sound", "plugins": [{"type": "sound"}]}));
    let other = attachment("other", "eth0");
    let verbs = async {
        cni.status(&network).await.unwrap();
        cni.add(&network, &other).await.unwrap();
        cni.del(&network, &other).await.unwrap();
    };
    timeout(Duration::from_secs(20), verbs).await.expect("other networks wait, too");
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_time().max_blocking_threads(1).build().unwrap()
}

#[test]
fn plugins_that_hang_hold_no_threads_and_hold_up_nobody() {
    if alone("asynchronous::stuck::plugins_that_hang_hold_no_threads_and_hold_up_nobody", "") {
        return;
    }
    let sandbox = half_stuck();
    current_thread().block_on(async {
        let cni = in_async(&sandbox);
        let mut adds = hang(&sandbox, &cni, (0..100).map(|number| format!("c{number}")), 100).await;
        others_work(&sandbox, &cni).await;
        assert!(threads() <= FEW, "{} threads", threads());
        adds.shutdown().await;
        settled(&cni).await;
    });
}

#[test]
fn retries_of_a_container_that_is_stuck_hold_no_threads() {
    if alone("asynchronous::stuck::retries_of_a_container_that_is_stuck_hold_no_threads", "") {
        return;
    }
    let sandbox = half_stuck();
    current_thread().block_on(async {
        let cni = in_async(&sandbox);
        let mut adds = hang(&sandbox, &cni, (0..30).map(|_| "c1".to_owned()), 1).await;
        others_work(&sandbox, &cni).await;
        assert!(threads() <= FEW, "{} threads", threads());
        assert_eq!(sandbox.calls().iter().filter(|call| *call == "ADD stuck").count(), 1);
        adds.shutdown().await;
        settled(&cni).await;
    });
}

#[test]
fn the_threads_end_after_the_last_call() {
    if alone("asynchronous::stuck::the_threads_end_after_the_last_call", "") {
        return;
    }
    let before = threads();
    let sandbox = half_stuck();
    current_thread().block_on(async {
        let cni = in_async(&sandbox);
        let mut add = hang(&sandbox, &cni, iter::once("c1".to_owned()), 1).await;
        assert!(threads() > before);
        add.shutdown().await;
        settled(&cni).await;
        timeout(Duration::from_secs(60), eventually_few(before)).await.expect("threads that nobody needs");
        // And come back.
        others_work(&sandbox, &cni).await;
    });
}

async fn eventually_few(before: usize) {
    while threads() > before {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_pool_of_the_caller_that_is_taken_holds_up_no_verb() {
    let sandbox = half_stuck();
    let runtime = current_thread();
    let (release, wait) = mpsc::channel::<()>();
    runtime.spawn_blocking(move || wait.recv());
    runtime.block_on(others_work(&sandbox, &in_async(&sandbox)));
    drop(release);
}

#[test]
fn functions_that_block_hold_up_no_verb() {
    let sandbox = half_stuck();
    current_thread().block_on(async {
        let cni = in_async(&sandbox);
        let mut functions = JoinSet::new();
        let (begun, begins) = mpsc::channel();
        let mut releases = Vec::new();
        for _ in 0..30 {
            let (cni, begun) = (cni.clone(), begun.clone());
            let (release, wait) = mpsc::channel::<()>();
            releases.push(release);
            functions.spawn(async move {
                cni.run(move |_| -> Result<(), libcni::Error> {
                    begun.send(()).unwrap();
                    // Fails when it is released.
                    let _ = wait.recv();
                    Ok(())
                })
                .await
            });
        }
        let mut running = 0;
        timeout(Duration::from_secs(20), async {
            while running < 30 {
                running += begins.try_iter().count();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("functions wait for each other");
        others_work(&sandbox, &cni).await;
        drop(releases);
        while let Some(ended) = functions.join_next().await {
            ended.unwrap().unwrap();
        }
    });
}
