//! Flags and environment variables.

use std::process::Command;

use super::{NETNS, host, succeeds};
use crate::support::{Ran, Sandbox};

#[test]
fn the_directory_of_configurations_is_a_flag_or_a_variable() {
    let sandbox = Sandbox::new().plugins(["one"]);
    std::fs::create_dir(sandbox.path("other.d")).unwrap();
    let list = r#"{"cniVersion":"1.0.0","name":"other","plugins":[{"type":"one"}]}"#;
    std::fs::write(sandbox.path("other.d/a.conflist"), list).unwrap();
    succeeds(&mut sandbox.cnitool(["add", "other", NETNS, "--conf-dir", "other.d"]));
    succeeds(sandbox.cnitool(["add", "other", NETNS]).env("NETCONFPATH", "other.d"));
    Ran::new(&mut sandbox.cnitool(["add", "other", NETNS])).exits_with(1).says("no network configurations found");
}

#[test]
fn plugin_directories_are_searched_in_the_order_of_their_flags() {
    let sandbox = host();
    std::fs::create_dir(sandbox.path("late")).unwrap();
    std::fs::write(sandbox.path("late/one"), "never run").unwrap();
    std::fs::rename(sandbox.bin().join("two"), sandbox.path("late/two")).unwrap();
    let mut command = sandbox.cnitool(["add", "net", NETNS, "--plugin-dir", "bin", "--plugin-dir", "late"]);
    succeeds(command.env("CNI_PATH", "/nowhere"));
    assert_eq!(sandbox.calls(), ["ADD one", "ADD two"]);
    assert_eq!(sandbox.variable_of("one", "ADD", "CNI_PATH"), "bin:late");
}

#[test]
fn plugin_directories_come_from_the_variable_without_a_flag() {
    let sandbox = host();
    let dirs = format!("/nowhere:{}", sandbox.bin().display());
    succeeds(sandbox.cnitool(["add", "net", NETNS]).env("CNI_PATH", &dirs));
    assert_eq!(sandbox.variable_of("one", "ADD", "CNI_PATH"), dirs);
}

#[test]
fn the_cache_directory_is_a_flag() {
    let sandbox = host();
    succeeds(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1"]));
    assert!(sandbox.path("cache/results/net-c1-eth0").exists());
}

#[test]
fn the_container_id_is_a_flag() {
    let sandbox = host();
    succeeds(&mut sandbox.cnitool(["--container-id", "web-0", "add", "net", NETNS]));
    assert_eq!(sandbox.variable_of("one", "ADD", "CNI_CONTAINERID"), "web-0");
}

/// What a plugin gets in a variable when the tool is run like this.
#[track_caller]
fn given<const N: usize>(name: &str, arguments: [&str; N], env: Option<(&str, &str)>) -> String {
    let sandbox = host();
    let mut command = sandbox.cnitool(["add", "net", NETNS]);
    succeeds(command.args(arguments).envs(env));
    sandbox.variable_of("one", "ADD", name)
}

#[test]
fn the_interface_is_a_flag_a_variable_or_eth0() {
    assert_eq!(given("CNI_IFNAME", [], None), "eth0");
    assert_eq!(given("CNI_IFNAME", ["-i", "net1"], None), "net1");
    assert_eq!(given("CNI_IFNAME", ["--ifname", "net1"], None), "net1");
    assert_eq!(given("CNI_IFNAME", [], Some(("CNI_IFNAME", "net2"))), "net2");
    assert_eq!(given("CNI_IFNAME", ["-i", "net1"], Some(("CNI_IFNAME", "net2"))), "net1");
    assert_eq!(given("CNI_IFNAME", [], Some(("CNI_IFNAME", ""))), "eth0");
}

#[test]
fn generic_arguments_are_flags_or_a_variable() {
    assert_eq!(given("CNI_ARGS", [], None), "");
    assert_eq!(given("CNI_ARGS", ["--arg", "K=V", "--arg", "K2=a b"], None), "K=V;K2=a b");
    assert_eq!(given("CNI_ARGS", [], Some(("CNI_ARGS", "K=V;K2=V2"))), "K=V;K2=V2");
    assert_eq!(given("CNI_ARGS", ["--arg", "K=V"], Some(("CNI_ARGS", "X=Y"))), "K=V");
}

#[test]
fn capability_arguments_are_a_flag_or_a_variable() {
    let list = r#"{"cniVersion":"1.0.0","name":"caps","plugins":[{"type":"one","capabilities":{"mac":true}}]}"#;
    let sandbox = host().file("caps.conflist", list);
    let run = |command: &mut Command| {
        Ran::new(command).exits_with(0);
        sandbox.request_of("one", "ADD")["runtimeConfig"].to_string()
    };
    let caps = r#"{"mac":"02:00:00:00:00:01","bandwidth":{}}"#;
    let expected = r#"{"mac":"02:00:00:00:00:01"}"#;
    assert_eq!(run(&mut sandbox.cnitool(["add", "caps", NETNS, "--cap", caps])), expected);
    assert_eq!(run(sandbox.cnitool(["add", "caps", NETNS]).env("CAP_ARGS", caps)), expected);
    assert_eq!(run(sandbox.cnitool(["add", "caps", NETNS, "--cap", "{}"]).env("CAP_ARGS", caps)), "null");
}

#[test]
fn the_timeout_is_a_flag() {
    let sandbox = host().on("one", "ADD", "exec sleep 300");
    let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--timeout", "200ms"]));
    ran.exits_with(1).says("`one`").says("timed out: no answer after 200 ms");
}

#[test]
fn bad_values_are_named_before_anything_runs() {
    for (arguments, word) in [
        (["--container-id", "../x"], "../x"),
        (["--container-id", ""], "container ID"),
        (["--ifname", "a/b"], "a/b"),
        (["--ifname", "sixteen-letters-"], "sixteen-letters-"),
        (["--arg", "novalue"], "novalue"),
        (["--arg", "K="], "K="),
        (["--arg", "K=a=b"], "K=a=b"),
        (["--arg", "K=V;SMUGGLED"], "SMUGGLED"),
        (["--cap", "[]"], "JSON object"),
    ] {
        let sandbox = host();
        let mut command = sandbox.cnitool(["add", "net", NETNS]);
        Ran::new(command.args(arguments)).exits_with(1).says(word);
        assert!(sandbox.calls().is_empty(), "{arguments:?}");
    }
}

#[test]
fn wrong_usage_has_exit_status_2_and_help_is_on_stdout() {
    let sandbox = host();
    for arguments in [&["add", "net"][..], &["plug", "net", NETNS], &["add", "net", NETNS, "more"], &["status"]] {
        Ran::new(sandbox.cnitool([]).args(arguments)).exits_with(2).says("Usage");
    }
    Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--timeout", "soon"])).exits_with(2).says("soon");
    Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--no-such-flag"])).exits_with(2).says("--no-such-flag");
    let help = succeeds(&mut sandbox.cnitool(["--help"])).stdout();
    for word in ["add", "NETCONFPATH", "CNI_PATH", "CNI_IFNAME", "CNI_ARGS", "CAP_ARGS", "CNITOOL_COMPAT"] {
        assert!(help.contains(word), "{word} is not in: {help}");
    }
    assert!(sandbox.calls().is_empty());
}

#[test]
fn an_empty_namespace_is_told_apart_from_a_missing_one() {
    Ran::new(&mut host().cnitool(["del", "net", ""]))
        .exits_with(1)
        .says("the namespace is empty")
        .says("--container-id");
}

#[test]
fn an_option_that_a_verb_does_not_use_is_refused_by_name() {
    let sandbox = host();
    for (arguments, option) in [
        (&["gc", "net", "--all", "--container-id", "ca"][..], "--container-id"),
        (&["--container-id", "ca", "gc", "net", "--all"], "--container-id"),
        (&["gc", "net", "--all", "--ifname", "eth1"], "--ifname"),
        (&["gc", "net", "--all", "-i", "eth1"], "-i"),
        (&["gc", "net", "--all", "--cap", "{}"], "--cap"),
        (&["gc", "net", "--all", "--arg", "K=V"], "--arg"),
        (&["list", "networks", "--cap", "{}"], "--cap"),
        (&["list", "networks", "--cache-dir", "x"], "--cache-dir"),
        (&["status", "net", "--lock-timeout", "1s"], "--lock-timeout"),
        (&["run", "net", "--ifname", "eth1", "--", "true"], "--ifname"),
    ] {
        let ran = Ran::new(sandbox.cnitool([]).args(arguments)).exits_with(2);
        ran.says(&format!("does not use {option}, which is for: add, check, del"));
    }
    assert!(sandbox.calls().is_empty());
}

#[test]
fn settings_of_the_host_may_stand_in_front_of_any_verb() {
    let sandbox = host();
    std::fs::create_dir(sandbox.path("cache")).unwrap();
    let mut command = sandbox.cnitool(["--lock-timeout", "1s", "--strict", "--json", "list", "attachments"]);
    assert!(succeeds(&mut command).stdout().starts_with('{'));
    succeeds(&mut sandbox.cnitool(["--timeout=1s", "--plugin-dir", "bin", "list", "--help"]));
    let mut command = sandbox.cnitool(["-i", "eth7", "--container-id", "c1", "add", "net", NETNS, "-i", "eth8"]);
    succeeds(&mut command);
    assert_eq!(sandbox.cached(), ["net-c1-eth8"]);
}

#[test]
fn a_long_option_with_one_dash_is_no_interface_of_an_odd_name() {
    for word in ["-ifname=eth1", "-ifname"] {
        let sandbox = host();
        let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, word, "eth1"])).exits_with(2);
        ran.says(&format!("did you mean `-{word}`?")).says("Usage: cnitool add ");
        assert!(sandbox.calls().is_empty());
    }
}

#[test]
fn capability_arguments_that_no_plugin_takes_are_a_warning_that_names_the_right_one() {
    let plugin = r#"{"type":"one","capabilities":{"portMappings":true}}"#;
    let list = format!(r#"{{"cniVersion":"1.1.0","name":"mapped","plugins":[{plugin}]}}"#);
    let sandbox = host().file("70.conflist", list);
    let words = "no plugin of `mapped` takes `portMapings`; did you mean `portMappings`?";
    let cap = r#"--cap={"portMapings":[]}"#;
    let ran = Ran::new(&mut sandbox.cnitool(["add", "mapped", NETNS, cap])).exits_with(0);
    assert_eq!(ran.stderr(), format!("warning: {words}\n"));
    Ran::new(&mut sandbox.cnitool(["update", "mapped", NETNS, cap])).says(&format!("warning: {words}\n"));
    let ran = Ran::new(&mut sandbox.cnitool(["validate", "mapped", cap])).exits_with(1);
    assert!(ran.stdout().contains(words), "{ran}");
    Ran::new(&mut sandbox.cnitool(["validate", cap])).exits_with(2).says("`--cap` is for a named network");
    succeeds(sandbox.cnitool(["add", "mapped", NETNS]).env("CAP_ARGS", r#"{"portMappings":[]}"#));
}

#[test]
fn a_namespace_that_is_a_file_or_a_directory_is_refused_before_a_plugin_runs() {
    let sandbox = host();
    for netns in ["/etc/passwd", "/", "./net.d", "bin"] {
        let ran = Ran::new(&mut sandbox.cnitool(["add", "net", netns])).exits_with(1);
        ran.says("cannot open network namespace /").says(": it is not a network namespace\n");
    }
    assert!(sandbox.calls().is_empty());
}

#[test]
fn directories_that_do_not_exist_are_said_not_to() {
    let sandbox = host();
    let nowhere = ["--plugin-dir", "/nonexistent"];
    let ran = Ran::new(sandbox.cnitool(["list", "plugins"]).args(nowhere)).exits_with(0);
    ran.says("warning: the plugin directory /nonexistent does not exist");
    let ran = Ran::new(sandbox.cnitool(["status", "net"]).args(nowhere)).exits_with(1);
    ran.says("warning: the plugin directory /nonexistent does not exist");
    let ran = Ran::new(&mut sandbox.cnitool(["list", "attachments", "--cache-dir", "/nonexistent"])).exits_with(0);
    ran.says("warning: the cache directory /nonexistent does not exist");
}
