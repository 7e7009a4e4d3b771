//! Waiting for what is at work, of all containers or of one; and what else a value of the verbs as futures has.

use std::time::Duration;

use libcni::spec::TraceContext;
use tokio::time::timeout;

use super::{current_thread, eventually, hanging, in_async, runtimes};
use crate::support::{Sandbox, attachment};

#[test]
fn settled_does_not_wait_for_calls_that_begin_later() {
    let sandbox = Sandbox::new().plugins(["one"]);
    for runtime in runtimes() {
        runtime.block_on(async {
            let cni = in_async(&sandbox);
            let network = sandbox.network();
            // Never is there a moment without a call: each begins before the one before it has ended.
            let steady = async |from: usize| loop {
                tokio::time::sleep(Duration::from_millis(20 * from as u64)).await;
                cni.run(|_| -> Result<(), libcni::Error> {
                    std::thread::sleep(Duration::from_millis(100));
                    Ok(())
                })
                .await
                .unwrap();
            };
            tokio::select! {
                () = async { tokio::join!(steady(0), steady(1), steady(2)); } => {}
                settled = async {
                    cni.status(&network).await.unwrap();
                    timeout(Duration::from_secs(10), cni.settled()).await
                } => settled.expect("calls that began later were waited for"),
            }
        });
    }
}

#[test]
fn settled_for_a_container_waits_for_its_verbs_and_for_no_other() {
    let sandbox = hanging();
    current_thread().block_on(async {
        let (network, cni) = (sandbox.network(), in_async(&sandbox));
        let (hangs, other) = (attachment("c1", "eth0"), attachment("c2", "eth0"));
        let adding = cni.clone();
        let (in_task, id) = (network.clone(), hangs.container_id.clone());
        let task = tokio::spawn(async move { adding.add(&in_task, &hangs).await });
        eventually("the plugin has a child", || sandbox.path("child").exists()).await;
        timeout(Duration::from_secs(10), cni.settled_for(&other.container_id)).await.expect("waited for another one");
        timeout(Duration::from_millis(100), cni.settled_for(&id)).await.expect_err("its ADD is at work");
        task.abort();
        timeout(Duration::from_secs(20), cni.settled_for(&id)).await.expect("its ADD was ended");
        assert!(sandbox.path("asked").exists());
    });
}

#[test]
fn the_cache_and_a_trace_context_are_had_without_the_blocking_half() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let cni = in_async(&sandbox);
    let span = TraceContext::new("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
    current_thread().block_on(async {
        let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
        cni.with_trace_context(span).add(&network, &attachment).await.unwrap();
    });
    let variables = sandbox.env_of("one", "ADD");
    assert!(
        variables.iter().any(|v| v.starts_with("TRACEPARENT=00-4bf92f3577b34da6a3ce929d0e0e4736")),
        "{variables:?}"
    );
    assert_eq!(cni.cache().attachments(None).unwrap().entries.len(), 1);
    assert_eq!(cni.cache().dir(), sandbox.path("cache"));
}

#[test]
fn a_recorded_result_is_changed_by_a_future() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let cni = in_async(&sandbox);
    current_thread().block_on(async {
        let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
        cni.add(&network, &attachment).await.unwrap();
        let key = attachment.key(network.network_name().unwrap());
        let change = |result: libcni::result::AddResult| {
            let mut body = result.latest();
            body.dns.domain = Some("changed".to_owned());
            Ok(body.into())
        };
        cni.update_result(&key, change).await.unwrap();
        let recorded = cni.cache().read(&key).unwrap().unwrap().result().unwrap();
        assert_eq!(recorded.latest().dns.domain.as_deref(), Some("changed"));
        // The plugin answers VERSION with nothing.
        assert_eq!(cni.examine(&network).await.unwrap().len(), 1);
    });
}
