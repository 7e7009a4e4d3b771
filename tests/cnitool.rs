//! The tool as an operator uses it.
#![cfg(feature = "cli")]

use std::process::Command;

use crate::support::{Ran, Sandbox};

mod begun;
mod conformance;
mod dry_run;
mod failures;
mod hostile_user;
mod inspect;
mod json;
mod list;
mod manual;
mod messages;
mod neighbours;
mod nested;
mod no_files;
mod options;
mod ownership;
mod process;
mod removal;
mod rollback;
mod signals;
mod terminal;
mod trace;
mod update;
mod validate;
mod versions;

/// Something is at this path, which `add` and `check` look for; no plugin of a sandbox enters it.
const NETNS: &str = "/dev/null";

/// A host with a network `net` of two plugins.
fn host() -> Sandbox {
    Sandbox::new().plugins(["one", "two"]).configured()
}

/// Runs the tool, which must succeed and say nothing on stderr.
/// The word after the network.
fn operand(verb: &str) -> Option<&str> {
    match verb {
        "gc" => Some("--all"),
        "status" => None,
        _ => Some(NETNS),
    }
}

#[track_caller]
fn succeeds(command: &mut Command) -> Ran {
    let ran = Ran::new(command).exits_with(0);
    assert_eq!(ran.stderr(), "", "{ran}");
    ran
}

#[test]
fn add_prints_the_result_alone_as_indented_json() {
    let ran = succeeds(&mut host().cnitool(["add", "net", NETNS]));
    let expected = "{\n    \"cniVersion\": \"1.1.0\",\n    \"dns\": {\n        \"domain\": \"two\"\n    }\n}\n";
    assert_eq!(ran.stdout(), expected, "{ran}");
}

#[test]
fn the_other_verbs_print_nothing() {
    let sandbox = host();
    succeeds(&mut sandbox.cnitool(["add", "net", NETNS]));
    sandbox.forget_calls();
    for verb in ["check", "del"] {
        let ran = succeeds(&mut sandbox.cnitool([verb, "net", NETNS, "--quiet"]));
        assert_eq!(ran.stdout(), "", "{ran}");
    }
    assert_eq!(sandbox.calls(), ["CHECK one", "CHECK two", "DEL two", "DEL one"]);
    assert!(sandbox.cached().is_empty());
}

#[test]
fn gc_and_status_need_no_namespace_and_ignore_one_as_go_does() {
    let sandbox = host();
    succeeds(&mut sandbox.cnitool(["add", "net", NETNS]));
    sandbox.forget_calls();
    succeeds(&mut sandbox.cnitool(["status", "net"]));
    Ran::new(&mut sandbox.cnitool(["status", "net", NETNS])).exits_with(2).says("takes no namespace");
    succeeds(sandbox.cnitool(["status", "net", NETNS]).env("CNITOOL_COMPAT", "go"));
    assert_eq!(sandbox.calls(), ["STATUS one", "STATUS two", "STATUS one", "STATUS two"]);
    sandbox.forget_calls();
    succeeds(&mut sandbox.cnitool(["gc", "net", "--all", "--quiet"]));
    succeeds(sandbox.cnitool(["gc", "net", NETNS, "--all"]).env("CNITOOL_COMPAT", "go"));
    assert_eq!(sandbox.calls(), ["DEL two", "DEL one", "GC one", "GC two", "GC one", "GC two"]);
    assert!(sandbox.cached().is_empty());
}

#[test]
fn what_plugins_say_on_stderr_goes_to_stderr_and_not_to_stdout() {
    let sandbox = host().on("one", "ADD", "echo '{}'; echo careful >&2");
    let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS])).exits_with(0).says("careful");
    assert!(!ran.stdout().contains("careful"), "{ran}");
}

#[test]
fn a_namespace_is_a_path_or_a_name_of_ip_netns() {
    for (argument, expected) in [
        ("/run/netns/blue", "/run/netns/blue"),
        ("/run//netns/../netns/./blue/", "/run/netns/blue"),
        ("no-such-file-here", "/var/run/netns/no-such-file-here"),
    ] {
        let ran = succeeds(&mut host().cnitool(["add", "net", argument, "--dry-run"]));
        assert!(ran.stdout().contains(&format!("CNI_NETNS={expected}\n")), "{ran}");
    }
}

#[test]
fn a_relative_namespace_counts_from_the_working_directory() {
    let sandbox = host();
    std::os::unix::fs::symlink(NETNS, sandbox.path("here")).unwrap();
    for argument in ["here", "./here", "bin/../here"] {
        succeeds(&mut sandbox.cnitool(["add", "net", argument]));
        let cwd = std::fs::canonicalize(sandbox.path("")).unwrap();
        assert_eq!(sandbox.variable_of("one", "ADD", "CNI_NETNS"), cwd.join("here").to_str().unwrap());
        sandbox.forget_calls();
    }
}

#[test]
fn the_container_id_is_the_one_that_the_go_tool_derives() {
    let ran = succeeds(&mut host().cnitool(["add", "net", "/run/netns/blue", "--dry-run"]));
    assert!(ran.stdout().contains("CNI_CONTAINERID=cnitool-df26705e2e4ffd095eb1\n"), "{ran}");
    let sandbox = host();
    succeeds(&mut sandbox.cnitool(["add", "net", NETNS]));
    let id = sandbox.variable_of("one", "ADD", "CNI_CONTAINERID");
    assert_eq!(sandbox.cached(), [format!("net-{id}-eth0")]);
}
