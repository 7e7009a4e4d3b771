//! ADD.

use libcni::Error;
use libcni::spec::{CniArgs, ErrorCode};
use serde_json::json;

use super::{Heard, hearing, says};
use crate::support::{Sandbox, attachment, fails_with};

#[test]
fn add_runs_plugins_in_order_and_returns_the_last_result() {
    let sandbox = Sandbox::new().plugins(["one", "two", "three"]);
    let result = sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    assert_eq!(sandbox.calls(), ["ADD one", "ADD two", "ADD three"]);
    assert_eq!(result.latest().dns.domain.as_deref(), Some("three"));
}

#[test]
fn add_hands_each_plugin_the_result_of_the_one_before() {
    let sandbox = Sandbox::new().plugins(["one", "two", "three"]);
    sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    assert_eq!(sandbox.request_of("one", "ADD").get("prevResult"), None);
    for (plugin, previous) in [("two", "one"), ("three", "two")] {
        let request = sandbox.request_of(plugin, "ADD");
        assert_eq!(request["prevResult"], json!({"cniVersion": "1.1.0", "dns": {"domain": previous}}));
    }
}

#[test]
fn add_tells_plugins_everything_about_the_attachment() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let args: CniArgs = "K=V;K2=V2".parse().unwrap();
    sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0").args(args)).unwrap();
    let bin = sandbox.bin().display().to_string();
    for (name, value) in [
        ("CNI_COMMAND", "ADD"),
        ("CNI_CONTAINERID", "c1"),
        ("CNI_NETNS", "/run/netns/blue"),
        ("CNI_IFNAME", "eth0"),
        ("CNI_ARGS", "K=V;K2=V2"),
        ("CNI_PATH", &bin),
    ] {
        assert_eq!(sandbox.variable_of("one", "ADD", name), value, "{name}");
    }
}

#[test]
fn add_stops_at_the_first_failure_and_names_the_plugin() {
    let sandbox = Sandbox::new().plugins(["one", "two", "three"]).on("two", "ADD", &fails_with(120, "no room"));
    let error = sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert_eq!(sandbox.calls(), ["ADD one", "ADD two"]);
    assert_eq!(error.code(), ErrorCode(120));
    says(&error, ["`net`", "`two`", "ADD", "no room"]);
}

#[test]
fn a_failed_add_caches_nothing_and_says_that_clean_up_is_needed() {
    let sandbox = Sandbox::new().plugins(["one", "two"]).on("two", "ADD", &fails_with(120, "no room"));
    let error = sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(error.needs_cleanup());
    assert!(sandbox.cached().is_empty(), "{:?}", sandbox.cached());
}

#[test]
fn an_answer_that_is_no_result_names_the_plugin_and_is_quoted() {
    let sandbox = Sandbox::new().plugins(["one", "two"]).on("one", "ADD", "echo '[1, 2]'");
    let error = sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert_eq!(sandbox.calls(), ["ADD one"]);
    says(&error, ["`one`", "ADD", "[1, 2]"]);
    assert!(sandbox.cached().is_empty());
}

#[test]
fn add_passes_on_what_a_successful_plugin_said_on_stderr() {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "ADD", "echo '{}'; echo careful >&2");
    let (cni, heard) = hearing(sandbox.cni());
    cni.add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    let heard = heard.lock().unwrap();
    let [Heard::Stderr { plugin, text }] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!((plugin.as_str(), text.as_str()), ("one", "careful\n"));
}

/// A host whose cache takes no entry any more when the last plugin has run: a file is in the place of their directory.
fn without_cache() -> Sandbox {
    let spoils = r#"touch $home/cache/results; echo '{"dns":{"domain":"two"}}'"#;
    Sandbox::new().plugins(["one", "two"]).on("two", "ADD", spoils)
}

#[test]
fn nothing_is_run_where_nothing_can_be_recorded() {
    let sandbox = Sandbox::new().plugins(["one"]);
    std::fs::write(sandbox.path("cache"), "").unwrap();
    let error = sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(sandbox.calls().is_empty() && !error.needs_cleanup(), "{error:?}");
    says(&error, ["network `net`", "cache"]);
}

#[test]
fn an_add_that_cannot_be_cached_is_undone_and_says_so() {
    let sandbox = without_cache();
    let error = sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert_eq!(sandbox.calls(), ["ADD one", "ADD two", "DEL two", "DEL one"]);
    assert_eq!(sandbox.request_of("one", "DEL")["prevResult"]["dns"]["domain"], "two");
    assert!(!error.needs_cleanup());
    says(&error, ["undone", "`c1`", "cache"]);
}

#[test]
fn an_add_that_can_neither_be_cached_nor_undone_says_what_is_left() {
    let sandbox = without_cache().on("two", "DEL", &fails_with(121, "still in use"));
    let error = sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(matches!(error, Error::NotRecorded { .. }), "{error:?}");
    assert!(error.needs_cleanup());
    says(&error, ["undone in part only", "`two`", "still in use", "cache"]);
}

#[test]
fn a_plugin_that_is_not_installed_is_named_with_the_directories() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let network = sandbox.network_with(json!({"plugins": [{"type": "one"}, {"type": "gone"}]}));
    let error = sandbox.cni().add(&network, &attachment("c1", "eth0")).unwrap_err();
    says(&error, ["`gone`", "`net`", &sandbox.bin().display().to_string()]);
    assert!(sandbox.calls().is_empty() && !error.needs_cleanup());
}
