//! Every system call fails once, or is where the program is killed.
//!
//! By default each call of each verb is tried with one of the errors in turn, the last time that it is made.
//! `scripts/faults.sh` tries all of them.

mod injected;
mod verbs;

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use self::injected::{NONE, Run};
use self::verbs::{Verbs, succeeds, survives};
use super::plugins;
use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("ours::faults::bridge_survives_them", |host| plugin_survives(host, &bridge(host))),
    ("ours::faults::portmap_survives_them", |host| plugin_survives(host, &portmap())),
    ("ours::faults::loopback_survives_them", |host| plugin_survives(host, &loopback())),
    ("ours::faults::host_local_survives_them", |host| plugin_survives(host, &host_local(host))),
    ("ours::faults::bandwidth_survives_them", bandwidth_survives),
    ("ours::faults::the_tool_survives_them", tool_survives),
];

/// Why this machine can't make calls fail, if it can't.
pub(crate) fn missing() -> Option<String> {
    let found = Command::new("strace").args(["-qq", "-o/dev/null", "true"]).output();
    if found.is_ok_and(|output| output.status.success()) { None } else { Some("no strace".to_owned()) }
}

/// One address of each family, so that every ADD has the same.
fn ipam(host: &Host) -> Value {
    let one = |subnet: &str, address: &str| json!([{"subnet": subnet, "rangeStart": address, "rangeEnd": address}]);
    let ranges = [one("10.77.0.0/24", "10.77.0.2"), one("fd00:77::/64", "fd00:77::2")];
    json!({"type": "host-local", "dataDir": host.path("ipam"), "ranges": ranges})
}

fn bridge(host: &Host) -> Value {
    json!({"cniVersion": "1.1.0", "name": "net", "type": "bridge", "bridge": "cni0", "isDefaultGateway": true,
        "ipMasq": true, "ipam": ipam(host)})
}

fn host_local(host: &Host) -> Value {
    json!({"cniVersion": "1.1.0", "name": "net", "type": "host-local", "ipam": ipam(host)})
}

fn loopback() -> Value {
    json!({"cniVersion": "1.1.0", "name": "lo", "type": "loopback"})
}

fn portmap() -> Value {
    json!({"cniVersion": "1.1.0", "name": "net", "type": "portmap",
        "prevResult": {"cniVersion": "1.1.0", "interfaces": [{"name": "eth0", "sandbox": "/run/netns/blue"}],
            "ips": [{"address": "10.77.0.2/24", "interface": 0}]},
        "runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "udp"}]}})
}

fn plugin_survives(host: &Host, config: &Value) {
    plugin_survives_in(host, config, &|_| {});
}

fn plugin_survives_in(host: &Host, config: &Value, more: &dyn Fn(&Host)) {
    let added = Run::plugin("ADD", config).plain();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stdout));
    let mut with_result = config.clone();
    with_result["prevResult"] = serde_json::from_slice(&added.stdout).unwrap();
    let mut stale = config.clone();
    stale.as_object_mut().unwrap().remove("prevResult");
    stale["cni.dev/valid-attachments"] = json!([]);
    let del = Run::plugin("DEL", &with_result);
    succeeds(&del, &NONE);
    let gc = Run::plugin("GC", &stale);
    let gc = if config["type"] == "loopback" { Run::plugin("DEL", &with_result) } else { gc };
    let verbs = Verbs { add: Run::plugin("ADD", config), check: checking(config.clone()), del, gc, is_plugin: true };
    verbs.survive(host, &|| {
        host.is_clean();
        more(host);
    });
}

/// CHECK of a plugin, with the answer of its ADD.
fn checking(config: Value) -> Box<dyn Fn(&str) -> Run> {
    Box::new(move |answer| {
        let mut config = config.clone();
        config["prevResult"] = serde_json::from_str(answer).unwrap();
        Run::plugin("CHECK", &config)
    })
}

fn bandwidth_survives(host: &Host) {
    let of = |run: Run| {
        let output = run.plain();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let result = of(Run::plugin("ADD", &bridge(host)));
    let config = json!({"cniVersion": "1.1.0", "name": "net", "type": "bandwidth", "prevResult": result,
        "ingressRate": 1_000_000, "ingressBurst": 80_000, "egressRate": 1_000_000, "egressBurst": 80_000});
    let rules = host.run("nft list ruleset");
    let mut with_result = config.clone();
    with_result["prevResult"] = of(Run::plugin("ADD", &config));
    let del = || Run::plugin("DEL", &with_result);
    succeeds(&del(), &NONE);
    let verbs = Verbs {
        add: Run::plugin("ADD", &config),
        check: checking(config.clone()),
        del: del(),
        gc: del(),
        is_plugin: true,
    };
    verbs.survive(host, &|| {
        assert_eq!(host.run("ip -o link show type ifb; tc qdisc show | grep -E 'tbf|ingress' || true"), "");
        assert_eq!(host.run("nft list ruleset"), rules);
    });
}

fn tool_survives(host: &Host) {
    fs::create_dir_all(host.path("net.d")).unwrap();
    let list = |rate: u64| {
        let bridge = json!({"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipam": ipam(host)});
        let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}, "x": rate});
        json!({"cniVersion": "1.1.0", "name": "net", "plugins": [bridge, portmap]}).to_string()
    };
    fs::write(host.path("net.d/net.conflist"), list(1)).unwrap();
    let run = |words: &[&str]| {
        let mut run = Run::new(env!("CARGO_BIN_EXE_cnitool").into());
        let options =
            [("--cache-dir", host.path("cache")), ("--conf-dir", host.path("net.d")), ("--plugin-dir", plugins())];
        run.command.extend(words.iter().map(|word| (*word).to_owned()));
        run.command.extend(
            options.iter().flat_map(|(option, path)| [(*option).to_owned(), path.to_str().unwrap().to_owned()]),
        );
        run
    };
    let of = |verb: &str| {
        run(&[verb, "net", "/run/netns/blue", r#"--cap={"portMappings":[{"hostPort":8080,"containerPort":80}]}"#])
    };
    let check = of("check");
    let verbs = Verbs {
        add: of("add"),
        check: Box::new(move |_| check.clone()),
        del: of("del"),
        gc: run(&["gc", "net", "--all"]),
        is_plugin: false,
    };
    let is_clean = || {
        host.is_clean();
        assert_eq!(host.run("find cache -name '.intent-*' 2>/dev/null || true"), "");
    };
    verbs.survive(host, &is_clean);

    succeeds(&verbs.add, &NONE);
    fs::write(host.path("net.d/net.conflist"), list(2)).unwrap();
    let update = run(&["update", "net", "/run/netns/blue"]);
    for (turn, fault) in (3..).zip(update.faults(host)) {
        fs::write(host.path("net.d/net.conflist"), list(turn)).unwrap();
        if survives(&update, host, &fault, false).is_none() {
            succeeds(&update, &fault);
        }
        succeeds(&of("check"), &fault);
    }
    succeeds(&verbs.del, &NONE);
    is_clean();
}
