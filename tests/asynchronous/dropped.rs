//! Futures that are dropped before they are ready.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use libcni::AsyncCni;
use libcni::CancelToken;
use libcni::invoke::Limits;
use libcni::runtime::Keep;
use tokio::time::timeout;

use super::{current_thread, eventually, hanging, in_async, runtimes, settled, tree_was_ended};
use crate::support::{Sandbox, attachment, chain, is_gone, pid_in};

/// Begins an ADD, and drops it once its plugin has left a file of this name.
async fn drop_add_when(sandbox: &Sandbox, cni: &AsyncCni, file: &str) {
    let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
    tokio::select! {
        ended = cni.add(&network, &attachment) => panic!("{ended:?}"),
        () = eventually(file, || sandbox.path(file).exists()) => {}
    }
}

#[test]
fn an_add_that_is_dropped_ends_the_plugin_and_its_child() {
    for runtime in runtimes() {
        let sandbox = hanging();
        runtime.block_on(async {
            let cni = in_async(&sandbox);
            drop_add_when(&sandbox, &cni, "child").await;
            settled(&cni).await;
        });
        tree_was_ended(&sandbox);
        assert!(sandbox.cached().is_empty());
    }
}

#[test]
fn a_timeout_around_an_add_ends_the_plugin_and_the_next_verb_works() {
    let sandbox = hanging();
    current_thread().block_on(async {
        let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
        let cni = in_async(&sandbox);
        timeout(Duration::from_millis(300), cni.add(&network, &attachment)).await.unwrap_err();
        cni.del(&network, &attachment).await.unwrap();
    });
    assert_eq!(sandbox.calls().last().unwrap(), "DEL one");
}

#[test]
fn a_task_that_is_aborted_ends_its_plugin() {
    let sandbox = hanging();
    current_thread().block_on(async {
        let (network, cni) = (sandbox.network(), in_async(&sandbox));
        let adding = cni.clone();
        let task = tokio::spawn(async move { adding.add(&network, &attachment("c1", "eth0")).await });
        eventually("the plugin has a child", || sandbox.path("child").exists()).await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        settled(&cni).await;
    });
    tree_was_ended(&sandbox);
}

#[test]
fn a_runtime_that_shuts_down_waits_until_the_plugin_is_gone() {
    for runtime in runtimes() {
        let sandbox = hanging();
        let (network, cni) = (sandbox.network(), in_async(&sandbox));
        runtime.spawn(async move { cni.add(&network, &attachment("c1", "eth0")).await });
        runtime.block_on(eventually("the plugin has a child", || sandbox.path("child").exists()));
        drop(runtime);
        assert!(is_gone(pid_in(&sandbox.path("plugin"))));
        tree_was_ended(&sandbox);
    }
}

#[test]
fn a_runtime_that_shuts_down_ends_all_its_plugins_at_once_and_none_of_another_runtime() {
    // Each ends when all were asked to.
    let all = "[ -e $home/asked-$CNI_CONTAINERID ] && [ -e $home/asked-c1 ] && [ -e $home/asked-c2 ] && [ -e $home/asked-c3 ]";
    let wait = format!("until {all}; do sleep 0.02 || :; done; exit 1");
    let shell = format!("trap ': >$home/asked-$CNI_CONTAINERID' TERM; : >$home/began-$CNI_CONTAINERID; {wait}");
    for runtime in runtimes() {
        let sandbox = Sandbox::new().plugins(["one"]).on("one", "ADD", &shell);
        let limits = Limits::default().timeout(Duration::from_secs(600)).grace(Duration::from_secs(600));
        let cni = sandbox.builder().limits(limits).build().unwrap().into_async();
        let (other, began) = (current_thread(), |id: &str| sandbox.path(&format!("began-{id}")).exists());
        for (runtime, id) in [(&runtime, "c1"), (&runtime, "c2"), (&runtime, "c3"), (&other, "c4")] {
            let (network, cni) = (sandbox.network(), cni.clone());
            runtime.spawn(async move { cni.add(&network, &attachment(id, "eth0")).await });
        }
        runtime.block_on(eventually("three plugins run", || ["c1", "c2", "c3"].into_iter().all(began)));
        other.block_on(eventually("the plugin of the other runtime runs", || began("c4")));
        drop(runtime);
        assert!(!sandbox.path("asked-c4").exists());
        drop(other);
        assert!(sandbox.path("asked-c4").exists());
    }
}

/// A sandbox whose one plugin does not end in ADD until there is a file `go`, and a grace period that lets it.
fn stubborn() -> (Sandbox, AsyncCni) {
    // No other command than `sleep`: the signal would end it, and the plugin with it.
    let wait = "while [ ! -e $home/go ]; do sleep 0.02 || :; done";
    let shell = format!("trap ': >$home/asked' TERM; : >$home/began; {wait}; : >$home/ended");
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "ADD", &shell).on("one", "DEL", "test -e $home/ended");
    let forever = Duration::from_secs(600);
    let limits = Limits::default().timeout(forever).grace(forever);
    let cni = sandbox.builder().limits(limits).build().unwrap().into_async();
    (sandbox, cni)
}

#[test]
fn dropping_does_not_wait_for_a_plugin_that_takes_its_time_to_end() {
    let (sandbox, cni) = stubborn();
    current_thread().block_on(async {
        drop_add_when(&sandbox, &cni, "began").await;
        // On the only thread of the runtime, while the plugin is in its grace period.
        eventually("the plugin is asked to end", || sandbox.path("asked").exists()).await;
        let mut waiting = pin!(cni.settled());
        let now = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context))).await;
        assert!(now.is_pending(), "the plugin is still there");
        std::fs::write(sandbox.path("go"), "").unwrap();
        settled(&cni).await;
    });
}

#[test]
fn the_next_verb_for_a_container_waits_until_the_dropped_one_has_ended() {
    let (sandbox, cni) = stubborn();
    let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
    current_thread().block_on(async {
        drop_add_when(&sandbox, &cni, "began").await;
        let mut deleted = pin!(cni.del(&network, &attachment));
        timeout(Duration::from_millis(50), &mut deleted).await.unwrap_err();
        std::fs::write(sandbox.path("go"), "").unwrap();
        // Fails where it does not find that ADD has ended.
        deleted.await.unwrap();
    });
}

#[test]
fn an_add_with_rollback_that_is_dropped_is_undone() {
    let sandbox = Sandbox::new().plugins(["one", "two"]).on("two", "ADD", ": >$home/began; sleep 300");
    let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
    current_thread().block_on(async {
        let cni = in_async(&sandbox);
        tokio::select! {
            ended = cni.add_with_rollback(&network, &attachment) => panic!("{ended:?}"),
            () = eventually("the second plugin runs", || sandbox.path("began").exists()) => {}
        }
        settled(&cni).await;
        assert!(cni.stale(&network, &Keep::Nothing).await.unwrap().is_empty());
    });
    assert_eq!(sandbox.calls(), ["ADD one", "ADD two", "DEL two", "DEL one"]);
}

#[test]
fn no_further_plugin_runs_after_the_drop() {
    let sandbox = Sandbox::new().plugins(["one", "two"]).on("one", "ADD", ": >$home/began; sleep 300");
    current_thread().block_on(async {
        let cni = in_async(&sandbox);
        drop_add_when(&sandbox, &cni, "began").await;
        settled(&cni).await;
    });
    assert_eq!(sandbox.calls(), ["ADD one"]);
}

#[test]
fn a_future_that_was_never_polled_has_done_nothing() {
    let sandbox = Sandbox::new().plugins(["one"]);
    current_thread().block_on(async {
        let cni = in_async(&sandbox);
        drop(cni.add(&sandbox.network(), &attachment("c1", "eth0")));
        settled(&cni).await;
    });
    assert!(sandbox.calls().is_empty());
}

#[test]
fn an_embedders_own_token_still_ends_a_call() {
    let sandbox = hanging();
    let token = CancelToken::new().unwrap();
    let cni = sandbox.builder().timeout(Duration::from_secs(600)).cancel(token.clone()).build().unwrap().into_async();
    let error = current_thread().block_on(async {
        let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
        let cancel = async {
            eventually("the plugin has a child", || sandbox.path("child").exists()).await;
            token.cancel().unwrap();
        };
        tokio::join!(cni.add(&network, &attachment), cancel).0.unwrap_err()
    });
    assert!(chain(&error).contains("cancelled"), "{error:?}");
    tree_was_ended(&sandbox);
}
