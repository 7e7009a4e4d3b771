//! `cnitool inspect`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use serde_json::{Value, json};

use super::{NETNS, succeeds};
use crate::support::{Ran, Sandbox};

/// A network `net` with an address plugin, one plugin from its folder, one that is not installed, and an attachment.
fn host() -> Sandbox {
    let list = r#"{"cniVersion":"1.0.0","cniVersions":["0.4.0"],"name":"net","x":1e400,
        "plugins":[{"type":"one","ipam":{"type":"two"},"capabilities":{"mac":true,"ips":false}}]}"#;
    let sandbox = Sandbox::new().plugins(["one", "two"]).file("net.conflist", list);
    let answer = r#"echo '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.5/16"}]}'"#;
    let sandbox = sandbox.on("one", "ADD", answer);
    let add =
        ["add", "net", NETNS, "--container-id", "web", "--arg", "POD=web", "--cap", r#"{"mac":"02:00:00:00:00:01"}"#];
    succeeds(&mut sandbox.cnitool(add));
    fs::create_dir(sandbox.net_d().join("net")).unwrap();
    fs::write(sandbox.net_d().join("net/10-more.conf"), r#"{"type":"gone","n":9007199254740993}"#).unwrap();
    sandbox
}

#[track_caller]
fn inspected(sandbox: &Sandbox, name: &str) -> Value {
    let ran = succeeds(&mut sandbox.cnitool(["inspect", name, "--json"]));
    // Such a number is more than serde_json can hold.
    serde_json::from_str(&ran.stdout().replace("1e400", "1e300")).unwrap_or_else(|error| panic!("{error}\n{ran}"))
}

#[test]
fn a_network_shows_its_plugins_with_their_files_and_its_attachments() {
    let sandbox = host();
    let ran = succeeds(&mut sandbox.cnitool(["inspect", "net"]));
    let stdout = ran.stdout();
    let lines: Vec<_> = stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let path = |name: &str| sandbox.path(name).display().to_string();
    for line in [
        format!("file {}", path("net.d/net.conflist")),
        "version 1.0.0".to_owned(),
        "written for 0.4.0, 1.0.0".to_owned(),
        "verbs ADD, DEL, CHECK".to_owned(),
        "attachments web:eth0".to_owned(),
        format!("one {} mac the list", path("bin/one")),
        format!("two {} - ipam of one", path("bin/two")),
        format!("gone not found - {}", path("net.d/net/10-more.conf")),
        r#""x": 1e400,"#.to_owned(),
        r#""n": 9007199254740993"#.to_owned(),
    ] {
        assert!(lines.contains(&line), "{line:?} is not in: {ran}");
    }
}

#[test]
fn a_network_for_programs_has_the_same() {
    let sandbox = host();
    let network = &inspected(&sandbox, "net")["network"];
    assert_eq!(network["attachments"], json!(["web:eth0"]));
    assert_eq!(network["verbs"], json!(["ADD", "DEL", "CHECK"]));
    let [one, gone] = network["plugins"].as_array().unwrap().as_slice() else { panic!("{network}") };
    assert_eq!((&one["file"], &one["ipam"]), (&json!(sandbox.bin().join("one")), &json!("two")));
    assert_eq!((&one["capabilities"], &gone["file"]), (&json!(["mac"]), &Value::Null));
    assert_eq!(gone["configuredIn"], json!(sandbox.net_d().join("net/10-more.conf")));
    assert_eq!(network["config"]["plugins"][1]["n"], json!(9007199254740993_u64));
}

#[test]
fn an_attachment_is_found_by_container_interface_or_file() {
    let sandbox = host();
    let file = sandbox.path("cache/results/net-web-eth0");
    for name in ["web", "web:eth0", "net-web-eth0", file.to_str().unwrap()] {
        let attachments = inspected(&sandbox, name);
        let [one] = attachments["attachments"].as_array().unwrap().as_slice() else { panic!("{attachments}") };
        assert_eq!(one["file"], json!(file), "{name}");
        assert_eq!(one["cniArgs"], json!([["POD", "web"]]));
        assert_eq!(one["capabilityArgs"], json!({"mac": "02:00:00:00:00:01"}));
        assert_eq!(one["config"]["plugins"][0]["type"], "one");
        assert_eq!(one["result"]["ips"][0]["address"], "10.1.0.5/16");
        assert_eq!(one["netnsState"], "gone");
    }
}

#[test]
fn an_attachment_shows_what_was_asked_for_and_what_came_of_it() {
    let sandbox = host();
    let ran = succeeds(&mut sandbox.cnitool(["inspect", "web:eth0"]));
    for words in ["web:eth0", NETNS, "gone", "10.1.0.5/16", "POD=web", r#""mac": "02:00"#, r#""x": 1e400"#] {
        assert!(ran.stdout().contains(words), "{words:?} is not in: {ran}");
    }
}

#[test]
fn all_interfaces_of_a_container_are_shown() {
    let sandbox = host();
    fs::remove_dir_all(sandbox.net_d().join("net")).unwrap();
    succeeds(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "web", "-i", "net1"]));
    let attachments = inspected(&sandbox, "web");
    let names: Vec<_> =
        attachments["attachments"].as_array().unwrap().iter().map(|one| one["ifname"].clone()).collect();
    assert_eq!(names, ["eth0", "net1"]);
}

#[test]
fn what_is_neither_is_named_with_the_files_that_could_not_be_read() {
    let sandbox = host().file("broken.conflist", "{");
    let ran = Ran::new(&mut sandbox.cnitool(["inspect", "nobody"])).exits_with(1);
    ran.says("`nobody` is not an attachment").says("broken.conflist:1:1");
    Ran::new(&mut sandbox.cnitool(["inspect", "eth0"])).exits_with(1);
}

#[test]
fn control_characters_of_an_entry_do_not_reach_the_terminal() {
    let entry =
        "{\"kind\":\"cniCacheV1\",\"containerId\":\"web\",\"networkName\":\"a\\u001b[2J\",\"ifName\":\"e\u{9b}1m\",
        \"config\":\"G1sySg==\",\"result\":{\"x\":\"\u{9b}2m\"}}";
    let sandbox = Sandbox::new().plugins(["one"]).configured();
    sandbox.plant_cached("net-web-eth0", entry);
    for arguments in [["inspect", "web", "--json"], ["inspect", "web", "--strict"]] {
        let ran = Ran::new(&mut sandbox.cnitool(arguments)).exits_with(0);
        assert!(!ran.stdout().chars().any(|c| c.is_control() && c != '\n'), "{:?}", ran.stdout());
    }
}

/// The files of a directory that are opened meanwhile, each once.
fn opened_in(dir: &Path, meanwhile: impl FnOnce()) -> BTreeSet<String> {
    let inotify = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
    inotify.add_watch(dir, AddWatchFlags::IN_OPEN).unwrap();
    meanwhile();
    let events = std::iter::from_fn(|| inotify.read_events().ok()).flatten();
    // The directory itself has no name.
    events.filter_map(|event| event.name?.into_string().ok()).collect()
}

#[test]
fn only_the_file_of_the_attachment_is_opened() {
    let sandbox = host();
    for n in 0..100 {
        let (other, of_other) = (format!("net-web{n}-eth0"), format!("net-x{n}-web"));
        [other, of_other].iter().for_each(|name| sandbox.plant_cached(name, "{}"));
    }
    let results = sandbox.path("cache/results");
    let path = results.join("net-web-eth0");
    for name in ["web", "web:eth0", "net-web-eth0", path.to_str().unwrap()] {
        let opened = opened_in(&results, || drop(inspected(&sandbox, name)));
        assert_eq!(opened, BTreeSet::from(["net-web-eth0".to_owned()]), "{name}");
    }
    sandbox.plant_cached("other-web-eth0", "{}");
    let opened = opened_in(&results, || drop(inspected(&sandbox, "net")));
    assert!(!opened.contains("other-web-eth0") && opened.contains("net-web-eth0"), "{opened:?}");
}

#[test]
fn a_network_with_many_attachments_fits_on_a_screen() {
    let sandbox = host();
    for n in 0..500 {
        let entry = json!({"kind": "cniCacheV1", "containerId": format!("c{n:03}"), "networkName": "net",
            "ifName": "eth0", "config": "", "result": {}});
        sandbox.plant_cached(&format!("net-c{n:03}-eth0"), &entry.to_string());
    }
    let ran = succeeds(&mut sandbox.cnitool(["inspect", "net"]));
    let stdout = ran.stdout();
    let line = stdout.lines().find(|line| line.starts_with("attachments")).unwrap();
    assert!(line.contains("c009:eth0 and 491 more, as `cnitool list attachments` shows"), "{line}");
    assert_eq!(inspected(&sandbox, "net")["network"]["attachments"].as_array().unwrap().len(), 501);
}
