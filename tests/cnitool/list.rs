//! `cnitool list`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::{NETNS, host, succeeds};
use crate::support::{Ran, Sandbox, eventually};

/// What the tool prints for programs.
#[track_caller]
fn listed(sandbox: &Sandbox, what: &str) -> Value {
    let ran = Ran::new(&mut sandbox.cnitool(["list", what, "--json"])).exits_with(0);
    serde_json::from_str(&ran.stdout()).unwrap_or_else(|error| panic!("{error}\n{ran}"))
}

/// The cells of each line that the tool prints for people, without the line of titles.
#[track_caller]
fn rows(sandbox: &Sandbox, what: &str) -> Vec<Vec<String>> {
    let ran = Ran::new(&mut sandbox.cnitool(["list", what])).exits_with(0);
    let cells =
        |line: &str| line.split("  ").filter(|cell| !cell.is_empty()).map(|cell| cell.trim().to_owned()).collect();
    ran.stdout().lines().skip(1).map(cells).collect()
}

/// The network `net`, a file that it shadows, and a broken one.
fn with_odd_files() -> Sandbox {
    let shadowed = r#"{"cniVersion":"0.4.0","name":"net","type":"one"}"#;
    host().file("60-again.conf", shadowed).file("10-broken.conflist", "{\n \"name\": }")
}

#[test]
fn networks_are_listed_in_file_order_with_the_files_that_give_none() {
    let sandbox = with_odd_files();
    let file = |name: &str| sandbox.net_d().join(name).display().to_string();
    let rows = rows(&sandbox, "networks");
    assert_eq!(rows[0][..4], ["-", "-", "-", &file("10-broken.conflist")]);
    assert!(rows[0][4].starts_with("broken: 2:10: not a JSON object"), "{rows:?}");
    assert_eq!(rows[1], ["net", "1.1.0", "one,two", &file("50-net.conflist"), "ok"]);
    assert_eq!(rows[2], ["net", "0.4.0", "one", &file("60-again.conf"), "shadowed by 50-net.conflist"]);
    assert_eq!(rows.len(), 3);
}

#[test]
fn networks_for_programs_say_which_file_wins_and_where_one_is_broken() {
    let sandbox = with_odd_files();
    let file = |name: &str| sandbox.net_d().join(name);
    let listed = listed(&sandbox, "networks");
    let net =
        json!([{"name": "net", "cniVersion": "1.1.0", "plugins": ["one", "two"], "file": file("50-net.conflist")}]);
    assert_eq!(listed["networks"], net);
    assert_eq!(listed["shadowed"][0]["file"], json!(file("60-again.conf")));
    assert_eq!(listed["shadowed"][0]["shadowedBy"], json!(file("50-net.conflist")));
    let broken = &listed["broken"][0];
    assert_eq!(
        (&broken["file"], &broken["line"], &broken["column"]),
        (&json!(file("10-broken.conflist")), &json!(2), &json!(10))
    );
    assert!(broken["message"].as_str().unwrap().starts_with("not a JSON object"), "{broken}");
}

#[test]
fn networks_for_scripts_are_tabs_and_the_usable_ones_only() {
    let sandbox = with_odd_files();
    let ran = Ran::new(&mut sandbox.cnitool(["list", "networks", "--plain"])).exits_with(0);
    let file = sandbox.net_d().join("50-net.conflist");
    assert_eq!(ran.stdout(), format!("net\t1.1.0\tone,two\t{}\n", file.display()), "{ran}");
    ran.says("60-again.conf").says("10-broken.conflist:2:10");
}

#[test]
fn control_characters_of_a_file_do_not_reach_the_terminal() {
    let list =
        "{\"cniVersion\":\"1.0.0\",\"name\":\"a\\u001b[2J\\nb\u{9b}1m\",\"plugins\":[{\"type\":\"one\u{9b}2m\"}]}";
    let sandbox = host().file("70-\u{1b}[2J.conflist", list);
    for arguments in [&["list", "networks"][..], &["list", "networks", "--plain"], &["list", "networks", "--json"]] {
        let ran = Ran::new(sandbox.cnitool([]).args(arguments)).exits_with(0);
        let all = ran.stdout() + &ran.stderr();
        assert!(!all.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{all:?}");
    }
    assert_eq!(listed(&sandbox, "networks")["networks"][1]["name"], "a\u{1b}[2J\nb\u{9b}1m");
}

#[test]
fn attachments_of_every_runtime_are_listed_with_their_addresses() {
    let addresses = r#"echo '{"ips":[{"address":"10.1.0.5/16"},{"address":"fd00::5/64"}]}'"#;
    let sandbox = host().on("two", "ADD", addresses);
    succeeds(&mut sandbox.cnitool(["add", "net", "/proc/self/ns/net", "--container-id", "web-0"]));
    succeeds(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "web-1", "-i", "net1"]));
    let other = r#"{"kind":"cniCacheV1","containerId":"db","networkName":"other","ifName":"eth0","result":{}}"#;
    sandbox.plant_cached("other-db-eth0", other);
    let mut rows = rows(&sandbox, "attachments");
    let configurations: Vec<_> = rows.iter_mut().map(|row| row.pop().unwrap()).collect();
    assert_eq!(configurations, ["current", "current", "-"]);
    let ages: Vec<_> = rows.iter_mut().map(|row| row.pop().unwrap()).collect();
    assert!(ages.iter().all(|age| age.ends_with('s') || age.ends_with('m')), "{ages:?}");
    let both = "10.1.0.5/16,fd00::5/64";
    assert_eq!(rows[0], ["net", "web-0", "eth0", both, "/proc/self/ns/net", "exists"]);
    assert_eq!(rows[1], ["net", "web-1", "net1", both, NETNS, "gone"]);
    assert_eq!(rows[2], ["other", "db", "eth0", "-", "-", "-"]);
}

#[test]
fn an_attachment_that_was_begun_and_not_finished_is_listed_as_such() {
    let sandbox = host().on("two", "ADD", "kill -9 $PPID; exit 1");
    let died = sandbox.cnitool(["add", "net", NETNS, "--container-id", "web-0"]).status().unwrap();
    assert!(!died.success());
    assert_eq!(rows(&sandbox, "attachments"), [["net", "web-0", "eth0", "-", NETNS, "unfinished", "-", "current"]]);
    assert_eq!(listed(&sandbox, "attachments")["attachments"][0]["finished"], json!(false));
    assert_eq!(succeeds(&mut sandbox.cnitool(["list", "attachments", "--plain"])).stdout(), "");
}

#[test]
fn a_path_that_leads_to_another_namespace_by_now_is_told() {
    let sandbox = host();
    let entry = r#"{"kind":"cniCacheV1","containerId":"web","networkName":"net","ifName":"eth0","result":{},
        "netns":"/proc/self/ns/net","netnsIdentity":"1@1.1"}"#;
    sandbox.plant_cached("net-web-eth0", entry);
    assert_eq!(rows(&sandbox, "attachments")[0][5], "replaced");
}

#[test]
fn attachments_for_programs_include_what_can_not_be_read() {
    let sandbox = host();
    succeeds(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "web-0"]));
    sandbox.plant_cached("net-old-eth0", r#"{"cniVersion":"0.2.0"}"#);
    sandbox.plant_cached("net-torn-eth0", r#"{"kind":"cniCa"#);
    let listed = listed(&sandbox, "attachments");
    let first = &listed["attachments"][0];
    assert_eq!((&first["containerID"], &first["netnsState"]), (&json!("web-0"), &json!("gone")));
    assert!(first["ageSeconds"].is_u64(), "{first}");
    let unreadable: Vec<_> =
        listed["unreadable"].as_array().unwrap().iter().map(|file| file["file"].to_string()).collect();
    assert!(
        matches!(&unreadable[..], [old, torn] if old.contains("net-old-") && torn.contains("net-torn-")),
        "{unreadable:?}"
    );
    let ran = Ran::new(&mut sandbox.cnitool(["list", "attachments"])).exits_with(0);
    ran.says("warning: skipped").says("net-old-eth0").says("net-torn-eth0");
}

#[test]
fn a_cache_that_does_not_exist_has_no_attachments() {
    let ran = Ran::new(&mut host().cnitool(["list", "attachments"])).exits_with(0).says("does not exist");
    assert_eq!(ran.stdout(), "");
}

/// A host with plugin directories `bin` and `late`: plugins, a file, a program that is no plugin, a shadowed one.
fn with_plugins() -> Sandbox {
    let versions = r#"echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}'"#;
    let sandbox = host().on("one", "VERSION", versions).on("two", "VERSION", "echo usage >&2; exit 3");
    fs::create_dir(sandbox.path("late")).unwrap();
    fs::write(sandbox.bin().join("README"), "not a plugin").unwrap();
    symlink("/nowhere", sandbox.bin().join("dangling")).unwrap();
    fs::write(sandbox.path("late/one"), "#!/bin/sh\necho run >$0.run\n").unwrap();
    fs::set_permissions(sandbox.path("late/one"), Permissions::from_mode(0o755)).unwrap();
    sandbox
}

#[test]
fn plugins_are_listed_with_versions_or_with_what_is_wrong() {
    let sandbox = with_plugins();
    let dirs = ["--plugin-dir", "bin", "--plugin-dir", "late", "--plugin-dir", "/nowhere"];
    let ran = Ran::new(sandbox.cnitool(["list", "plugins"]).args(dirs)).exits_with(0);
    assert_eq!(ran.stderr(), "warning: the plugin directory /nowhere does not exist\n", "{ran}");
    let lines: Vec<Vec<_>> =
        ran.stdout().lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect();
    assert_eq!(lines[1], ["README", "-", "bin/README", "not", "executable"], "{ran}");
    assert_eq!(lines[2], ["one", "0.4.0,1.0.0", "bin/one", "ok"], "{ran}");
    assert_eq!(lines[3].join(" "), r#"two - bin/two no plugin: exit status: 3, stderr: "usage""#, "{ran}");
    assert_eq!(lines[4].join(" "), "one - late/one shadowed by bin/one", "{ran}");
    assert_eq!(lines.len(), 5, "{ran}");
    assert!(!sandbox.path("late/one.run").exists(), "a file that is never found was run");
}

#[test]
fn plugins_for_programs_have_their_versions_as_a_list() {
    let sandbox = with_plugins();
    let listed = listed(&sandbox, "plugins");
    let one = json!({"name": "one", "file": sandbox.bin().join("one"), "supportedVersions": ["0.4.0", "1.0.0"]});
    assert_eq!(listed["plugins"][1], one);
    assert!(listed["plugins"][2]["error"].as_str().unwrap().contains("usage"), "{listed}");
}

#[test]
fn plugins_for_scripts_are_those_that_answer() {
    let sandbox = with_plugins();
    let ran = succeeds(&mut sandbox.cnitool(["list", "plugins", "--plain"]));
    assert_eq!(ran.stdout(), format!("one\t0.4.0,1.0.0\t{}\tok\n", sandbox.bin().join("one").display()));
}

#[test]
fn ctrl_c_ends_a_list_of_plugins() {
    let sandbox = host().on("one", "VERSION", "touch $home/running; exec sleep 300");
    let mut command = sandbox.cnitool(["list", "plugins"]);
    let tool = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("plugin `one` runs", || sandbox.path("running").exists());
    kill(Pid::from_raw(tool.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    Ran::of(&command, tool.wait_with_output().unwrap()).exits_with(130).says("cancelled");
}

#[test]
fn a_directory_under_two_names_shadows_nothing() {
    let sandbox = with_plugins();
    symlink("bin", sandbox.path("same")).unwrap();
    let dirs = ["--plugin-dir", "bin", "--plugin-dir", "same", "--plugin-dir", "late/../bin"];
    let ran = succeeds(sandbox.cnitool(["list", "plugins"]).args(dirs));
    assert_eq!(ran.stdout().lines().count(), 4, "{ran}");
}

#[test]
fn the_programs_of_the_system_are_not_asked_for_their_version() {
    let sandbox = host();
    for dir in ["/usr/bin", "/bin", "/usr/../sbin"] {
        let ran = Ran::new(&mut sandbox.cnitool(["list", "plugins", "--plugin-dir", dir])).exits_with(0);
        assert_eq!(ran.stdout(), "", "{ran}");
        ran.says("warning: skipped").says(dir);
    }
}
