//! What subscribers of the crate `tracing` are told.

use std::time::Duration;

use libcni::Cni;
use tracing::Level;

use self::recorder::Recorder;
use crate::support::{Sandbox, attachment, fails_with};

mod recorder;

/// What is told of a call, up to a level.
#[track_caller]
fn told(up_to: Level, sandbox: &Sandbox, call: impl FnOnce(&Cni)) -> Recorder {
    let recorder = Recorder::new(up_to);
    let cni = sandbox.builder().tracing().build().unwrap();
    tracing::subscriber::with_default(recorder.clone(), || call(&cni));
    recorder
}

/// What is told of an ADD whose plugin does this, whether it succeeds or not.
#[track_caller]
fn told_of_add(up_to: Level, shell: &str) -> Recorder {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "ADD", shell);
    told(up_to, &sandbox, |cni| drop(cni.add(&sandbox.network(), &attachment("c1", "eth0"))))
}

#[test]
fn an_execution_is_a_span_that_says_whose_it_is_and_how_it_ended() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let recorder = told(Level::INFO, &sandbox, |cni| {
        cni.add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    });
    let span = recorder.span();
    assert_eq!(span.what.name(), "cni_plugin");
    let program = sandbox.bin().join("one").display().to_string();
    for (field, value) in [
        ("plugin", "one"),
        ("command", "ADD"),
        ("network", "net"),
        ("container_id", "c1"),
        ("ifname", "eth0"),
        ("program", &program),
        ("exit", "exit status: 0"),
    ] {
        assert_eq!(span.field(field), value, "{field}");
    }
    span.field("duration_ms").parse::<u64>().expect("a number of milliseconds");
}

#[test]
fn each_plugin_of_a_network_has_a_span() {
    let sandbox = Sandbox::new().plugins(["one", "two"]);
    let recorder = told(Level::INFO, &sandbox, |cni| {
        cni.status(&sandbox.network()).unwrap();
        cni.plugin_version("one").unwrap_err();
    });
    let spans: Vec<_> = recorder.spans();
    let spans = spans.iter().map(|span| ["command", "plugin", "network"].map(|field| span.field(field)).join(" "));
    assert_eq!(spans.collect::<Vec<_>>(), ["STATUS one net", "STATUS two net", "VERSION one "]);
}

#[test]
fn stderr_of_a_plugin_becomes_events_in_its_span_and_goes_nowhere_else() {
    // The sandbox's own handler of notices would panic.
    let recorder = told_of_add(Level::DEBUG, r"printf 'first\n\n\033[2Jsecond\n' >&2; echo '{}'");
    let lines = ["INFO libcni::plugin: first", r"INFO libcni::plugin: \u{1b}[2Jsecond", "DEBUG libcni::plugin: ended"];
    assert_eq!(recorder.lines(), lines);
    assert!(recorder.events().iter().all(|event| event.parent == Some(0)));
}

#[test]
fn a_failure_is_a_warning_with_its_reason_and_span() {
    let recorder = told_of_add(Level::WARN, &format!("echo no lease >&2; {}", fails_with(11, "try later")));
    assert_eq!(recorder.lines(), ["WARN libcni::plugin: no lease", "WARN libcni::plugin: failed"]);
    let failed = recorder.events().pop().unwrap();
    assert_eq!(failed.field("exit"), "exit status: 1");
    assert!(failed.field("error").contains("try later"), "{failed:?}");
    assert_eq!((failed.parent, recorder.span().field("container_id")), (Some(0), "c1"));
}

#[test]
fn a_plugin_that_was_ended_is_a_warning_with_what_it_had_said() {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "ADD", "echo no lease >&2; exec sleep 300");
    let recorder = told(Level::WARN, &sandbox, |cni| {
        let cni = cni.to_builder().timeout(Duration::from_secs(1)).build().unwrap();
        cni.add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    });
    assert_eq!(recorder.lines(), ["WARN libcni::plugin: no lease", "WARN libcni::plugin: failed"]);
    let failed = recorder.events().pop().unwrap();
    assert!(failed.field("error").contains("1000 ms"), "{failed:?}");
}

#[test]
fn a_notice_is_a_warning() {
    let sandbox = Sandbox::new().plugins(["one"]);
    sandbox.plant_cached("net-c1-eth0", "{");
    let recorder = told(Level::WARN, &sandbox, |cni| {
        cni.del(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    });
    let lines = recorder.lines();
    assert!(lines.len() == 1 && lines[0].starts_with("WARN libcni: passed over: "), "{lines:?}");
    assert!(lines[0].contains("net-c1-eth0"), "{lines:?}");
}

#[cfg(feature = "tokio")]
#[test]
fn the_span_of_a_future_is_the_parent_on_its_thread() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let recorder = told(Level::INFO, &sandbox, |cni| {
        let cni = cni.clone().into_async();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
        let span = tracing::info_span!("pod").entered();
        runtime.block_on(cni.add(&network, &attachment)).unwrap();
        drop(span);
    });
    let spans: Vec<_> = recorder.spans().iter().map(|span| (span.what.name(), span.parent)).collect();
    assert_eq!(spans, [("pod", None), ("cni_plugin", Some(0))]);
}
