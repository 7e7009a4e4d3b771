//! An attachment gets the configuration of today.

use std::time::Duration;

use libcni::cache::{Cached, Key};
use libcni::conf::NetworkConfig;
use libcni::runtime::{Changes, Plan};
use libcni::spec::capability::{CapabilityArgs, PortMapping};
use libcni::{Attachment, CancelToken, Error, WhyNotUpdated};
use serde_json::{Value, json};

use super::{Heard, hearing, says};
use crate::support::{Sandbox, attachment, eventually, fails_with};

const RESULT: &str = r#"{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01","sandbox":"/n"}],
    "ips":[{"interface":0,"address":"10.1.2.9/24"}],"x":12345678901234567890123}"#;

/// A host with a bridge and plugins behind it that hand on what they get.
fn sandbox() -> Sandbox {
    let hand_on = r#"sed 's/.*"prevResult":\(.*\)}$/\1/; s/,"runtimeConfig":.*//' "$call/stdin""#;
    ["portmap", "bandwidth", "firewall"].into_iter().fold(
        Sandbox::new().plugins(["bridge", "portmap", "bandwidth", "firewall"]).on(
            "bridge",
            "ADD",
            &format!("echo '{RESULT}'"),
        ),
        |sandbox, plugin| sandbox.on(plugin, "ADD", hand_on),
    )
}

fn network(plugins: Value) -> NetworkConfig {
    NetworkConfig::parse(&json!({"cniVersion": "1.1.0", "name": "net", "plugins": plugins}).to_string()).unwrap()
}

fn shaped(rate: u64) -> NetworkConfig {
    let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    network(json!([{"type": "bridge"}, portmap, {"type": "bandwidth", "rate": rate}, {"type": "firewall"}]))
}

fn web() -> Attachment {
    attachment("c1", "eth0").netns("").port_mappings(&[PortMapping::tcp(8080, 80)])
}

fn key() -> Key {
    web().key("net".parse().unwrap())
}

fn added() -> Sandbox {
    let sandbox = sandbox();
    sandbox.cni().add(&shaped(10), &web()).unwrap();
    sandbox.forget_calls();
    sandbox
}

fn ports(mappings: &[PortMapping]) -> Changes {
    let mut arguments = CapabilityArgs::new();
    arguments.set_port_mappings(mappings);
    Changes::new().capability_args(arguments)
}

fn recorded(sandbox: &Sandbox) -> libcni::cache::Entry {
    match sandbox.cni().cache().read(&key()).unwrap() {
        Some(Cached::Entry(entry)) => entry,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_common_beginning_stays_and_the_rest_is_deleted_and_added() {
    let sandbox = added();
    let updated = sandbox.cni().update(&shaped(50), &key(), &Changes::new()).unwrap();
    assert_eq!(sandbox.calls(), ["DEL firewall", "DEL bandwidth", "ADD bandwidth", "ADD firewall"]);
    assert_eq!(updated.plan.kept, ["bridge", "portmap"]);
    assert_eq!(sandbox.request_of("bandwidth", "DEL")["rate"], 10);
    let request = sandbox.request_of("bandwidth", "ADD");
    assert_eq!((&request["rate"], &request["prevResult"]["ips"][0]["address"]), (&json!(50), &json!("10.1.2.9/24")));
    assert!(sandbox.stdin_of("bandwidth", "ADD").contains("12345678901234567890123"));
    assert_eq!(updated.result.latest().ips.len(), 1);
    // What is recorded is what CHECK, DEL and the next update go by.
    assert!(Plan::new(&shaped(50), &recorded(&sandbox), &Changes::new()).unwrap().is_current());
    sandbox.forget_calls();
    sandbox.cni().check(&shaped(50), &web()).unwrap();
    sandbox.cni().del(&shaped(50), &web()).unwrap();
    assert!(sandbox.cached().is_empty());
}

#[test]
fn what_is_the_same_is_not_touched() {
    let sandbox = added();
    let updated = sandbox.cni().update(&shaped(10), &key(), &Changes::new()).unwrap();
    assert!(updated.plan.is_current());
    assert_eq!(updated.plan.to_string(), "nothing to do");
    // Spaces and the order of keys are no difference, but the record has the text of today.
    let portmap = json!({"capabilities": {"portMappings": true}, "type": "portmap"});
    let plugins = json!([{"type": "bridge"}, portmap, {"rate": 10, "type": "bandwidth"}, {"type": "firewall"}]);
    let list = json!({"plugins": plugins, "name": "net", "cniVersion": "1.1.0", "disableGC": true});
    let same = NetworkConfig::parse(&format!("{list:#}")).unwrap();
    let updated = sandbox.cni().update(&same, &key(), &Changes::new()).unwrap();
    assert!(updated.plan.is_recorded_anew);
    assert!(sandbox.calls().is_empty());
    assert_eq!(recorded(&sandbox).config, same.text().as_bytes());
}

#[test]
fn arguments_of_a_capability_are_replaced_and_recorded() {
    let sandbox = added();
    sandbox.cni().update(&shaped(10), &key(), &ports(&[PortMapping::udp(53, 53)])).unwrap();
    let of = |verb| sandbox.request_of("portmap", verb)["runtimeConfig"]["portMappings"][0]["hostPort"].clone();
    assert_eq!((of("DEL"), of("ADD")), (json!(8080), json!(53)));
    assert_eq!(recorded(&sandbox).capability_args, web().port_mappings(&[PortMapping::udp(53, 53)]).capability_args);
    sandbox.forget_calls();
    // Arguments that no plugin takes change no plugin.
    let mut rates = CapabilityArgs::new();
    rates.set("bandwidth", &json!({"ingressRate": 1})).unwrap();
    let updated = sandbox.cni().update(&shaped(10), &key(), &Changes::new().capability_args(rates)).unwrap();
    assert!(updated.plan.is_recorded_anew && sandbox.calls().is_empty());
}

#[test]
fn plugins_come_and_go() {
    let sandbox = sandbox();
    sandbox.cni().add(&network(json!([{"type": "bridge"}])), &web()).unwrap();
    sandbox.forget_calls();
    let more = network(json!([{"type": "bridge"}, {"type": "firewall"}]));
    sandbox.cni().update(&more, &key(), &Changes::new()).unwrap();
    assert_eq!(sandbox.calls(), ["ADD firewall"]);
    assert_eq!(sandbox.request_of("firewall", "ADD")["prevResult"]["interfaces"][0]["name"], "eth0");
    sandbox.forget_calls();
    sandbox.cni().update(&network(json!([{"type": "bridge"}])), &key(), &Changes::new()).unwrap();
    assert_eq!(sandbox.calls(), ["DEL firewall"]);
    assert_eq!(recorded(&sandbox).result().unwrap().latest().ips.len(), 1);
}

#[test]
fn an_interface_is_made_again_only_where_that_is_allowed() {
    let sandbox = added();
    let mut other = shaped(10).text().to_owned();
    other = other.replace(r#"{"type":"bridge"}"#, r#"{"type":"bridge","mtu":9000,"ipam":{"type":"host-local"}}"#);
    let other = NetworkConfig::parse(&other).unwrap();
    let error = sandbox.cni().update(&other, &key(), &Changes::new()).unwrap_err();
    let Error::NotUpdated { why: WhyNotUpdated::RemakesInterface { plugin, .. }, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(plugin, "bridge");
    assert!(sandbox.calls().is_empty());

    sandbox.cni().update(&other, &key(), &Changes::new().recreate()).unwrap();
    let verbs = |verb, plugins: [&str; 4]| plugins.map(|plugin| format!("{verb} {plugin}"));
    let expected = [
        verbs("DEL", ["firewall", "bandwidth", "portmap", "bridge"]),
        verbs("ADD", ["bridge", "portmap", "bandwidth", "firewall"]),
    ];
    assert_eq!(sandbox.calls(), expected.concat());
    let request = sandbox.request_of("bridge", "ADD");
    assert_eq!(request["args"], json!({"cni": {"ips": ["10.1.2.9/24"]}}), "the same addresses are asked for");
    assert_eq!(request.get("prevResult"), None);
    assert!(!String::from_utf8(recorded(&sandbox).config).unwrap().contains("args"));
}

/// An update that makes the interface again, where ADD of `bridge` does this when addresses are asked for. `given_up`
/// is there once it is run without.
fn recreate(on_asked: &str) -> (Sandbox, NetworkConfig) {
    let add =
        r#"grep -q 9000 "$call/stdin" && { grep -q '"ips"' "$call/stdin" && { ASKED; }; touch "$home/given_up"; }"#;
    let sandbox = added().on("bridge", "ADD", &format!("{}; echo '{RESULT}'", add.replace("ASKED", on_asked)));
    let mut list: Value = serde_json::from_str(shaped(10).text()).unwrap();
    list["plugins"][0] = json!({"type": "bridge", "mtu": 9000, "ipam": {"type": "host-local"}});
    (sandbox, NetworkConfig::parse(&list.to_string()).unwrap())
}

#[test]
fn addresses_that_can_not_be_had_are_given_up() {
    let (sandbox, other) = recreate(&fails_with(999, "requested address 10.1.2.9 is not available"));
    sandbox.cni().update(&other, &key(), &Changes::new().recreate()).unwrap();
    assert!(sandbox.path("given_up").exists());
}

#[test]
fn addresses_are_not_given_up_for_another_reason() {
    let reasons = ["exit 3", &fails_with(999, "no room for 10.1.2.99"), &fails_with(11, "busy"), "echo '['; exit 1"];
    for reason in reasons {
        let (sandbox, other) = recreate(reason);
        let error = sandbox.cni().update(&other, &key(), &Changes::new().recreate()).unwrap_err();
        assert!(matches!(&error, Error::UpdateUndone { is_unfinished: false, .. }), "{reason}: {error:?}");
        assert!(!sandbox.path("given_up").exists(), "{reason}");
    }
}

#[test]
fn an_update_that_is_cancelled_while_it_asks_for_addresses_gives_none_up() {
    let (sandbox, other) = recreate(r#": >"$home/asked"; exec sleep 300"#);
    let token = CancelToken::new().unwrap();
    let cni = sandbox.builder().timeout(Duration::from_secs(600)).cancel(token.clone()).build().unwrap();
    let error = std::thread::scope(|scope| {
        let update = scope.spawn(|| cni.update(&other, &key(), &Changes::new().recreate()).unwrap_err());
        eventually("the plugin is asked", || sandbox.path("asked").exists());
        token.cancel().unwrap();
        update.join().unwrap()
    });
    assert!(error.is_cancelled(), "{error:?}");
    assert!(!sandbox.path("given_up").exists());
}

#[test]
fn a_plugin_of_ones_own_can_be_one_that_hands_its_result_on() {
    let sandbox = sandbox().plugins(["own"]).on("own", "ADD", &format!("echo '{RESULT}'"));
    let own = |key: u32| network(json!([{"type": "bridge"}, {"type": "own", "key": key}]));
    sandbox.cni().add(&own(1), &web()).unwrap();
    let error = sandbox.cni().update(&own(2), &key(), &Changes::new()).unwrap_err();
    says(&error, ["`own`", "container `c1`", "network `net`"]);
    sandbox.cni().update(&own(2), &key(), &Changes::new().hands_result_on("own")).unwrap();
}

#[test]
fn a_failing_plugin_brings_back_what_was_before() {
    let sandbox = added();
    sandbox.now_on(
        "bandwidth",
        "ADD",
        &format!(r#"grep -q '"rate":50' "$call/stdin" && {{ {}; }}; cat "$home/behaviour/r""#, fails_with(11, "no")),
    );
    std::fs::write(sandbox.path("behaviour/r"), RESULT).unwrap();
    sandbox.now_on("firewall", "ADD", r#"cat "$home/behaviour/r""#);
    let error = sandbox.cni().update(&shaped(50), &key(), &Changes::new()).unwrap_err();
    assert!(matches!(&error, Error::UpdateUndone { is_unfinished: false, undo: None, .. }), "{error:?}");
    says(&error, ["failed, and was undone", "`bandwidth`", "no"]);
    let expected = ["DEL firewall", "DEL bandwidth", "ADD bandwidth", "DEL bandwidth", "ADD bandwidth", "ADD firewall"];
    assert_eq!(sandbox.calls(), expected);
    assert_eq!(sandbox.request_of("bandwidth", "ADD")["rate"], 10);
    assert!(Plan::new(&shaped(10), &recorded(&sandbox), &Changes::new()).unwrap().is_current());
    sandbox.cni().check(&shaped(10), &web()).unwrap();
}

#[test]
fn what_can_not_be_brought_back_is_said_and_stays_on_record() {
    let sandbox = added().on("bandwidth", "ADD", &fails_with(5, "disk full"));
    let error = sandbox.cni().update(&shaped(50), &key(), &Changes::new()).unwrap_err();
    assert!(matches!(&error, Error::UpdateUndone { is_unfinished: true, undo: Some(_), .. }), "{error:?}");
    says(&error, ["undone in part only", "disk full"]);
    let error = sandbox.cni().check(&shaped(50), &web()).unwrap_err();
    assert!(matches!(error, Error::UpdateUnfinished { .. }), "{error:?}");
    // Another update brings it to its end, and knows that anything may be there.
    sandbox.forget_calls();
    sandbox.now_on("bandwidth", "ADD", &format!("echo '{RESULT}'"));
    sandbox.cni().update(&shaped(50), &key(), &Changes::new()).unwrap();
    let removed = ["DEL firewall", "DEL bandwidth", "DEL firewall", "DEL bandwidth"];
    assert_eq!(sandbox.calls(), [&removed[..], &["ADD bandwidth", "ADD firewall"]].concat());
    sandbox.cni().check(&shaped(50), &web()).unwrap();
}

#[test]
fn del_of_an_unfinished_update_deletes_what_was_before_and_what_came_after() {
    let sandbox = added().on("bandwidth", "ADD", &fails_with(5, "disk full"));
    let fewer = network(json!([{"type": "bridge"}, {"type": "bandwidth", "rate": 50}]));
    sandbox.cni().update(&fewer, &key(), &Changes::new()).unwrap_err();
    sandbox.forget_calls();
    sandbox.cni().del(&fewer, &web()).unwrap();
    assert_eq!(sandbox.calls(), ["DEL bandwidth", "DEL firewall", "DEL bandwidth", "DEL portmap", "DEL bridge"]);
    assert!(sandbox.cached().is_empty());
    assert!(sandbox.cni().cache().inventory().unwrap().attached.is_empty());
}

#[test]
fn nothing_is_run_before_every_refusal_is_known() {
    let sandbox = added();
    let error =
        sandbox.cni().update(&shaped(50), &attachment("c2", "eth0").key("net".parse().unwrap()), &Changes::new());
    assert!(matches!(error, Err(Error::NotCached { .. })), "{error:?}");
    let missing = network(json!([{"type": "bridge"}, {"type": "portmap"}, {"type": "tuning"}]));
    let error = sandbox.cni().update(&missing, &key(), &Changes::new()).unwrap_err();
    says(&error, ["`tuning`", "network `net`"]);
    let gone = sandbox.path("gone");
    sandbox.cni().add(&shaped(10), &attachment("c3", "eth0").netns(&gone)).unwrap();
    sandbox.forget_calls();
    let error =
        sandbox.cni().update(&shaped(50), &attachment("c3", "eth0").key("net".parse().unwrap()), &Changes::new());
    let error = error.unwrap_err();
    assert!(matches!(&error, Error::NotUpdated { why: WhyNotUpdated::NamespaceGone { .. }, .. }), "{error:?}");
    assert!(sandbox.calls().is_empty());
    assert_eq!(sandbox.cni().cache().inventory().unwrap().attached.len(), 2);
}

#[test]
fn check_says_that_the_configuration_is_another_one() {
    let sandbox = added();
    let (cni, heard) = hearing(sandbox.cni());
    cni.check(&shaped(50), &web()).unwrap();
    let heard: Vec<_> = heard.lock().unwrap().drain(..).collect();
    let expected = "DEL of firewall, bandwidth, ADD of bandwidth, firewall; bridge, portmap stay";
    assert!(matches!(&heard[..], [Heard::ConfigurationChanged(plan)] if plan == expected), "{heard:?}");
    cni.check(&shaped(10), &web()).unwrap();
}
