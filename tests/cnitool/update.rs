//! `cnitool update`, and who else says that a configuration changed.

use std::fs;

use serde_json::{Value, json};

use super::succeeds;
use crate::support::{Ran, Sandbox};

const NETNS: &str = "/proc/self/ns/net";

fn list(rate: u64, mtu: u64) -> String {
    let shaper = json!({"type": "bandwidth", "ingressRate": rate, "capabilities": {"bandwidth": true}});
    json!({"cniVersion": "1.1.0", "name": "net", "plugins": [{"type": "bridge", "mtu": mtu}, shaper]}).to_string()
}

/// A host with two attachments.
fn host() -> Sandbox {
    let sandbox = Sandbox::new().plugins(["bridge", "bandwidth"]).file("net.conflist", list(10, 1500));
    for id in ["web-0", "web-1"] {
        succeeds(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", id]));
    }
    sandbox.forget_calls();
    sandbox
}

fn edit(sandbox: &Sandbox, rate: u64, mtu: u64) {
    fs::write(sandbox.net_d().join("net.conflist"), list(rate, mtu)).unwrap();
}

fn configurations(sandbox: &Sandbox) -> Vec<Value> {
    let listed: Value =
        serde_json::from_str(&succeeds(&mut sandbox.cnitool(["list", "attachments", "--json"])).stdout()).unwrap();
    listed["attachments"].as_array().unwrap().iter().map(|one| one["configuration"].clone()).collect()
}

#[test]
fn an_edited_network_reaches_one_attachment_or_all() {
    let sandbox = host();
    edit(&sandbox, 50, 1500);
    assert_eq!(configurations(&sandbox), ["changed", "changed"]);
    let step = "DEL of bandwidth, ADD of bandwidth; bridge stays";
    let shown = succeeds(&mut sandbox.cnitool(["update", "net", "--all", "--dry-run"])).stdout();
    assert_eq!(shown, format!("web-0:eth0: {step}\nweb-1:eth0: {step}\n"));
    assert!(sandbox.calls().is_empty());

    let shown = succeeds(&mut sandbox.cnitool(["update", "net", "--container-id", "web-1"])).stdout();
    assert_eq!(shown, format!("web-1:eth0: {step}\n"));
    assert_eq!(sandbox.calls(), ["DEL bandwidth", "ADD bandwidth"]);
    assert_eq!(sandbox.request_of("bandwidth", "ADD")["ingressRate"], 50);
    assert_eq!(sandbox.variable_of("bandwidth", "ADD", "CNI_CONTAINERID"), "web-1");
    assert_eq!(configurations(&sandbox), ["changed", "current"]);

    let done = succeeds(&mut sandbox.cnitool(["update", "net", "--all", "--json"])).stdout();
    let done: Value = serde_json::from_str(&done).unwrap();
    let [first, second] = [&done["attachments"][0], &done["attachments"][1]];
    assert_eq!(
        (&first["deleted"], &first["added"], &first["kept"]),
        (&json!(["bandwidth"]), &json!(["bandwidth"]), &json!(["bridge"]))
    );
    assert_eq!((&second["added"], &second["recreated"]), (&json!([]), &json!(false)));
    assert_eq!(configurations(&sandbox), ["current", "current"]);
}

#[test]
fn capability_arguments_of_one_container_change() {
    let sandbox = host();
    let cap = r#"--cap={"bandwidth":{"ingressRate":7}}"#;
    succeeds(&mut sandbox.cnitool(["update", "net", "--container-id", "web-0", cap]));
    assert_eq!(sandbox.request_of("bandwidth", "ADD")["runtimeConfig"]["bandwidth"]["ingressRate"], 7);
    assert!(succeeds(&mut sandbox.cnitool(["inspect", "web-0"])).stdout().contains("\"ingressRate\": 7"));
    sandbox.forget_calls();
    // What is recorded is what later updates start from.
    assert_eq!(
        succeeds(&mut sandbox.cnitool(["update", "net", "--all"])).stdout(),
        "web-0:eth0: nothing to do\nweb-1:eth0: nothing to do\n"
    );
    assert!(sandbox.calls().is_empty());
}

#[test]
fn an_interface_is_made_anew_only_when_told_and_the_hint_says_how() {
    let sandbox = host();
    edit(&sandbox, 10, 9000);
    Ran::new(&mut sandbox.cnitool(["update", "net", "--all"]))
        .exits_with(1)
        .says("`bridge`")
        .says("hint: `--recreate`");
    assert!(sandbox.calls().is_empty());
    succeeds(&mut sandbox.cnitool(["update", "net", "--container-id", "web-0", "--recreate"]));
    assert_eq!(sandbox.calls(), ["DEL bandwidth", "DEL bridge", "ADD bridge", "ADD bandwidth"]);
}

#[test]
fn check_and_inspect_say_that_the_configuration_changed() {
    let sandbox = host();
    edit(&sandbox, 50, 1500);
    let check = &mut sandbox.cnitool(["check", "net", NETNS, "--container-id", "web-0"]);
    Ran::new(check).exits_with(0).says("warning: network `net` has another configuration than at ADD");
    let inspected = succeeds(&mut sandbox.cnitool(["inspect", "web-0"])).stdout();
    assert!(
        inspected.lines().any(|line| line.starts_with("configuration") && line.ends_with("changed")),
        "{inspected}"
    );
}

#[test]
fn what_was_never_added_is_said_and_usage_is_checked() {
    let sandbox = host();
    Ran::new(&mut sandbox.cnitool(["update", "net", "--container-id", "db"]))
        .exits_with(1)
        .says("`db`")
        .says("list attachments");
    Ran::new(&mut sandbox.cnitool(["update", "net"])).exits_with(2);
    Ran::new(&mut sandbox.cnitool(["update", "net", NETNS, "--all"])).exits_with(2);
    assert!(sandbox.calls().is_empty());
}
