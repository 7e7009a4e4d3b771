//! An ADD that failed stays on record until what it did is undone.

use std::os::unix::fs::symlink;

use super::{NETNS, host, succeeds};
use crate::support::{Ran, Sandbox, fails_with};

/// A host whose second plugin fails.
fn failing() -> Sandbox {
    host().on("two", "ADD", &fails_with(120, "out of luck"))
}

/// The attachments as a list shows them: container and state.
fn listed(sandbox: &Sandbox) -> Vec<[String; 2]> {
    let shown = Ran::new(&mut sandbox.cnitool(["list", "attachments", "--json"])).exits_with(0).stdout();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let text = |value: &serde_json::Value| value.to_string().replace('"', "");
    let attachments = shown["attachments"].as_array().unwrap().iter();
    attachments.map(|one| [text(&one["containerID"]), text(&one["finished"])]).collect()
}

fn unfinished() -> Vec<[String; 2]> {
    vec![["c1".to_owned(), "false".to_owned()]]
}

#[test]
fn an_add_that_failed_is_listed_and_the_hint_says_the_whole_command_that_undoes_it() {
    let sandbox = failing();
    let cap = r#"{"portMappings":[{"hostPort":"it's"}]}"#;
    let mut add = sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1", "--cap", cap]);
    let ran = Ran::new(&mut add).exits_with(1).says("out of luck");
    let cache = sandbox.path("cache").display().to_string();
    let quoted = r#"'{"portMappings":[{"hostPort":"it'\''s"}]}'"#;
    ran.says(&format!("`cnitool del net {NETNS} --container-id c1 --cap {quoted} --cache-dir {cache}` undoes it"));
    assert_eq!(listed(&sandbox), unfinished());
    let shown = succeeds(&mut sandbox.cnitool(["gc", "net", "--keep-live", "--dry-run"])).stdout();
    assert!(shown.contains("would delete interface `eth0` of container `c1`"), "{shown}");
    let check = Ran::new(&mut sandbox.cnitool(["check", "net", NETNS, "--container-id", "c1"])).exits_with(1);
    check.says("its ADD was begun and not finished").says("hint: `cnitool del net --container-id c1 --ifname eth0`");
    succeeds(&mut sandbox.cnitool(["del", "net", "--container-id", "c1", "--quiet"]));
    assert!(listed(&sandbox).is_empty());
}

#[test]
fn an_add_that_failed_can_be_tried_again() {
    let sandbox = failing();
    Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1"])).exits_with(1);
    sandbox.now_on("two", "ADD", "echo '{}'");
    succeeds(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1"]));
    assert_eq!(listed(&sandbox), [["c1", "true"]]);
}

#[test]
fn what_is_undone_in_part_only_stays_on_record_until_all_of_it_is() {
    for how in [&*fails_with(120, "out of luck"), "kill -SEGV $$", "echo no result"] {
        let sandbox = host().on("two", "ADD", how).on("one", "DEL", &fails_with(121, "no way back"));
        let add = || sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1", "--rollback"]);
        Ran::new(&mut add()).exits_with(1).says("undone in part only").says("`cnitool del net ");
        assert_eq!(listed(&sandbox), unfinished(), "{how}");
        sandbox.now_on("one", "DEL", "exit 0");
        Ran::new(&mut add()).exits_with(1).says("was undone:");
        assert!(listed(&sandbox).is_empty(), "{how}");
    }
}

#[test]
fn what_did_nothing_is_not_on_record_nor_anything_where_the_behaviour_of_go_is_wanted() {
    let sandbox = host().on("one", "ADD", &fails_with(3, "no such container"));
    Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1"])).exits_with(1);
    assert!(listed(&sandbox).is_empty());
    sandbox.now_on("one", "ADD", &fails_with(120, "out of luck"));
    let mut add = sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1"]);
    Ran::new(add.env("CNITOOL_COMPAT", "go")).exits_with(1);
    assert!(listed(&sandbox).is_empty());
}

#[test]
fn another_network_is_told_whose_unfinished_add_has_the_interface() {
    let list = r#"{"cniVersion":"1.1.0","name":"other","plugins":[{"type":"one"}]}"#;
    let sandbox = failing().file("60-other.conflist", list);
    Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1"])).exits_with(1);
    symlink("alive", sandbox.path("alive")).unwrap();
    Ran::new(&mut sandbox.cnitool(["add", "net", "./alive", "--container-id", "c2"])).exits_with(1);
    let ran = Ran::new(&mut sandbox.cnitool(["add", "other", "./alive", "--container-id", "c2"])).exits_with(1);
    ran.says("interface `eth0` of container `c2` belongs to network `net`, whose ADD was begun and not finished");
}

#[test]
fn an_interface_that_was_never_made_is_not_said_to_be_removed() {
    let sandbox = failing();
    symlink(NETNS, sandbox.path("blue")).unwrap();
    Ran::new(&mut sandbox.cnitool(["add", "net", "./blue", "--container-id", "c1"])).exits_with(1);
    std::fs::remove_file(sandbox.path("blue")).unwrap();
    let ran = Ran::new(&mut sandbox.cnitool(["del", "net", "./blue", "--container-id", "c1"])).exits_with(0);
    let attachment = "interface `eth0` of container `c1` on network `net`";
    assert_eq!(ran.stderr(), format!("note: ran DEL for {attachment}; no interface had to be removed\n"));
}

#[test]
fn a_record_without_configuration_is_not_said_to_be_missing() {
    let sandbox = host();
    let entry = r#"{"kind":"cniCacheV1","containerId":"c1","networkName":"net","ifName":"eth0","result":{"cniVersion":"1.1.0"}}"#;
    for content in [entry, r#"{"cniVersion":"1.1.0"}"#] {
        sandbox.plant_cached("net-c1-eth0", content);
        for verb in [&["del", "--cached"][..], &["update"]] {
            let mut command = sandbox.cnitool([]);
            command.args(verb).args(["net", "--container-id", "c1"]);
            let ran = Ran::new(&mut command).exits_with(1);
            let ran = ran.says("container `c1` is on record as `eth0` of network `net`, without the configuration");
            assert!(!ran.stderr().contains("no record"), "{ran}");
            ran.says("hint: `cnitool del` without `--cached`");
        }
        succeeds(&mut sandbox.cnitool(["del", "net", "--container-id", "c1", "--quiet"]));
        assert!(sandbox.cached().is_empty());
    }
}
