//! `cnitool versions`, and `--negotiate`.

use serde_json::{Value, json};

use super::{NETNS, succeeds};
use crate::support::{Ran, Sandbox};

/// A network for 0.4.0 to 1.1.0 whose plugin `two` has 1.0.0 at the most.
fn host() -> Sandbox {
    let reply = |versions: &str| format!(r#"echo '{{"cniVersion":"1.0.0","supportedVersions":[{versions}]}}'"#);
    let list = r#"{"cniVersion":"1.1.0","cniVersions":["1.0.0","0.4.0"],"name":"net",
        "plugins":[{"type":"one"},{"type":"two"}]}"#;
    let sandbox = Sandbox::new().plugins(["one", "two"]).file("net.conflist", list);
    let sandbox = sandbox.on("one", "VERSION", &reply(r#""0.4.0","1.0.0","1.1.0""#));
    sandbox.on("two", "VERSION", &reply(r#""0.3.1","0.4.0","1.0.0""#))
}

#[test]
fn versions_show_what_plugins_support_and_what_is_used() {
    let ran = Ran::new(&mut host().cnitool(["versions", "net"])).exits_with(1).says("1.1.0 of network `net`");
    let stdout = ran.stdout();
    let lines: Vec<_> = stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "plugin one 0.4.0 1.0.0 1.1.0",
        "plugin two 0.3.1 0.4.0 1.0.0",
        "all plugins 0.4.0 1.0.0",
        "configuration 0.4.0 1.0.0 1.1.0",
        "used 1.1.0 (not supported by all plugins)",
        "with --negotiate 1.0.0",
    ];
    assert_eq!(lines[1..], expected, "{ran}");
}

#[test]
fn versions_for_programs_succeed_when_the_version_is_supported() {
    let sandbox = host();
    sandbox.now_on("two", "VERSION", r#"echo '{"cniVersion":"1.0.0","supportedVersions":["1.1.0"]}'"#);
    let ran = succeeds(&mut sandbox.cnitool(["versions", "net", "--json"]));
    let report: Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!(report["common"], json!(["1.1.0"]));
    assert_eq!((&report["used"], &report["negotiated"]), (&json!("1.1.0"), &json!("1.1.0")));
    assert_eq!(report["plugins"][0]["supportedVersions"], json!(["0.4.0", "1.0.0", "1.1.0"]));
}

#[test]
fn a_plugin_that_can_not_be_asked_is_named_and_the_others_are_shown() {
    let sandbox = host();
    std::fs::remove_file(sandbox.bin().join("one")).unwrap();
    let ran = Ran::new(&mut sandbox.cnitool(["versions", "net"])).exits_with(1);
    assert!(ran.stdout().contains("plugin `one` not found in "), "{ran}");
    assert!(ran.stdout().contains("0.3.1 0.4.0 1.0.0"), "{ran}");
}

#[test]
fn negotiate_uses_the_highest_version_in_common_with_every_verb() {
    let sandbox = host();
    let ran = succeeds(&mut sandbox.cnitool(["add", "net", NETNS, "--negotiate"]));
    assert!(ran.stdout().contains(r#""cniVersion": "1.0.0""#), "{ran}");
    for (verb, command) in [("check", "CHECK"), ("del", "DEL")] {
        succeeds(&mut sandbox.cnitool([verb, "net", NETNS, "--negotiate", "--quiet"]));
        assert_eq!(sandbox.request_of("two", command)["cniVersion"], "1.0.0", "{verb}");
    }
}
