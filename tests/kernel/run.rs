//! `cnitool run`: a command on networks of its own.

use std::ffi::OsStr;
use std::fs;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::Test;
use crate::host::{Host, eventually, lacks_host};
use crate::ours::plugins;

pub(crate) const TESTS: &[Test] = &[
    ("run::a_command_is_on_its_networks_in_order_with_lo_up", a_command_is_on_its_networks_in_order_with_lo_up),
    ("run::the_status_is_that_of_the_command", the_status_is_that_of_the_command),
    ("run::a_network_that_cannot_be_added_leaves_nothing", a_network_that_cannot_be_added_leaves_nothing),
    ("run::the_loopback_interface_is_not_said_to_be_removed", the_loopback_interface_is_not_said_to_be_removed),
    ("run::a_del_that_fails_is_told_and_hides_no_status", a_del_that_fails_is_told_and_hides_no_status),
    ("run::what_the_command_leaves_running_ends_with_it", what_the_command_leaves_running_ends_with_it),
    (
        "run::the_command_inherits_no_descriptor_but_the_first_three",
        the_command_inherits_no_descriptor_but_the_first_three,
    ),
    ("run::a_signal_ends_the_command_and_leaves_nothing", a_signal_ends_the_command_and_leaves_nothing),
    ("run::a_signal_while_networks_are_added_leaves_nothing", a_signal_while_networks_are_added_leaves_nothing),
];

/// What needs a user who is not root.
pub(crate) const AS_ORDINARY_USER: &[Test] = &[
    ("run::an_ordinary_user_has_networks_too", an_ordinary_user_has_networks_too),
    ("run::nothing_of_an_ordinary_user_is_on_the_host", nothing_of_an_ordinary_user_is_on_the_host),
    ("run::an_ordinary_user_who_may_not_is_told_what_it_takes", an_ordinary_user_who_may_not_is_told_what_it_takes),
    ("run::a_plugin_without_the_right_says_which_it_takes", a_plugin_without_the_right_says_which_it_takes),
];

const TOOL: &str = env!("CARGO_BIN_EXE_cnitool");
/// Where the tool and the plugins are on a host: an ordinary user may not enter where they were built, as in the home
/// directory of root.
const BUILT: &str = "/run/built";
const AS_NOBODY: &str = "setpriv --reuid=65534 --regid=65534 --clear-groups";

/// Why this machine has no ordinary user who could run the tool, if it has none.
pub(crate) fn no_ordinary_user() -> Option<String> {
    let mount = format!("mount -t tmpfs tmpfs /run && {}", mount_built());
    crate::ours::missing()
        .or_else(|| lacks_host(&format!("{mount} && {AS_NOBODY} unshare -Urnm {BUILT}/cnitool --version")))
}

fn mount_built() -> String {
    format!("mkdir {BUILT} && mount --bind {} {BUILT}", plugins().parent().unwrap().display())
}

/// A host with networks `first` and `second`, and `third`, whose plugin does not work.
fn configure(host: &Host) {
    host.run("mkdir net.d && chmod 755 . net.d");
    host.run(&mount_built());
    for (name, subnet) in [("first", "10.77.0.0/24"), ("second", "10.78.0.0/24"), ("third", "no subnet")] {
        let ipam = json!({"type": "host-local", "subnet": subnet, "dataDir": "/var/lib/cni/networks"});
        let bridge = json!({"type": "bridge", "bridge": name, "isGateway": true, "ipam": ipam});
        let list = json!({"cniVersion": "1.0.0", "name": name, "plugins": [bridge]});
        fs::write(host.path("net.d").join(format!("{name}.conflist")), list.to_string()).unwrap();
    }
    host.run("mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/cni");
}

/// The tool, by default as the user that the test has.
fn tool<S: AsRef<OsStr>>(host: &Host, prefix: &str, arguments: impl IntoIterator<Item = S>) -> Command {
    // Signals that whoever runs the tests ignores, as `nohup` does, are not ignored.
    let mut words = prefix.split_whitespace().chain(["env", "--default-signal", "/run/built/cnitool", "run"]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(arguments).env("NETCONFPATH", host.path("net.d")).env("CNI_PATH", "/run/built/plugins");
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// Nothing of a run is left on the host.
#[track_caller]
fn is_clean(host: &Host) {
    assert_eq!(host.run("ls /run/netns"), "blue\n");
    assert_eq!(host.run("find /var/lib/cni -name '10.*' -o -path '*/results/*' -type f"), "");
    let links = || host.run("ip -o link show type veth");
    // The kernel takes the links of a namespace that is gone down in its own time.
    eventually(|| links().is_empty());
    assert_eq!(links(), "");
}

fn a_command_is_on_its_networks_in_order_with_lo_up(host: &Host) {
    configure(host);
    let output = host.run_command(&mut tool(host, "", ["second", "first", "--", "ip", "-o", "-4", "addr"]));
    for words in ["lo    inet 127.0.0.1/8", "eth0    inet 10.78.0.", "eth1    inet 10.77.0."] {
        assert!(output.contains(words), "{words:?} is not in: {output}");
    }
    is_clean(host);
}

fn the_status_is_that_of_the_command(host: &Host) {
    configure(host);
    for (script, status) in [("exit 7", 7), ("kill -9 $$", 137), ("true", 0)] {
        let ran = tool(host, "", ["first", "--", "sh", "-c", script]).status().unwrap();
        assert_eq!(ran.code(), Some(status), "{script}");
    }
    let output = tool(host, "", ["first", "--", "/no/such/program"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/program"), "{output:?}");
    is_clean(host);
}

fn a_network_that_cannot_be_added_leaves_nothing(host: &Host) {
    configure(host);
    let output = tool(host, "", ["first", "third", "--", "touch", "/run/ran"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("ADD failed and was undone: ") && stderr.contains("`third`"), "{stderr}");
    // The plugin of `third` refuses its configuration before it makes anything.
    let is_removed = |ifname: &str| stderr.contains(&format!("note: removed interface `{ifname}` of "));
    assert!(is_removed("eth0") && !is_removed("eth1"), "{stderr}");
    assert_eq!(host.run("find /run -name ran"), "");
    is_clean(host);
}

fn the_loopback_interface_is_not_said_to_be_removed(host: &Host) {
    configure(host);
    let list = json!({"cniVersion": "1.0.0", "name": "lo", "plugins": [{"type": "loopback"}]});
    fs::write(host.path("net.d/lo.conflist"), list.to_string()).unwrap();
    let output = tool(host, "", ["lo", "first", "--", "true"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("note: removed interface `eth0`") && !stderr.contains("removed interface `lo`"),
        "{stderr}"
    );
    is_clean(host);
}

fn a_del_that_fails_is_told_and_hides_no_status(host: &Host) {
    configure(host);
    host.run(
        "mkdir bin && printf '#!/bin/sh\\n[ $CNI_COMMAND != DEL ] && echo {}\\n' > bin/stuck && chmod 755 bin/stuck",
    );
    let list = json!({"cniVersion": "1.0.0", "name": "odd", "plugins": [{"type": "stuck"}]});
    fs::write(host.path("net.d/odd.conflist"), list.to_string()).unwrap();
    for (script, status) in [("exit 3", 3), ("true", 1)] {
        let output =
            tool(host, "", ["odd", "--", "sh", "-c", script]).env("CNI_PATH", host.path("bin")).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{script}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            stderr.contains("failed on DEL") && stderr.contains("hint: `cnitool gc NETWORK --keep-live`"),
            "{stderr}"
        );
    }
}

fn what_the_command_leaves_running_ends_with_it(host: &Host) {
    configure(host);
    // In sessions of their own: one that goes when it is asked to, one that has stopped, and one that has to be killed.
    for stray in ["exec sleep 300", "kill -STOP $$", "trap '' TERM; exec sleep 300"] {
        let script = "setsid sh -c 'echo $$ >/run/stray; '\"$0\" & until [ -s /run/stray ]; do :; done";
        let ran = tool(host, "", ["first", "--", "sh", "-c", script, stray]).status().unwrap();
        assert_eq!(ran.code(), Some(0), "{stray}");
        let pid = host.run("cat /run/stray");
        assert!(!fs::exists(format!("/proc/{}", pid.trim())).unwrap(), "{stray}: it lives on");
        host.run("rm /run/stray");
        is_clean(host);
    }
}

fn the_command_inherits_no_descriptor_but_the_first_three(host: &Host) {
    configure(host);
    let mut shell = Command::new("bash");
    shell.args(["-c", "exec 9</dev/zero 40</dev/zero; exec \"$0\" run first -- ls -l /proc/self/fd", TOOL]);
    shell.env("NETCONFPATH", host.path("net.d")).env("CNI_PATH", plugins()).current_dir("/");
    let listing = host.run_command(shell.stdin(Stdio::null()));
    assert!(listing.contains(" 2 -> ") && !listing.contains("/dev/zero"), "{listing}");
    is_clean(host);
}

/// A run of a command that takes long, when that has begun.
fn long_run(host: &Host) -> Child {
    let arguments = ["first", "second", "--", "sh", "-c", "echo $$ >/run/began; exec sleep 100"];
    let child = tool(host, "", arguments).spawn().unwrap();
    eventually(|| fs::read_to_string("/run/began").is_ok_and(|pid| pid.ends_with('\n')));
    child
}

fn a_signal_ends_the_command_and_leaves_nothing(host: &Host) {
    configure(host);
    for (signal, status) in [("TERM", 143), ("INT", 130), ("HUP", 129), ("QUIT", 131)] {
        let mut child = long_run(host);
        let command = fs::read_to_string("/run/began").unwrap();
        host.run(&format!("kill -{signal} {}", child.id()));
        assert_eq!(child.wait().unwrap().code(), Some(status), "{signal}");
        assert!(!fs::exists(format!("/proc/{}", command.trim())).unwrap(), "{signal}: the command is still there");
        host.run("rm /run/began");
        is_clean(host);
    }
}

fn a_signal_while_networks_are_added_leaves_nothing(host: &Host) {
    configure(host);
    host.run(
        "mkdir slow && printf '#!/bin/sh\\ntouch /run/began; exec sleep 100\\n' >slow/slow && chmod 755 slow/slow",
    );
    let list = json!({"cniVersion": "1.0.0", "name": "slow", "plugins": [{"type": "slow"}]});
    fs::write(host.path("net.d/slow.conflist"), list.to_string()).unwrap();
    let dirs = std::env::join_paths([plugins(), host.path("slow")]).unwrap();
    let mut command = tool(host, "", ["first", "slow", "--timeout", "3s", "--", "true"]);
    let mut child = command.env("CNI_PATH", dirs).stderr(Stdio::null()).spawn().unwrap();
    eventually(|| fs::exists("/run/began").unwrap());
    host.run(&format!("kill -TERM {}", child.id()));
    assert_eq!(child.wait().unwrap().code(), Some(143));
    // DEL of the slow plugin fails, too, and what it did is in the cache for a later one.
    let networks = host.run("ls /var/lib/cni/results /var/lib/cni/networks/first");
    assert!(!networks.contains("10.77"), "{networks}");
    assert_eq!(host.run("ls /run/netns"), "blue\n");
}

fn an_ordinary_user_has_networks_too(host: &Host) {
    configure(host);
    let script = "ip -o -4 addr; busybox ping -c 1 -W 5 10.77.0.1 >/dev/null && echo gateway; exit 7";
    let output = tool(host, AS_NOBODY, ["first", "second", "--", "sh", "-c", script]).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    for words in ["lo    inet 127.0.0.1/8", "eth0    inet 10.77.0.", "eth1    inet 10.78.0.", "gateway"] {
        assert!(stdout.contains(words), "{words:?} is not in: {output:?}");
    }
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    is_clean(host);
}

fn nothing_of_an_ordinary_user_is_on_the_host(host: &Host) {
    configure(host);
    host.run("mkdir /run/others && echo kept >/run/others/file");
    let script = "cat /run/others/file; ls /run/netns | wc -l; ls /var/lib/cni; ip -o link show first";
    let output = tool(host, AS_NOBODY, ["first", "--", "sh", "-c", script]).output().unwrap();
    // The bridge is on the host of the run, not in the namespace of the command.
    assert_eq!(String::from_utf8_lossy(&output.stdout), "kept\n1\nnetworks\nresults\n", "{output:?}");
    assert_eq!(host.run("ip -o link show type bridge"), "");
    assert_eq!(host.run("ls -A /var/lib/cni"), "");
    is_clean(host);
}

fn an_ordinary_user_who_may_not_is_told_what_it_takes(host: &Host) {
    configure(host);
    // Whoever is in a changed root may not make user namespaces. It is in the test's own `/run`, and not in the
    // directory that is removed with all its content, even where the test fails.
    host.run("mkdir /run/root && mount --rbind / /run/root");
    let chroot = "chroot --userspec=65534:65534 /run/root";
    let output = tool(host, chroot, ["first", "--", "true"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    for words in ["error: an ordinary user needs a host of namespaces", "Operation not permitted", "which takes root"] {
        assert!(stderr.contains(words), "{words:?} is not in: {stderr}");
    }
    host.run("umount -l /run/root");
    is_clean(host);
}

fn a_plugin_without_the_right_says_which_it_takes(host: &Host) {
    host.run("mkdir -m 777 cache && mkdir net.d && chmod 755 . net.d");
    host.run(&mount_built());
    let list = r#"{"cniVersion": "1.0.0", "name": "lo", "plugins": [{"type": "loopback"}]}"#;
    fs::write(host.path("net.d/lo.conflist"), list).unwrap();
    let mut words =
        AS_NOBODY.split(' ').chain(["/run/built/cnitool", "add", "lo", "blue", "--ifname", "lo", "--cache-dir"]);
    let mut add = Command::new(words.next().unwrap());
    add.args(words)
        .arg(host.path("cache"))
        .env("NETCONFPATH", host.path("net.d"))
        .env("CNI_PATH", "/run/built/plugins");
    let output = add.stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    for words in ["`loopback`", "cannot enter network namespace /var/run/netns/blue, which takes CAP_SYS_ADMIN"] {
        assert!(stderr.contains(words), "{words:?} is not in: {stderr}");
    }
}
