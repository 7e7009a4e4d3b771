//! DEL.

use libcni::runtime::OnMissingPlugin;
use serde_json::json;

use super::{Heard, hearing, says};
use crate::support::{Sandbox, attachment, fails_with};

/// A host with one attachment.
#[track_caller]
fn with_attachment() -> Sandbox {
    let sandbox = Sandbox::new().plugins(["one", "two"]);
    sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    sandbox.forget_calls();
    sandbox
}

#[test]
fn del_runs_plugins_in_reverse_each_with_the_cached_result() {
    let sandbox = with_attachment();
    sandbox.cni().del(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    assert_eq!(sandbox.calls(), ["DEL two", "DEL one"]);
    for plugin in ["one", "two"] {
        let previous = &sandbox.request_of(plugin, "DEL")["prevResult"];
        assert_eq!(previous, &json!({"cniVersion": "1.1.0", "dns": {"domain": "two"}}), "{plugin}");
    }
}

#[test]
fn del_removes_the_cache_entry_of_its_attachment_only() {
    let sandbox = with_attachment();
    sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth1")).unwrap();
    assert_eq!(sandbox.cached(), ["net-c1-eth0", "net-c1-eth1"]);
    sandbox.cni().del(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    assert_eq!(sandbox.cached(), ["net-c1-eth1"]);
}

#[test]
fn a_failing_del_stops_names_the_plugin_and_can_be_tried_again() {
    let sandbox = with_attachment().on("two", "DEL", &fails_with(11, "later"));
    let error = sandbox.cni().del(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert_eq!(sandbox.calls(), ["DEL two"]);
    assert_eq!(sandbox.cached(), ["net-c1-eth0"]);
    assert!(error.is_retryable());
    says(&error, ["`two`", "DEL", "later"]);

    sandbox.now_on("two", "DEL", ":");
    sandbox.cni().del(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    assert_eq!(sandbox.request_of("one", "DEL")["prevResult"]["dns"]["domain"], "two");
    assert!(sandbox.cached().is_empty());
}

#[test]
fn the_cache_entry_is_still_there_while_plugins_run() {
    let sandbox = with_attachment().on("one", "DEL", r#"test -e "$home/cache/results/net-c1-eth0""#);
    sandbox.cni().del(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    assert!(sandbox.cached().is_empty());
}

#[test]
fn del_without_a_cache_entry_runs_every_plugin() {
    let sandbox = Sandbox::new().plugins(["one", "two"]);
    sandbox.cni().del(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    assert_eq!(sandbox.calls(), ["DEL two", "DEL one"]);
    assert_eq!(sandbox.request_of("two", "DEL").get("prevResult"), None);
}

#[test]
fn a_broken_cache_entry_does_not_stop_del_and_is_reported() {
    for broken in ["", "{", r#"{"kind":"cniCacheV1","config":7}"#, r#"{"cniVersion":"9.9.9"}"#, "[]", "\u{0}"] {
        let sandbox = Sandbox::new().plugins(["one", "two"]);
        sandbox.plant_cached("net-c1-eth0", broken);
        let (cni, heard) = hearing(sandbox.cni());
        cni.del(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
        assert_eq!(sandbox.calls(), ["DEL two", "DEL one"], "{broken}");
        assert!(sandbox.cached().is_empty(), "{broken} is left");
        let heard = heard.lock().unwrap();
        let [Heard::UnusableCacheEntry(error)] = heard.as_slice() else { panic!("{broken}: {heard:?}") };
        assert!(error.contains("c1"), "{broken}: {error}");
    }
}

#[test]
fn a_result_that_the_version_cannot_express_does_not_stop_del() {
    let sandbox = with_attachment();
    let (cni, heard) = hearing(sandbox.cni());
    cni.del(&sandbox.network_with(json!({"cniVersion": "7.0.0"})), &attachment("c1", "eth0")).unwrap();
    assert_eq!(sandbox.calls(), ["DEL two", "DEL one"]);
    let heard = heard.lock().unwrap();
    assert!(matches!(heard.as_slice(), [Heard::UnusableCacheEntry(error)] if error.contains("7.0.0")), "{heard:?}");
}

#[test]
fn before_0_4_0_plugins_get_no_previous_result_on_del() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let network = sandbox.network_with(json!({"cniVersion": "0.3.1"}));
    sandbox.cni().add(&network, &attachment("c1", "eth0")).unwrap();
    sandbox.cni().del(&network, &attachment("c1", "eth0")).unwrap();
    assert_eq!(sandbox.request_of("one", "DEL").get("prevResult"), None);
    assert!(sandbox.cached().is_empty());
}

#[test]
fn del_works_without_a_namespace() {
    let sandbox = with_attachment();
    sandbox.cni().del(&sandbox.network(), &attachment("c1", "eth0").netns("")).unwrap();
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_NETNS"), "");
}

#[test]
fn a_cached_result_is_converted_to_the_version_of_the_list() {
    let sandbox = with_attachment();
    let network = sandbox.network_with(json!({"cniVersion": "0.4.0"}));
    sandbox.cni().del(&network, &attachment("c1", "eth0")).unwrap();
    assert_eq!(sandbox.request_of("one", "DEL")["prevResult"]["cniVersion"], "0.4.0");
}

#[test]
fn del_works_from_the_cache_alone() {
    let sandbox = Sandbox::new().plugins(["one", "two"]);
    let mut attachment = attachment("c1", "eth0");
    attachment.args.push("K", "V").unwrap();
    sandbox.cni().add(&sandbox.network(), &attachment).unwrap();
    sandbox.forget_calls();
    let key = attachment.key("net".parse().unwrap());
    let report = sandbox.cni().del_cached(&key, OnMissingPlugin::Stop).unwrap();
    assert_eq!(sandbox.calls(), ["DEL two", "DEL one"]);
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_ARGS"), "K=V");
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_NETNS"), "/run/netns/blue");
    assert_eq!(sandbox.request_of("one", "DEL")["prevResult"]["dns"]["domain"], "two");
    assert_eq!(report.plugins.len(), 2);
    assert_eq!(sandbox.cached(), Vec::<String>::new());
    let error = sandbox.cni().del_cached(&key, OnMissingPlugin::Stop).unwrap_err();
    says(&error, ["there is no record", "`net`", "`c1`", "`eth0`", "/cache"]);
}

#[test]
fn del_works_from_an_entry_of_go_for_a_single_plugin() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let config = base64::prelude::Engine::encode(
        &base64::prelude::BASE64_STANDARD,
        r#"{"cniVersion":"0.4.0","name":"net","type":"one"}"#,
    );
    let entry = format!(
        r#"{{"kind":"cniCacheV1","containerId":"c1","config":"{config}","ifName":"eth0","networkName":"net","result":{{"cniVersion":"0.4.0"}}}}"#
    );
    sandbox.plant_cached("net-c1-eth0", &entry);
    let key = attachment("c1", "eth0").key("net".parse().unwrap());
    sandbox.cni().del_cached(&key, OnMissingPlugin::Stop).unwrap();
    assert_eq!(sandbox.calls(), ["DEL one"]);
    assert_eq!(sandbox.request_of("one", "DEL")["cniVersion"], "0.4.0");
}

#[test]
fn a_plugin_that_is_not_installed_stops_del_unless_it_is_told_to_go_on() {
    let sandbox = Sandbox::new().plugins(["one", "two", "three"]);
    let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
    sandbox.cni().add(&network, &attachment).unwrap();
    std::fs::remove_file(sandbox.bin().join("two")).unwrap();
    sandbox.forget_calls();
    let error = sandbox.cni().del(&network, &attachment).unwrap_err();
    says(&error, ["`two`", "DEL"]);
    assert_eq!((sandbox.calls(), sandbox.cached()), (vec!["DEL three".to_owned()], vec!["net-c1-eth0".to_owned()]));

    let (cni, heard) = hearing(sandbox.cni());
    let report = cni.del_with(&network, &attachment, OnMissingPlugin::Continue).unwrap();
    assert_eq!(sandbox.calls(), ["DEL three", "DEL three", "DEL one"]);
    assert_eq!(report.skipped().filter_map(|error| error.plugin()).collect::<Vec<_>>(), ["two"]);
    let heard = heard.lock().unwrap();
    assert!(matches!(heard.as_slice(), [Heard::PluginSkipped(error)] if error.contains("`two`")), "{heard:?}");
    assert_eq!(sandbox.cached(), Vec::<String>::new());
}

#[test]
fn the_namespace_of_this_process_is_not_touched_unless_that_is_allowed() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let own = attachment("c1", "eth0").netns("/proc/self/ns/net");
    let (cni, heard) = hearing(sandbox.cni());
    cni.del(&sandbox.network(), &own).unwrap();
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_NETNS"), "");
    let heard = heard.lock().unwrap();
    assert!(matches!(heard.as_slice(), [Heard::ForeignNetns(path)] if path == "/proc/self/ns/net"), "{heard:?}");

    let allowing = sandbox.builder().env([("CNI_NETNS_OVERRIDE", "1"), ("PATH", "/usr/bin:/bin")]).build().unwrap();
    allowing.del(&sandbox.network(), &own).unwrap();
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_NETNS"), "/proc/self/ns/net");
}

#[test]
fn an_ordinary_file_in_place_of_the_namespace_is_not_given_to_plugins_which_fail_at_it() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let left = attachment("c1", "eth0").netns(sandbox.path("left"));
    sandbox.cni().add(&sandbox.network(), &left).unwrap();
    std::fs::write(sandbox.path("left"), "").unwrap();
    sandbox.cni().del(&sandbox.network(), &left).unwrap();
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_NETNS"), "");
}

#[test]
fn del_works_where_locks_can_not_be_written() {
    let sandbox = Sandbox::new().plugins(["one"]);
    std::fs::create_dir(sandbox.path("cache")).unwrap();
    for name in ["network-net", "container-c1"] {
        std::fs::create_dir(sandbox.path("cache").join(format!(".lock-{name}"))).unwrap();
    }
    let (cni, heard) = hearing(sandbox.cni());
    cni.del(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    assert_eq!(sandbox.calls(), ["DEL one"]);
    let heard = heard.lock().unwrap();
    let [Heard::Unlocked(first), Heard::Unlocked(second)] = heard.as_slice() else { panic!("{heard:?}") };
    assert!(first.contains("`net`") && second.contains("`c1`"), "{heard:?}");
}
