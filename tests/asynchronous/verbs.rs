//! Each verb as a future: what it gives, and how it fails.

use std::fs;
use std::path::Path;

use libcni::Error;
use libcni::runtime::{Keep, OnMissingPlugin};
use serde_json::json;

use super::{current_thread, in_async};
use crate::support::{FakeExec, Sandbox, attachment, chain, fails_with};

#[test]
fn every_verb_is_a_future_with_the_same_result() {
    let version = r#"echo '{"cniVersion":"1.1.0","supportedVersions":["1.1.0"]}'"#;
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "VERSION", version);
    let network = sandbox.network_with(json!({"plugins": [{"type": "one", "capabilities": {"mac": true}}]}));
    let attachment = attachment("c1", "eth0");
    let cni = in_async(&sandbox);
    current_thread().block_on(async {
        cni.status(&network).await.unwrap();
        assert_eq!(cni.plugin_version("one").await.unwrap().supported_versions, ["1.1.0"]);
        assert!(cni.validate(&network).await.unwrap().contains("mac"));
        let added = cni.add(&network, &attachment).await.unwrap();
        assert_eq!(added.latest().dns.domain.as_deref(), Some("one"));
        cni.check(&network, &attachment).await.unwrap();
        cni.del(&network, &attachment).await.unwrap();
        cni.gc(&network, &Keep::Nothing).await.unwrap();
    });
    // The answer to VERSION is remembered.
    let verbs = ["STATUS", "VERSION", "ADD", "CHECK", "DEL", "GC"];
    assert_eq!(sandbox.calls(), verbs.map(|verb| format!("{verb} one")));
}

#[test]
fn several_networks_can_be_added_and_deleted_by_one_future() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let (front, back) = (sandbox.network(), sandbox.network_with(json!({"name": "back"})));
    let (eth0, eth1) = (attachment("c1", "eth0"), attachment("c1", "eth1"));
    let attachments = [(&front, &eth0), (&back, &eth1)];
    let cni = in_async(&sandbox);
    current_thread().block_on(async {
        assert_eq!(cni.add_all(&attachments).await.unwrap().len(), 2);
        cni.del_all(&attachments).await.unwrap();
        cni.add_with_rollback(&front, &eth0).await.unwrap();
    });
    assert_eq!(sandbox.calls(), ["ADD one", "ADD one", "DEL one", "DEL one", "ADD one"]);
}

#[test]
fn requests_can_be_seen_by_futures_before_they_are_sent() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
    let cni = in_async(&sandbox);
    let requests = current_thread().block_on(async {
        let added = cni.add_requests(&network, &attachment).await.unwrap();
        assert!(sandbox.calls().is_empty());
        // CHECK is of what is on record.
        cni.add(&network, &attachment).await.unwrap();
        let checked = cni.check_requests(&network, &attachment).await.unwrap();
        [added, checked, cni.del_requests(&network, &attachment).await.unwrap()].concat()
    });
    let verbs: Vec<_> = requests.iter().map(|request| request.command.as_str()).collect();
    assert_eq!(verbs, ["ADD", "CHECK", "DEL"]);
    assert_eq!(sandbox.calls().len(), 1);
}

#[test]
fn what_is_cached_can_be_asked_for_and_deleted_by_futures() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
    let key = attachment.key(network.network_name().unwrap());
    let cni = in_async(&sandbox);
    current_thread().block_on(async {
        cni.add(&network, &attachment).await.unwrap();
        assert_eq!(cni.stale(&network, &Keep::Nothing).await.unwrap().len(), 1);
        assert_eq!(cni.cached_attachment(&key).await.unwrap().attachment, attachment);
        cni.del_cached(&key, OnMissingPlugin::Stop).await.unwrap();
        let report = cni.del_with(&network, &attachment, OnMissingPlugin::Continue).await.unwrap();
        assert_eq!(report.plugins.len(), 1);
    });
}

#[test]
fn versions_can_be_negotiated_by_futures() {
    let version = r#"echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}'"#;
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "VERSION", version);
    let network = sandbox.network_with(json!({"cniVersions": ["0.4.0", "1.0.0", "1.1.0"]}));
    let cni = in_async(&sandbox);
    current_thread().block_on(async {
        assert_eq!(cni.supported_versions(&network).await.unwrap().common().len(), 2);
        assert_eq!(cni.negotiate(&network).await.unwrap().cni_version(), Some("1.0.0"));
    });
}

/// The public functions with `&self` of a type, in a source text.
fn methods<'a>(text: &'a str, of: &str, begin: &'a str) -> impl Iterator<Item = &'a str> {
    let blocks = text.split(&format!("\nimpl {of} {{\n")).skip(1).collect::<Vec<_>>().into_iter();
    let bodies = blocks.map(|block| block.split("\n}\n").next().unwrap());
    let signatures = bodies.flat_map(move |body| body.split(begin).skip(1));
    signatures
        .filter_map(|rest| rest.split_once('('))
        .filter(|(_, rest)| rest.trim_start().starts_with("&self"))
        .map(|(name, _)| name)
}

#[test]
fn no_verb_is_without_its_future() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/runtime");
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let verbs = read(&dir.join("asynchronous/verbs.rs"));
    let futures: Vec<_> = methods(&verbs, "AsyncCni", "\n    pub async fn ").collect();
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.is_file()).map(|path| read(&path)).collect();
    let verbs: Vec<_> = files.iter().flat_map(|text| methods(text, "Cni", "\n    pub fn ")).collect();
    assert!(verbs.contains(&"add") && verbs.contains(&"plugin_version"), "{verbs:?}");
    let runs_nothing =
        ["as_recorded", "cache", "check_kept", "to_builder", "uncancelled", "with_cancel", "with_trace_context"];
    let missing = verbs.iter().filter(|verb| !futures.contains(verb) && !runs_nothing.contains(verb));
    let missing: Vec<_> = missing.collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn an_error_of_a_plugin_comes_back_as_it_is() {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "ADD", &fails_with(11, "no address is left"));
    let add = async { in_async(&sandbox).add(&sandbox.network(), &attachment("c1", "eth0")).await };
    let error = current_thread().block_on(add).unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!(chain(&error).contains("no address is left"), "{error:?}");
}

#[test]
fn a_plugin_gets_no_descriptor_of_the_process() {
    const NUMBER: i32 = 900;
    // As a library of C may leave it, without close-on-exec.
    let open = fs::File::open("/dev/null").unwrap();
    let leaky = nix::fcntl::fcntl(&open, nix::fcntl::FcntlArg::F_DUPFD(NUMBER)).unwrap();
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "STATUS", "ls /proc/$$/fd >$home/open");
    current_thread().block_on(in_async(&sandbox).status(&sandbox.network())).unwrap();
    let found = fs::read_to_string(sandbox.path("open")).unwrap();
    let found: Vec<i32> = found.lines().map(|line| line.parse().unwrap()).collect();
    assert!([0, 1, 2].iter().all(|standard| found.contains(standard)), "{found:?}");
    assert!(!found.contains(&leaky), "{found:?}");
    nix::unistd::close(leaky).unwrap();
}

#[test]
fn several_verbs_may_be_one_future() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
    let cni = in_async(&sandbox);
    let again = cni.run(move |cni| {
        cni.del(&network, &attachment)?;
        cni.add(&network, &attachment)
    });
    current_thread().block_on(again).unwrap();
    assert_eq!(sandbox.calls(), ["DEL one", "ADD one"]);
}

#[test]
fn without_a_tokio_runtime_a_verb_is_an_error_and_does_nothing() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
    let cni = in_async(&sandbox);
    let mut add = std::pin::pin!(cni.add(&network, &attachment));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = add.as_mut().poll(&mut context) else { panic!("no error") };
    assert!(matches!(error, Error::NotStarted { .. }), "{error:?}");
    assert!(!error.needs_cleanup() && sandbox.calls().is_empty());
}

#[test]
fn a_panic_of_an_embedders_code_comes_out_of_the_future() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let cni = sandbox.builder().exec(FakeExec::new(|_| panic!("out of order"))).build().unwrap().into_async();
    let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
    let runtime = current_thread();
    let task = async move { cni.add(&network, &attachment).await };
    let panic = runtime.block_on(runtime.spawn(task)).unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref(), Some(&"out of order"));
}
