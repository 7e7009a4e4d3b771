//! What the tool says where an operator has made a mistake: the cause, once, and the next step.

use serde_json::Value;

use super::{NETNS, host, operand, succeeds};
use crate::support::{Ran, Sandbox, fails_with};

/// The error of a command as JSON.
#[track_caller]
fn error<const N: usize>(sandbox: &Sandbox, arguments: [&str; N]) -> Value {
    let ran = Ran::new(sandbox.cnitool(arguments).arg("--json"));
    let stderr = ran.stderr();
    let last = stderr.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|_| panic!("no error as JSON: {ran}"))
}

#[test]
fn an_unknown_network_is_told_with_the_one_that_is_meant_and_with_all() {
    let list = r#"{"cniVersion":"1.0.0","name":"mynet","plugins":[{"type":"one"}]}"#;
    let sandbox = host().file("10.conflist", list);
    for verb in ["add", "check", "del", "status", "versions", "validate", "inspect"] {
        let netns = ["add", "check", "del"].contains(&verb).then_some(NETNS);
        let ran = Ran::new(sandbox.cnitool([verb, "mynett"]).args(netns)).exits_with(1);
        ran.says("no network configuration named `mynett`").says("did you mean `mynet`? (there are `mynet`, `net`)");
    }
    Ran::new(&mut sandbox.cnitool(["status", "other"])).exits_with(1).says("\nhint: there are `mynet`, `net`\n");
    let error = error(&sandbox, ["add", "mynett", NETNS]);
    assert_eq!((&error["code"], &error["network"]), (&7.into(), &"mynett".into()));
    assert_eq!(error["hint"], "did you mean `mynet`? (there are `mynet`, `net`)");
}

#[test]
fn a_plugin_that_is_not_installed_is_told_with_the_one_that_is_meant() {
    let list = r#"{"cniVersion":"1.0.0","name":"typo","plugins":[{"type":"ome"}]}"#;
    let sandbox = host().file("10.conflist", list);
    let ran = Ran::new(&mut sandbox.cnitool(["add", "typo", NETNS])).exits_with(1);
    ran.says("plugin `ome` not found in").says("hint: did you mean `one`?\n");
}

#[test]
fn a_namespace_that_is_not_there_is_found_before_any_plugin_runs() {
    let sandbox = host();
    succeeds(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1"]));
    sandbox.forget_calls();
    for verb in ["add", "check"] {
        let mut command = sandbox.cnitool([verb, "net", "/run/netns/none", "--container-id", "c1"]);
        let ran = Ran::new(&mut command).exits_with(1);
        ran.says("cannot open network namespace /run/netns/none: No such file").says("`ip netns list`");
    }
    assert_eq!(error(&sandbox, ["add", "net", "/run/netns/none"])["code"], 8);
    assert!(sandbox.calls().is_empty());
    succeeds(sandbox.cnitool(["add", "net", "/run/netns/none"]).env("CNITOOL_COMPAT", "go"));
}

#[test]
fn broken_capability_arguments_are_told_with_where_they_came_from() {
    let sandbox = host();
    Ran::new(sandbox.cnitool(["add", "net", NETNS]).env("CAP_ARGS", "{\"mac\""))
        .exits_with(1)
        .says("error: CAP_ARGS is not");
    Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--cap", "["])).exits_with(1).says("error: --cap is not");
    Ran::new(sandbox.cnitool(["validate", "net"]).env("CAP_ARGS", "1")).exits_with(1).says("error: CAP_ARGS is not");
}

#[test]
fn a_cache_directory_that_can_not_be_made_is_told_as_such() {
    let sandbox = host().file("file", "");
    let file = sandbox.net_d().join("file").display().to_string();
    for dir in ["/proc/none", &file] {
        let mut add = std::process::Command::new(env!("CARGO_BIN_EXE_cnitool"));
        add.args(["add", "net", NETNS, "--cache-dir", dir]);
        add.env("NETCONFPATH", sandbox.net_d()).env("CNI_PATH", sandbox.bin());
        Ran::new(&mut add)
            .exits_with(1)
            .says(&format!("error: cannot make the cache directory {dir} for network `net`: "));
    }
    assert!(sandbox.calls().is_empty());
}

#[test]
fn del_takes_a_container_without_a_namespace() {
    let sandbox = host();
    succeeds(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1"]));
    let ran = Ran::new(&mut sandbox.cnitool(["del", "net", "--container-id", "c1"])).exits_with(0);
    assert_eq!(ran.stderr(), "note: removed interface `eth0` of container `c1` from network `net`\n");
    assert!(sandbox.cached().is_empty());
}

#[test]
fn del_of_what_was_never_added_says_that_nothing_was_on_record() {
    let sandbox = host();
    let ran = Ran::new(&mut sandbox.cnitool(["del", "net", NETNS, "--container-id", "c1", "-i", "eth7"])).exits_with(0);
    ran.says("note: nothing was on record of interface `eth7` of container `c1` on network `net`");
    assert_eq!(sandbox.calls(), ["DEL two", "DEL one"]);
    let note = error(&sandbox, ["del", "net", NETNS, "--container-id", "c1"]);
    assert_eq!((&note["recorded"], &note["containerID"]), (&false.into(), &"c1".into()));
    succeeds(&mut sandbox.cnitool(["del", "net", NETNS, "--quiet"]));
}

#[test]
fn gc_says_what_it_removed() {
    let sandbox = host();
    for id in ["c1", "c2"] {
        succeeds(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", id]));
    }
    let ran = Ran::new(&mut sandbox.cnitool(["gc", "net", "--keep", "c1:eth0"])).exits_with(0);
    assert_eq!(ran.stderr(), "note: removed interface `eth0` of container `c2` from network `net`\n");
    assert_eq!(ran.stdout(), "");
    succeeds(&mut sandbox.cnitool(["gc", "net", "--all", "--quiet"]));
}

#[test]
fn a_rollback_says_what_it_removed() {
    let sandbox = host().on("two", "ADD", &fails_with(120, "out of luck"));
    let mut add = sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1", "--rollback"]);
    Ran::new(&mut add).exits_with(1).says("note: removed interface `eth0` of container `c1` from network `net`\n");
}

#[test]
fn a_verb_that_asks_no_plugin_says_so() {
    let network = |version: &str, keys: &str| {
        format!(r#"{{"cniVersion":"{version}","name":"odd",{keys}"plugins":[{{"type":"one"}}]}}"#)
    };
    for (verb, version, keys, words) in [
        ("status", "1.0.0", "", "network `odd` has version 1.0.0, which has no STATUS: none of its plugins was asked"),
        ("gc", "1.0.0", "", "network `odd` has version 1.0.0, which has no GC: none of its plugins was asked"),
        ("gc", "1.1.0", r#""disableGC":true,"#, "network `odd` disables GC: none of its plugins was asked"),
        ("check", "1.1.0", r#""disableCheck":true,"#, "network `odd` disables CHECK: none of its plugins was asked"),
    ] {
        let sandbox = host().file("10.conflist", network(version, keys));
        let rest = operand(verb);
        let ran = Ran::new(sandbox.cnitool([verb, "odd"]).args(rest)).exits_with(0);
        assert_eq!(ran.stderr(), format!("note: {words}\n"));
        succeeds(sandbox.cnitool([verb, "odd", "--quiet"]).args(rest));
        assert!(sandbox.calls().is_empty());
    }
    succeeds(&mut host().cnitool(["status", "net"]));
}

#[test]
fn a_hint_to_clean_up_is_given_only_where_something_may_be_left() {
    let hint = "`cnitool del ";
    let sandbox = host().on("two", "ADD", &fails_with(120, "out of luck"));
    Ran::new(&mut sandbox.cnitool(["add", "net", NETNS])).exits_with(1).says(hint);
    let nothing_ran = host();
    std::fs::remove_file(nothing_ran.bin().join("one")).unwrap();
    let unknown = host().on("one", "ADD", &fails_with(3, "no such container"));
    for (sandbox, arguments) in [
        (&nothing_ran, ["add", "net", NETNS, "--strict"]),
        (&nothing_ran, ["add", "net", "/run/netns/none", "--strict"]),
        (&nothing_ran, ["add", "none", NETNS, "--strict"]),
        (&unknown, ["add", "net", NETNS, "--strict"]),
    ] {
        let ran = Ran::new(&mut sandbox.cnitool(arguments)).exits_with(1);
        assert!(!ran.stderr().contains(hint), "{ran}");
    }
}

#[test]
fn an_error_as_json_has_each_fact_once() {
    let says = r#"echo '{"code":11,"msg":"the pool is locked","details":"by 42"}'; exit 1"#;
    let sandbox = host().on("two", "ADD", says);
    let error = error(&sandbox, ["add", "net", NETNS]);
    let facts = ["code", "details", "network", "plugin", "verb"].map(|key| error[key].to_string());
    assert_eq!(facts, ["11", r#""by 42""#, r#""net""#, r#""two""#, r#""ADD""#]);
    assert_eq!(error["file"], sandbox.bin().join("two").to_str().unwrap());
    assert!(error["hint"].as_str().unwrap().contains("cnitool del"), "{error}");
    for fact in ["the pool is locked", "by 42"] {
        assert_eq!(error.to_string().matches(fact).count(), 1, "{error}");
    }
}

#[test]
fn times_are_those_of_go() {
    for time in ["2.0s", "1m30s", "1.5m", "1h", "25", "900ms"] {
        succeeds(&mut host().cnitool(["status", "net", "--timeout", time]));
    }
    let ran = Ran::new(&mut host().cnitool(["status", "net", "--timeout", "3d"])).exits_with(2);
    ran.says("unknown unit `d`: use h, m, s, ms");
    let help = succeeds(&mut host().cnitool(["status", "--help"])).stdout();
    assert!(help.contains("such as 10s, 500ms or 1m30s"), "{help}");
}

#[test]
#[cfg(feature = "plugins")]
fn a_wrong_value_of_a_plugins_key_is_told_with_plugin_key_and_value() {
    let list = r#"{"cniVersion":"1.1.0","name":"typed","plugins":[{"type":"bridge","isGateway":"yes"}]}"#;
    let sandbox = host().file("10.conflist", list);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_cni-plugins"), sandbox.bin().join("bridge")).unwrap();
    let error = error(&sandbox, ["add", "typed", NETNS]);
    let msg = error["msg"].as_str().unwrap();
    assert!(msg.ends_with("failed on ADD: `isGateway` must be true or false, not \"yes\""), "{error}");
    assert_eq!((msg.matches("`bridge`").count(), &error["code"]), (1, &7.into()), "{error}");
}

#[test]
fn an_entry_of_another_container_is_an_error_of_check_and_told_by_del() {
    let sandbox = host();
    succeeds(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1"]));
    let results = sandbox.path("cache/results");
    std::fs::copy(results.join("net-c1-eth0"), results.join("net-c2-eth0")).unwrap();
    sandbox.plant_cached("net-c3-eth0", r#"{"kind":"other"}"#);
    sandbox.forget_calls();
    for (id, words) in [("c2", "it belongs to interface `eth0` of container `c1`"), ("c3", "its kind is `other`")] {
        let mut check = sandbox.cnitool(["check", "net", NETNS, "--container-id", id]);
        Ran::new(&mut check).exits_with(1).says("is not a cache entry").says(words);
        assert!(sandbox.calls().is_empty());
        let ran = Ran::new(&mut sandbox.cnitool(["del", "net", NETNS, "--container-id", id])).exits_with(0);
        ran.says("warning: passed over: ").says(words);
        assert!(sandbox.request_of("two", "DEL").get("prevResult").is_none());
        sandbox.forget_calls();
    }
}

#[test]
fn what_was_undone_in_part_only_is_told_with_each_cause_once() {
    let sandbox = host().on("two", "ADD", &fails_with(120, "out of luck"));
    let sandbox = sandbox.on("two", "DEL", &fails_with(121, "no way back"));
    let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--rollback"])).exits_with(1);
    for cause in ["undone in part only", "out of luck", "no way back"] {
        assert_eq!(ran.stderr().matches(cause).count(), 1, "{ran}");
    }
}

#[test]
fn the_script_for_recorded_scenarios_takes_a_relative_path_and_fails_in_one_line() {
    // In place of an interpreter: it runs the tool that the scenarios are to be run with.
    let stub = "#!/bin/sh\nshift; test \"$1\" = --cnitool && cd / && exec \"$2\" --version\n";
    let sandbox = host().file("run.py", "");
    std::fs::write(sandbox.path("python3"), stub).unwrap();
    std::fs::set_permissions(sandbox.path("python3"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_cnitool"), sandbox.path("tool")).unwrap();
    let script = |tool: &str| {
        let mut command = std::process::Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/conformance.sh"));
        command.args(["net.d", tool]).current_dir(sandbox.path(""));
        Ran::new(command.env("PATH", format!("{}:/usr/bin:/bin", sandbox.path("").display())))
    };
    assert!(script("./tool").exits_with(0).stdout().starts_with("cnitool "));
    assert_eq!(script("./none").exits_with(1).stderr().lines().count(), 1);
}
