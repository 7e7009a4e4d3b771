//! `--dry-run` of `add`, `check` and `del`.

use serde_json::{Value, json};

use super::{NETNS, host, succeeds};
use crate::support::{Ran, Sandbox};

/// The requests that a verb would send.
#[track_caller]
fn requests<const N: usize>(sandbox: &Sandbox, arguments: [&str; N]) -> Vec<Value> {
    let ran = succeeds(sandbox.cnitool(arguments).args(["--dry-run", "--json"]));
    let report: Value = serde_json::from_str(&ran.stdout()).unwrap_or_else(|error| panic!("{error}\n{ran}"));
    report["requests"].as_array().unwrap().clone()
}

#[test]
fn add_shows_the_requests_and_runs_nothing() {
    let sandbox = host();
    let ran = succeeds(&mut sandbox.cnitool(["add", "net", NETNS, "--dry-run"]));
    let stdout = ran.stdout();
    let lines: Vec<_> = stdout.lines().map(str::trim).collect();
    let program = |name: &str| sandbox.bin().join(name).display().to_string();
    for line in [
        format!("request 1: ADD one, {}", program("one")),
        format!("request 2: ADD two, {}", program("two")),
        format!("CNI_NETNS={NETNS}"),
        r#""type": "one","#.to_owned(),
        "and `prevResult`: what `one` answers, which is not known before it runs".to_owned(),
    ] {
        assert!(lines.contains(&&*line), "{line:?} is not in: {ran}");
    }
    assert!(sandbox.calls().is_empty() && sandbox.cached().is_empty());
}

#[test]
fn requests_for_programs_are_objects() {
    let sandbox = host();
    let requests = requests(&sandbox, ["add", "net", NETNS]);
    let [one, two] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(one["env"]["CNI_COMMAND"], "ADD");
    assert_eq!(one["stdin"], json!({"type": "one", "name": "net", "cniVersion": "1.1.0"}));
    assert_eq!((&one["prevResultFrom"], &two["prevResultFrom"]), (&Value::Null, &json!("one")));
    assert!(sandbox.calls().is_empty());
}

#[test]
fn check_and_del_show_what_they_would_send_with_the_cached_result() {
    let sandbox = host();
    succeeds(&mut sandbox.cnitool(["add", "net", NETNS]));
    sandbox.forget_calls();
    for (verb, order) in [("check", ["one", "two"]), ("del", ["two", "one"])] {
        let requests = requests(&sandbox, [verb, "net", NETNS]);
        assert_eq!(requests.iter().map(|request| request["plugin"].clone()).collect::<Vec<_>>(), order, "{verb}");
        assert_eq!(requests[0]["stdin"]["prevResult"]["dns"]["domain"], "two", "{verb}");
        assert_eq!(requests[1]["prevResultFrom"], Value::Null, "{verb}");
    }
    assert!(sandbox.calls().is_empty());
    assert_eq!(sandbox.cached().len(), 1);
}

#[test]
fn del_from_the_cache_shows_what_it_would_send_without_a_configuration() {
    let sandbox = host();
    succeeds(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "web", "--arg", "K=V"]));
    std::fs::remove_file(sandbox.net_d().join("50-net.conflist")).unwrap();
    let requests = requests(&sandbox, ["del", "net", "--cached", "--container-id", "web"]);
    assert_eq!((&requests[0]["env"]["CNI_ARGS"], &requests[0]["env"]["CNI_NETNS"]), (&json!("K=V"), &json!(NETNS)));
}

#[test]
fn what_would_fail_before_anything_runs_fails() {
    let sandbox = host();
    std::fs::remove_file(sandbox.bin().join("two")).unwrap();
    Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--dry-run"])).exits_with(1).says("`two`");
}

#[test]
fn nothing_is_run_where_the_configuration_disables_check() {
    let list = r#"{"cniVersion":"1.0.0","name":"x","disableCheck":true,"plugins":[{"type":"one"}]}"#;
    let sandbox = host().file("x.conflist", list);
    assert_eq!(succeeds(&mut sandbox.cnitool(["check", "x", NETNS, "--dry-run"])).stdout(), "nothing would be run\n");
}
