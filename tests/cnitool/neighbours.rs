//! Broken files beside the network.

use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::{NETNS, host};
use crate::support::{Ran, Sandbox};

fn with_broken_neighbour() -> Sandbox {
    host().file("10-broken.conflist", "{\n  \"name\": }")
}

#[test]
fn a_broken_neighbour_is_a_warning_on_stderr() {
    let sandbox = with_broken_neighbour();
    let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS])).exits_with(0);
    let ran = ran.says("warning: ").says("10-broken.conflist:2:11: not a JSON object");
    assert!(ran.stdout().starts_with('{'), "{ran}");
}

/// A directory with every kind of thing that is no configuration, in front of the network.
fn among_ruins() -> Sandbox {
    let mut sandbox = host();
    let texts: [(&str, &[u8]); 6] = [
        ("empty", b""),
        ("cut", b"{\"name\":\"net\""),
        ("nul", &[0; 100]),
        ("latin1", b"{\"name\":\"\xe9\""),
        ("esc-\u{1b}[2J\u{202e}", b"{"),
        ("line\nerror: forged", b"{"),
    ];
    for (name, text) in texts {
        sandbox = sandbox.file(&format!("10-{name}.conflist"), text);
    }
    let path = |name: &str| sandbox.net_d().join(format!("10-{name}.conflist"));
    std::fs::write(path("deep"), "[".repeat(100_000)).unwrap();
    std::fs::File::create(path("huge")).unwrap().set_len(100 << 20).unwrap();
    mkfifo(&path("fifo"), Mode::S_IRUSR).unwrap();
    for (name, target) in
        [("zero", "/dev/zero"), ("tty", "/dev/tty"), ("mem", "/proc/self/mem"), ("dangling", "nowhere")]
    {
        symlink(target, path(name)).unwrap();
    }
    symlink(path("loop"), path("loop")).unwrap();
    sandbox
}

#[test]
fn ruins_of_every_kind_hide_the_network_from_no_verb() {
    let sandbox = among_ruins();
    for verb in [&["add", "net", NETNS][..], &["check", "net", NETNS], &["del", "net", NETNS], &["status", "net"]] {
        let ran = Ran::new(sandbox.cnitool([]).args(verb)).exits_with(0);
        let stderr = ran.stderr();
        assert_eq!(stderr.lines().filter(|line| line.starts_with("warning: skipped ")).count(), 14, "{ran}");
        let odd = |c: char| c != '\n' && c.is_control() || c == '\u{202e}';
        assert!(!stderr.contains(odd) && !stderr.contains("\nerror"), "{ran}");
    }
    assert_eq!(sandbox.calls().len(), 8);
    let ran = Ran::new(&mut sandbox.cnitool(["list", "networks"])).exits_with(0);
    assert!(ran.stdout().contains("50-net.conflist"), "{ran}");
}

#[test]
fn strict_stops_at_a_broken_neighbour() {
    let sandbox = with_broken_neighbour();
    for (arguments, env) in [(&["--strict"][..], None), (&[], Some(("CNITOOL_COMPAT", "go")))] {
        let mut command = sandbox.cnitool(["add", "net", NETNS]);
        let ran = Ran::new(command.args(arguments).envs(env));
        ran.exits_with(1).says("error: ").says("10-broken.conflist:2:11");
        assert!(sandbox.calls().is_empty());
    }
}

#[test]
fn a_compatibility_with_anything_else_is_none() {
    for value in ["", "0"] {
        let sandbox = with_broken_neighbour();
        Ran::new(sandbox.cnitool(["add", "net", NETNS]).env("CNITOOL_COMPAT", value)).exits_with(0).says("warning: ");
    }
}

#[test]
fn a_name_that_nobody_has_lists_the_files_that_could_not_be_read() {
    let sandbox = with_broken_neighbour();
    let ran = Ran::new(&mut sandbox.cnitool(["add", "wanted", NETNS])).exits_with(1);
    ran.says("`wanted`").says("10-broken.conflist:2:11");
}

#[test]
fn the_broken_file_of_the_network_itself_is_an_error_with_its_place() {
    let sandbox = host().file("10-x.conflist", "{\"name\": \"x\",\n \"plugins\": 7}");
    let ran = Ran::new(&mut sandbox.cnitool(["add", "x", NETNS])).exits_with(1);
    ran.says("10-x.conflist:2:13").says("`plugins`");
}
