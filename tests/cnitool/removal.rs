//! `del` and `gc`: what goes, and what is kept.

use std::fs;
use std::os::unix::fs::symlink;

use super::{NETNS, host, succeeds};
use crate::support::{Ran, Sandbox};

/// A host with three attachments, whose namespaces are gone.
fn with_attachments() -> Sandbox {
    with_attachments_in([NETNS; 3])
}

/// The same, but the namespace of `c1` exists.
fn with_a_live_attachment() -> Sandbox {
    with_attachments_in(["/proc/self/ns/net", NETNS, NETNS])
}

fn with_attachments_in(netns: [&str; 3]) -> Sandbox {
    let sandbox = host();
    for (id, netns) in ["c1", "c2", "c3"].into_iter().zip(netns) {
        succeeds(&mut sandbox.cnitool(["add", "net", netns, "--container-id", id]));
    }
    sandbox.forget_calls();
    sandbox
}

#[test]
fn gc_refuses_to_delete_everything_unless_it_is_told_to() {
    let sandbox = with_attachments();
    let ran = Ran::new(&mut sandbox.cnitool(["gc", "net"])).exits_with(2);
    ran.says("`net`").says("--keep ID:IFNAME").says("--keep-live").says("--all");
    assert_eq!((sandbox.calls().len(), sandbox.cached().len()), (0, 3));
    succeeds(&mut sandbox.cnitool(["gc", "net", "--all", "--quiet"]));
    assert_eq!(sandbox.cached().len(), 0);
}

#[test]
fn gc_deletes_everything_unasked_where_the_behaviour_of_go_is_wanted() {
    let sandbox = with_attachments();
    succeeds(sandbox.cnitool(["gc", "net", "--quiet"]).env("CNITOOL_COMPAT", "go"));
    assert_eq!(sandbox.cached().len(), 0);
}

#[test]
fn gc_keeps_the_attachments_that_are_named() {
    let sandbox = with_attachments();
    succeeds(&mut sandbox.cnitool(["gc", "net", "--keep", "c1:eth0", "--keep", "c2:eth0", "--quiet"]));
    assert_eq!(sandbox.cached(), ["net-c1-eth0", "net-c2-eth0"]);
    let valid = &sandbox.request_of("one", "GC")["cni.dev/valid-attachments"];
    assert_eq!(valid.as_array().map(Vec::len), Some(2));
    for wrong in ["c1", "c1:", ":eth0", "../c1:eth0", "c1:eth0:x"] {
        Ran::new(&mut sandbox.cnitool(["gc", "net", "--keep", wrong])).exits_with(2);
    }
    Ran::new(&mut sandbox.cnitool(["gc", "net", "--keep", "c1:eth0", "--all"])).exits_with(2);
}

#[test]
fn gc_keeps_the_attachments_whose_namespace_exists() {
    let sandbox = with_a_live_attachment();
    succeeds(&mut sandbox.cnitool(["gc", "net", "--keep-live", "--quiet"]));
    assert_eq!(sandbox.cached(), ["net-c1-eth0"]);
    let valid = &sandbox.request_of("one", "GC")["cni.dev/valid-attachments"];
    assert_eq!(*valid, serde_json::json!([{"containerID": "c1", "ifname": "eth0"}]));
}

#[test]
fn gc_takes_no_namespace_and_no_name_that_is_nearly_right() {
    let sandbox = with_a_live_attachment();
    let refused = |words: &[&str]| Ran::new(sandbox.cnitool(["gc", "net"]).args(words));
    refused(&["/run/netns/blue", "--all"]).exits_with(2).says("takes no namespace").says("/run/netns/blue");
    refused(&["--keep", "c:eth0"]).exits_with(1).says("`c:eth0`").says("did you mean `c1:eth0`?");
    let ran = Ran::new(sandbox.cnitool(["gc", "net", "--keep-live", "--cache-dir"]).arg(sandbox.path("cachee")));
    ran.exits_with(1).says("cachee").says("not known who is live");
    assert_eq!((sandbox.calls().len(), sandbox.cached().len()), (0, 3));
    assert!(!sandbox.path("cachee").exists());
}

/// A host with attachments as the Go libcni records them, which does not say which namespace it was.
fn with_attachments_of_go() -> Sandbox {
    let sandbox = host().file("ordinary", "");
    symlink("loop", sandbox.path("net.d/loop")).unwrap();
    let in_net_d = |name: &str| sandbox.net_d().join(name).display().to_string();
    let netns = [
        ("existing", "/proc/self/ns/net".to_owned()),
        ("missing", "/run/netns/none".to_owned()),
        // What `ip netns` leaves behind when it can't unmount.
        ("ordinary", in_net_d("ordinary")),
        ("unreadable", in_net_d("loop")),
        ("unrecorded", String::new()),
    ];
    for (id, netns) in netns {
        let entry = serde_json::json!({"kind": "cniCacheV1", "containerId": id, "networkName": "net", "ifName": "eth0",
            "netns": netns, "result": {"cniVersion": "1.1.0"}});
        sandbox.plant_cached(&format!("net-{id}-eth0"), &entry.to_string());
    }
    sandbox
}

#[test]
fn gc_deletes_what_a_list_calls_gone_and_never_what_is_unknown() {
    let sandbox = with_attachments_of_go();
    let listed = succeeds(&mut sandbox.cnitool(["list", "attachments", "--json"])).stdout();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let states = listed["attachments"].as_array().unwrap().iter();
    let states: Vec<_> = states.map(|one| [text(&one["containerID"]), text(&one["netnsState"])]).collect();
    let [gone, unknown] = ["gone", "unknown"];
    let expected =
        [["existing", "exists"], ["missing", gone], ["ordinary", gone], ["unreadable", unknown], ["unrecorded", "-"]];
    assert_eq!(states, expected);
    let shown = succeeds(&mut sandbox.cnitool(["gc", "net", "--keep-live", "--dry-run", "--json"])).stdout();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let deleted = shown["delete"].as_array().unwrap().iter().map(|one| text(&one["containerID"]));
    assert_eq!(deleted.collect::<Vec<_>>(), ["missing", "ordinary"]);
    succeeds(&mut sandbox.cnitool(["gc", "net", "--keep-live", "--quiet"]));
    assert_eq!(sandbox.cached(), ["net-existing-eth0", "net-unreadable-eth0", "net-unrecorded-eth0"]);
}

#[test]
fn a_dry_run_of_gc_shows_what_would_go_and_runs_nothing() {
    let sandbox = with_a_live_attachment();
    let ran = succeeds(&mut sandbox.cnitool(["gc", "net", "--keep-live", "--dry-run"]));
    assert!(ran.stdout().contains("`c2`") && ran.stdout().contains("`c3`") && !ran.stdout().contains("`c1`"), "{ran}");
    let ran = succeeds(&mut sandbox.cnitool(["gc", "net", "--keep", "c1:eth0", "--dry-run", "--json"]));
    let shown: serde_json::Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!(shown["delete"][1]["containerID"], "c3");
    assert_eq!((sandbox.calls().len(), sandbox.cached().len()), (0, 3));
}

#[test]
fn del_works_without_any_configuration() {
    let sandbox = with_attachments();
    fs::remove_dir_all(sandbox.net_d()).unwrap();
    let ran = Ran::new(&mut sandbox.cnitool(["del", "net", NETNS, "--container-id", "c2"])).exits_with(1);
    ran.says("del --cached");
    succeeds(&mut sandbox.cnitool(["del", "net", "--cached", "--container-id", "c2", "--quiet"]));
    assert_eq!(sandbox.calls(), ["DEL two", "DEL one"]);
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_NETNS"), NETNS);
    assert_eq!(sandbox.cached(), ["net-c1-eth0", "net-c3-eth0"]);
    let ran = Ran::new(&mut sandbox.cnitool(["del", "net", "--cached", "--container-id", "c2"])).exits_with(1);
    ran.says("container `c2` is not on network `net` as `eth0`: there is no record of it in ");
}

#[test]
fn del_finds_the_cached_container_of_a_namespace() {
    let sandbox = host();
    succeeds(&mut sandbox.cnitool(["add", "net", NETNS]));
    fs::remove_dir_all(sandbox.net_d()).unwrap();
    succeeds(&mut sandbox.cnitool(["del", "net", NETNS, "--cached", "--quiet"]));
    assert!(sandbox.cached().is_empty());
}

#[test]
fn del_takes_an_empty_namespace() {
    let sandbox = with_attachments();
    succeeds(&mut sandbox.cnitool(["del", "net", "", "--container-id", "c2", "--quiet"]));
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_NETNS"), "");
}

#[test]
fn del_goes_on_without_a_plugin_where_told_to_and_says_which() {
    let sandbox = with_attachments();
    fs::remove_file(sandbox.bin().join("two")).unwrap();
    let ran = Ran::new(&mut sandbox.cnitool(["del", "net", NETNS, "--container-id", "c2"])).exits_with(1);
    ran.says("`two`").says("--skip-missing");
    let mut del = sandbox.cnitool(["del", "net", NETNS, "--container-id", "c2", "--skip-missing"]);
    Ran::new(&mut del).exits_with(0).says("warning: skipped").says("`two`");
    assert_eq!(sandbox.calls(), ["DEL one"]);
    assert_eq!(sandbox.cached(), ["net-c1-eth0", "net-c3-eth0"]);
}

#[test]
fn names_with_dots_and_slashes_never_become_paths() {
    let sandbox = with_attachments();
    fs::create_dir_all(sandbox.path("cache/victim-c1-eth0")).unwrap();
    for arguments in [
        ["del", "../../victim", "/x", "--cached", "--container-id", "c1"],
        ["del", "net", "/x", "--cached", "--container-id", "../c1"],
        ["del", "net", "/x", "--container-id", "..", "--cached"],
    ] {
        Ran::new(&mut sandbox.cnitool(arguments)).exits_with(1).says("invalid");
    }
    assert!(sandbox.calls().is_empty());
}
