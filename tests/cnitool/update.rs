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

/// An entry as an ADD to a namespace leaves it that is another one by now.
fn plant_replaced(sandbox: &Sandbox, id: &str) {
    let name = format!("cache/results/net-{id}-eth0");
    let text = fs::read_to_string(sandbox.path("cache/results/net-web-0-eth0")).unwrap();
    let mut entry: Value = serde_json::from_str(&text).unwrap();
    (entry["containerId"], entry["netnsIdentity"]) = (id.into(), "1@1.1".into());
    fs::write(sandbox.path(&name), entry.to_string()).unwrap();
}

#[test]
fn an_update_of_what_is_gone_or_elsewhere_is_refused_even_where_nothing_changed() {
    let sandbox = host();
    plant_replaced(&sandbox, "db");
    let ran = Ran::new(&mut sandbox.cnitool(["update", "net", "--container-id", "db"])).exits_with(1);
    ran.says("its network namespace /proc/self/ns/net is gone").says("hint: `cnitool gc NETWORK --keep-live`");
    let elsewhere = ["update", "net", "/proc/self/ns/uts", "--container-id", "web-0"];
    let ran = Ran::new(&mut sandbox.cnitool(elsewhere)).exits_with(1);
    ran.says("it is in network namespace /proc/self/ns/net, not in /proc/self/ns/uts");
    succeeds(&mut sandbox.cnitool(["update", "net", NETNS, "--container-id", "web-0"]));
    Ran::new(&mut sandbox.cnitool(["update", "net", "none-such"])).exits_with(1).says("/none-such: No such file");
    assert!(sandbox.calls().is_empty());
}

#[test]
fn an_update_of_all_names_those_that_it_leaves_out() {
    let sandbox = host();
    plant_replaced(&sandbox, "db");
    sandbox.plant_cached("net-bad-eth0", "{");
    sandbox.now_on("bandwidth", "ADD", "exit 1");
    Ran::new(&mut sandbox.cnitool(["add", "net", "/dev/null", "--container-id", "half"])).exits_with(1);
    let ran = Ran::new(&mut sandbox.cnitool(["update", "net", "--all"])).exits_with(0);
    let ran = ran.says("skipped db:eth0: it is replaced;").says("skipped half:eth0: it is unfinished;");
    ran.says("net-bad-eth0: not a cache entry");
    let mut none = sandbox.cnitool(["update", "net", "--all", "--cache-dir"]);
    Ran::new(none.arg(sandbox.path("empty"))).exits_with(0).says("note: no attachment to network `net` is on record");
    let ran = Ran::new(&mut sandbox.cnitool(["update", "net"])).exits_with(2);
    ran.says("`--all`").says("`--container-id`");
}
