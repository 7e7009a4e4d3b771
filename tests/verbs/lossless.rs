//! What the library does not understand passes through it as it was written.

use libcni::conf::NetworkConfig;
use libcni::spec::capability::CapabilityArgs;

use crate::support::{Sandbox, attachment};

/// Keys that a plugin may have: an odd order, numbers that no float holds, numbers that a float prints otherwise.
const ODD: &str = r#""zeta":9007199254740993,"alpha":12345678901234567890,"huge":1e400,"price":1.10,"nested":{"b":[1.0, 2e0],"a":{ "deep" : -0 }},"text":"\u00e9\/","again":1,"again":2"#;

#[track_caller]
fn network(plugin: &str) -> NetworkConfig {
    let list =
        format!(r#"{{"stray":1e400,"plugins":[{plugin}],"name":"net","cniVersion":"1.0.0","disableCheck":"False"}}"#);
    NetworkConfig::parse(&list).unwrap()
}

#[test]
fn a_plugin_gets_its_object_as_it_was_written_but_for_the_keys_that_the_library_sets() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let network = network(&format!(r#"{{{ODD},"cniVersion":"0.1.0","type":"one","name":"mine"}}"#));
    sandbox.cni().add(&network, &attachment("c1", "eth0")).unwrap();
    let expected = format!(r#"{{{ODD},"type":"one","name":"net","cniVersion":"1.0.0"}}"#);
    assert_eq!(sandbox.stdin_of("one", "ADD"), expected);
}

#[test]
fn a_plugin_gets_capability_arguments_as_they_were_written() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let network = network(r#"{"type":"one","capabilities":{"x":true,"y":true}}"#);
    let args = CapabilityArgs::parse(r#"{"y":{"n":12345678901234567890},"unasked":1,"x":1.10}"#).unwrap();
    sandbox.cni().add(&network, &attachment("c1", "eth0").capability_args(args)).unwrap();
    let stdin = sandbox.stdin_of("one", "ADD");
    assert!(stdin.contains(r#""runtimeConfig":{"y":{"n":12345678901234567890},"x":1.10}"#), "{stdin}");
}

#[test]
fn unknown_keys_of_a_result_reach_the_next_plugin_the_caller_and_the_cache() {
    let result = r#"{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.5/16","lease":9007199254740993}],"dns":{"x":1e400},"vendor/key":{"z":1.10,"a":12345678901234567890}}"#;
    let sandbox = Sandbox::new().plugins(["one", "two"]);
    let sandbox = sandbox.on("one", "ADD", &format!("echo '{result}'"));
    let sandbox = sandbox.on("two", "ADD", &format!("echo '{result}'"));
    let network = network(r#"{"type":"one"},{"type":"two"}"#);
    let returned = sandbox.cni().add(&network, &attachment("c1", "eth0")).unwrap();
    assert_eq!(returned.to_string(), result);
    sandbox.cni().del(&network, &attachment("c1", "eth0")).unwrap();
    for (plugin, verb) in [("two", "ADD"), ("two", "DEL"), ("one", "DEL")] {
        let stdin = sandbox.stdin_of(plugin, verb);
        assert!(stdin.contains(&format!(r#""prevResult":{result}"#)), "{verb} {plugin}: {stdin}");
    }
}
