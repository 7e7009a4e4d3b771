//! A plugin that runs the tool: for another network of its container, and for its own.

use std::process::Stdio;

use super::{NETNS, host, succeeds};
use crate::support::{Ran, Sandbox, eventually, fails_with};

/// A host whose plugin `one` runs the tool on a verb, and fails with what it says if that fails.
fn with_meta_plugin(verb: &str, arguments: &str) -> Sandbox {
    let inner = r#"{"cniVersion":"1.1.0","name":"inner","plugins":[{"type":"two"}]}"#;
    let sandbox = host().file("60-inner.conflist", inner);
    let tool = env!("CARGO_BIN_EXE_cnitool");
    let runs = format!(
        "if said=$({tool} --cache-dir $home/cache --lock-timeout 20s {arguments} 2>&1); then echo '{{}}'; \
         else printf '%s' \"$said\" >$home/said; {}; fi",
        fails_with(100, "the tool failed")
    );
    sandbox.on("one", verb, &runs)
}

#[test]
fn another_network_of_the_same_container_is_not_waited_for() {
    for arguments in [
        "add inner /dev/null --container-id c1 --ifname eth1 --quiet",
        "del inner /dev/null --container-id c1 --ifname eth1 --quiet",
    ] {
        let sandbox = with_meta_plugin("ADD", arguments);
        succeeds(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1"]));
        assert!(!sandbox.path("cache/.lock-container-c1").exists());
    }
    // The interface of the outer network, whose plugin hands the work on, in a namespace that nobody can tell to be
    // gone.
    let sandbox = with_meta_plugin("ADD", "add inner $home/alive --container-id c1");
    std::os::unix::fs::symlink("alive", sandbox.path("alive")).unwrap();
    succeeds(&mut sandbox.cnitool(["add", "net", "./alive", "--container-id", "c1"]));
    assert_eq!(sandbox.cached(), ["inner-c1-eth0", "net-c1-eth0"]);
    let sandbox = with_meta_plugin("DEL", "del inner /dev/null --container-id c1 --ifname eth1 --quiet");
    succeeds(&mut sandbox.cnitool(["del", "net", NETNS, "--container-id", "c1", "--quiet"]));
    let sandbox = with_meta_plugin("GC", "del net /dev/null --container-id c1 --quiet");
    succeeds(&mut sandbox.cnitool(["gc", "net", "--all", "--quiet"]));
}

#[test]
fn the_same_attachment_is_refused_at_once() {
    for verb in ["add", "check", "del"] {
        let sandbox = with_meta_plugin("ADD", &format!("{verb} net /dev/null --container-id c1"));
        let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1"])).exits_with(1);
        let said = std::fs::read_to_string(sandbox.path("said")).unwrap();
        let expected = "error: container `c1` is in use by process ";
        assert!(
            said.starts_with(expected) && said.contains("(cnitool), which waits for this process"),
            "{said}\n{ran}"
        );
        assert_eq!(sandbox.calls(), ["ADD one"]);
    }
}

#[test]
fn a_gc_of_the_network_that_a_plugin_is_run_for_is_refused_at_once() {
    let sandbox = with_meta_plugin("ADD", "gc net --all");
    Ran::new(&mut sandbox.cnitool(["add", "net", NETNS])).exits_with(1);
    let said = std::fs::read_to_string(sandbox.path("said")).unwrap();
    assert!(said.starts_with("error: network `net` is in use by process "), "{said}");
    assert_eq!(sandbox.calls(), ["ADD one"]);
}

#[test]
fn who_is_no_plugin_of_the_holder_waits_as_ever() {
    let sandbox = host().on("one", "ADD", "touch $home/running; exec sleep 300");
    let mut holder = sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1"]);
    let mut holder = holder.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("plugin `one` runs", || sandbox.path("running").exists());
    let del = ["del", "net", NETNS, "--container-id", "c1", "--lock-timeout", "50ms"];
    // The variables of a plugin alone make none.
    for variables in [&[][..], &[("CNI_COMMAND", "ADD"), ("CNI_CONTAINERID", "c1"), ("CNI_NETNS", NETNS)]] {
        Ran::new(sandbox.cnitool(del).envs(variables.iter().copied())).exits_with(1).says("gave up after");
    }
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(holder.id().cast_signed()), nix::sys::signal::SIGTERM).unwrap();
    holder.wait().unwrap();
}
