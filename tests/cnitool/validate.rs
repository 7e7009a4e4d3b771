//! `cnitool validate`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::succeeds;
use crate::support::{Ran, Sandbox};

const UP_TO_1_0_0: &str = r#"echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}'"#;

/// A host with plugins `one` and `two` up to 1.0.0, and a network `good` of both.
fn host() -> Sandbox {
    let good = r#"{"cniVersion":"1.0.0","name":"good","plugins":[{"type":"one","ipam":{"type":"two"},
        "capabilities":{"portMappings":true,"ips":false}},{"type":"two","capabilities":{"mac":true}}]}"#;
    let sandbox = Sandbox::new().plugins(["one", "two"]).file("50-good.conflist", good);
    sandbox.on("one", "VERSION", UP_TO_1_0_0).on("two", "VERSION", UP_TO_1_0_0)
}

/// The problems that the tool finds, which must be some.
#[track_caller]
fn problems(sandbox: &Sandbox) -> Vec<Value> {
    let ran = Ran::new(&mut sandbox.cnitool(["validate", "--json"])).exits_with(1);
    let report: Value = serde_json::from_str(&ran.stdout()).unwrap_or_else(|error| panic!("{error}\n{ran}"));
    assert_eq!(report["valid"][0]["network"], "good", "{ran}");
    report["problems"].as_array().unwrap().clone()
}

/// The messages about a network `bad` with these keys, in a file that sorts before `good`.
#[track_caller]
fn messages(sandbox: Sandbox, keys: Value) -> Vec<String> {
    let mut list = json!({"cniVersion": "1.0.0", "name": "bad", "plugins": [{"type": "one"}]});
    list.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    let sandbox = sandbox.file("10-bad.conflist", list.to_string());
    let problems = problems(&sandbox);
    problems.iter().map(|problem| problem["message"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn is_told<const N: usize>(keys: Value, words: [&str; N]) {
    let messages = messages(host(), keys);
    let [message] = messages.as_slice() else { panic!("{messages:?}") };
    words.iter().for_each(|word| assert!(message.contains(word), "{word:?} is not in: {message}"));
}

#[test]
fn a_directory_without_problems_is_a_success() {
    let sandbox = host();
    let ran = succeeds(&mut sandbox.cnitool(["validate"]));
    let file = sandbox.net_d().join("50-good.conflist").display().to_string();
    let line = ran.stdout().lines().nth(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(line.unwrap(), format!("{file} good ok: version 1.0.0, capabilities mac, portMappings"));
    let report: Value = serde_json::from_str(&succeeds(&mut sandbox.cnitool(["validate", "--json"])).stdout()).unwrap();
    let capabilities = json!(["mac", "portMappings"]);
    let valid = json!([{"file": file, "network": "good", "cniVersion": "1.0.0", "capabilities": capabilities}]);
    assert_eq!(report, json!({"valid": valid, "problems": []}));
}

#[test]
fn plugins_must_be_installed_run_and_support_the_version() {
    is_told(json!({"plugins": [{"type": "gone"}]}), ["`gone`", "not found"]);
    is_told(json!({"cniVersion": "1.1.0"}), ["`one`", "1.1.0", "0.4.0, 1.0.0"]);
    is_told(json!({"cniVersion": "1.0"}), ["`one`", "does not support version 1.0 "]);
    let sandbox = host();
    fs::write(sandbox.bin().join("locked"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(sandbox.bin().join("locked"), Permissions::from_mode(0o644)).unwrap();
    let messages = messages(sandbox, json!({"plugins": [{"type": "locked"}]}));
    assert!(messages[0].contains("Permission denied"), "{messages:?}");
}

#[test]
fn address_plugins_must_be_installed_and_support_the_version() {
    let plugins = |ipam: &str| json!({"plugins": [{"type": "one", "ipam": {"type": ipam}}]});
    is_told(plugins("gone"), ["`one` gets its addresses from `gone`", "not found"]);
    let sandbox = host().plugins(["old"]);
    let sandbox = sandbox.on("old", "VERSION", r#"echo '{"cniVersion":"0.4.0","supportedVersions":["0.4.0"]}'"#);
    assert!(
        messages(sandbox, plugins("old"))[0].contains("does not support version 1.0.0 of network `bad`, only 0.4.0")
    );
}

#[test]
fn a_name_must_be_one_that_the_verbs_take() {
    is_told(json!({"name": "no/good"}), ["no/good"]);
}

#[test]
fn a_key_in_the_wrong_case_is_told_since_nobody_reads_it() {
    is_told(json!({"disablecheck": true}), ["`disablecheck`", "`disableCheck`"]);
}

#[test]
fn every_problem_of_every_file_is_told() {
    let bad = r#"{"cniVersion":"1.0.0","name":"bad","plugins":[{"type":"gone"},{"type":"away"}]}"#;
    let again = r#"{"cniVersion":"1.0.0","name":"good","type":"one"}"#;
    let sandbox = host().file("10-bad.conflist", bad).file("20-broken.conflist", "{\n \"name\": }");
    let sandbox = sandbox.file("60-again.conf", again);
    let problems = problems(&sandbox);
    assert_eq!(problems.len(), 4, "{problems:?}");
    let place = |problem: &Value| [&problem["file"], &problem["line"], &problem["column"]].map(Value::clone);
    let broken = [json!(sandbox.net_d().join("20-broken.conflist")), json!(2), json!(10)];
    assert!(problems.iter().any(|problem| place(problem) == broken), "{problems:?}");
    let ran = Ran::new(&mut sandbox.cnitool(["validate"])).exits_with(1).says("error: 4 problems");
    assert_eq!(ran.stdout().lines().count(), 6, "{ran}");
    assert!(ran.stdout().contains("2:10: not a JSON object"), "{ran}");
    assert!(ran.stdout().contains("50-good.conflist has a network of this name, too"), "{ran}");
}

#[test]
fn capability_arguments_that_would_reach_nobody_are_told() {
    let sandbox = host();
    succeeds(&mut sandbox.cnitool(["validate", "good", "--cap", r#"{"mac":"02:00:00:00:00:01"}"#]));
    let ran = Ran::new(&mut sandbox.cnitool(["validate", "good", "--cap", r#"{"mac":"","ips":[]}"#])).exits_with(1);
    assert!(ran.stdout().contains("no plugin of `good` takes `ips`"), "{ran}");
}

#[test]
fn one_network_is_validated_alone() {
    let bad = r#"{"cniVersion":"1.0.0","name":"bad","plugins":[{"type":"gone"}]}"#;
    let sandbox = host().file("60-bad.conflist", bad);
    succeeds(&mut sandbox.cnitool(["validate", "good"]));
    Ran::new(&mut sandbox.cnitool(["validate", "bad"])).exits_with(1).says("error: 1 problem");
    Ran::new(&mut sandbox.cnitool(["validate", "nobody"])).exits_with(1).says("`nobody`");
}

#[test]
fn what_runtimes_in_go_do_with_a_file_is_told() {
    let list = r#"{"cniVersion":"1.0.0","name":"bad","plugins":[{"type":"one"}]}"#;
    let both = r#"{"cniVersion":"1.0.0","name":"bad","type":"one","plugins":[{"type":"two"}]}"#;
    for (file, text, words) in [
        ("10-bad.conf", list, "runtimes in Go refuse the file: it holds a list, and must be named `.conflist`"),
        ("10-bad.json", list, "refuse"),
        ("10-bad.conf", both, "`plugins` is ignored"),
        ("10-bad.conflist", both, "`type` is ignored"),
    ] {
        let problems = problems(&host().file(file, text));
        let [problem] = problems.as_slice() else { panic!("{problems:?}") };
        assert!(problem["message"].as_str().unwrap().contains(words), "{file}: {problem}");
    }
}
