//! The tool as a process in a hostile place: descriptors closed, limits low, odd signals and environment.

use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use super::{NETNS, host, succeeds};
use crate::support::{Ran, Sandbox};

/// The tool, started by bash after it did this. Not every `sh` knows descriptors above 9.
pub(super) fn after(shell: &str, tool: &Command) -> Command {
    let mut command = Command::new("/bin/bash");
    command.arg("-c").arg(format!("{shell}; exec \"$0\" \"$@\"")).arg(tool.get_program()).args(tool.get_args());
    command.env_clear().envs(tool.get_envs().filter_map(|(key, value)| Some((key, value?))));
    command.current_dir(tool.get_current_dir().unwrap());
    command
}

/// An ADD after a shell did this.
fn add_after(sandbox: &Sandbox, shell: &str) -> Ran {
    Ran::new(&mut after(shell, &sandbox.cnitool(["add", "net", NETNS])))
}

fn del_after(sandbox: &Sandbox, shell: &str) -> Ran {
    Ran::new(&mut after(shell, &sandbox.cnitool(["del", "net", NETNS])))
}

#[test]
fn standard_descriptors_may_be_closed() {
    for closed in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", "<&- >&- 2>&-"] {
        let sandbox = host();
        add_after(&sandbox, &format!("exec {closed}")).exits_with(0);
        assert_eq!(sandbox.calls(), ["ADD one", "ADD two"], "{closed}");
        assert_eq!(sandbox.cached().len(), 1, "{closed}");
        del_after(&sandbox, &format!("exec {closed}")).exits_with(0);
        assert!(sandbox.cached().is_empty(), "{closed}");
    }
}

#[test]
fn plugins_find_nothing_of_the_tools_descriptors_where_standard_ones_are_closed() {
    let sandbox = host().on("one", "ADD", "echo '{}'; ls -l /proc/self/fd >$home/fds");
    add_after(&sandbox, "exec <&- >&- 2>&-").exits_with(0);
    let fds = std::fs::read_to_string(sandbox.path("fds")).unwrap();
    // `ls` writes to the file and has the directory open.
    assert_eq!(fds.matches(" -> pipe:").count(), 2, "{fds}");
    assert!(!fds.contains("cache") && !fds.contains("signalfd"), "{fds}");
}

#[test]
fn plugins_get_no_descriptor_that_the_tool_inherited() {
    // Low and high numbers, with and without numbers free below them.
    for open in ["3<Z", "40<Z", "3<Z 4<Z 5<Z 40<Z", "<&- 40<Z", "<&- >&- 40<Z 41<Z", "<&- 3<Z 40<Z"] {
        let open = open.replace('Z', "/dev/zero");
        let sandbox = host().on("one", "ADD", "ls -l /proc/self/fd >$home/fds; echo '{}'");
        add_after(&sandbox, &format!("exec {open}")).exits_with(0);
        let fds = std::fs::read_to_string(sandbox.path("fds")).unwrap();
        assert!(fds.contains(" 0 -> pipe:") && !fds.contains("/dev/zero"), "{open}\n{fds}");
    }
}

#[test]
fn too_few_descriptors_are_an_error_that_says_so_or_enough() {
    for number in 4..20 {
        let sandbox = host();
        let ran = add_after(&sandbox, &format!("ulimit -n {number}"));
        assert!(!ran.stderr().contains("panicked"), "{ran}");
        if ran.stdout().is_empty() {
            ran.exits_with(1).says("Too many open files");
            assert!(sandbox.cached().is_empty(), "{number}");
        } else {
            ran.exits_with(0);
            assert_eq!(sandbox.cached().len(), 1, "{number}");
        }
    }
    add_after(&host(), "ulimit -n 20").exits_with(0);
}

#[test]
fn a_plugin_can_be_ended_with_few_descriptors() {
    let sandbox = host().on("one", "ADD", "kill -TERM $PPID; exec sleep 300");
    let ran = add_after(&sandbox, "ulimit -n 16");
    ran.exits_with(143).says("cancelled");
}

#[test]
fn signals_that_a_parent_ignores_or_blocks_change_nothing() {
    for option in ["--block-signal", "--ignore-signal=PIPE,TERM,INT,HUP,USR1,ALRM"] {
        let sandbox = host().on("one", "ADD", "cat /proc/self/status >$home/status; echo '{}'");
        let tool = sandbox.cnitool(["add", "net", NETNS]);
        succeeds(&mut after(&format!("exec env {option} \"$0\" \"$@\""), &tool));
        let status = std::fs::read_to_string(sandbox.path("status")).unwrap();
        assert!(status.contains("SigBlk:\t0000000000000000"), "{status}");
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
        // SIGPIPE, SIGTERM, SIGCHLD.
        let needed = 1 << 12 | 1 << 14 | 1 << 16;
        assert_eq!(u64::from_str_radix(ignored, 16).unwrap() & needed, 0, "{status}");
    }
}

#[test]
fn an_exit_status_that_the_kernel_drops_is_an_error_that_says_why() {
    let sandbox = host();
    let tool = sandbox.cnitool(["add", "net", NETNS]);
    let ran = Ran::new(&mut after("exec env --ignore-signal=CHLD \"$0\" \"$@\"", &tool)).exits_with(1);
    ran.says("SIGCHLD is ignored in this process").says("give the signal its default action");
    assert!(sandbox.cached().is_empty());
}

#[test]
fn a_working_directory_that_is_gone_matters_to_relative_paths_only() {
    let gone = "mkdir gone; cd gone; rmdir ../gone";
    let sandbox = host();
    add_after(&sandbox, gone).exits_with(0);
    let relative = sandbox.cnitool(["add", "net", "./blue"]);
    Ran::new(&mut after(gone, &relative)).exits_with(1).says("./blue");
}

#[test]
fn a_read_only_working_directory_is_none_of_the_tools_business() {
    add_after(&host(), "cd /proc/self").exits_with(0);
}

#[test]
fn little_memory_for_addresses_is_enough() {
    // In KiB. Less than the program itself takes is the loader's error.
    add_after(&host(), "ulimit -v 40000").exits_with(0);
}

#[test]
fn a_huge_environment_reaches_the_plugins() {
    let sandbox = host().on("one", "ADD", "echo '{}'; wc -c </proc/self/environ >$home/size");
    let mut command = sandbox.cnitool(["add", "net", NETNS]);
    succeeds(command.envs((0..5000).map(|n| (format!("VARIABLE_{n}"), "v".repeat(200)))));
    let size: usize = std::fs::read_to_string(sandbox.path("size")).unwrap().trim().parse().unwrap();
    assert!(size > 1_000_000, "{size}");
}

fn odd() -> &'static std::ffi::OsStr {
    std::ffi::OsStr::from_bytes(b"a\xff\xfe")
}

#[test]
fn arguments_that_are_not_utf8_are_wrong_usage_where_they_must_be_text() {
    let sandbox = host();
    for flags in [&["--ifname"][..], &["--arg"], &["--cap"], &["--container-id"]] {
        let mut command = sandbox.cnitool(["add", "net", NETNS]);
        Ran::new(command.args(flags).arg(odd())).exits_with(2).says("UTF-8");
    }
    Ran::new(sandbox.cnitool(["add"]).arg(odd()).arg(NETNS)).exits_with(2).says("UTF-8");
    Ran::new(sandbox.cnitool([]).arg(odd())).exits_with(2);
    Ran::new(sandbox.cnitool(["add", "net"]).arg(odd())).exits_with(1).says("not UTF-8");
    assert!(sandbox.calls().is_empty());
}

#[test]
fn directories_need_not_be_utf8() {
    let sandbox = Sandbox::new().plugins(["one"]);
    for from in ["net.d", "bin"] {
        std::fs::rename(sandbox.path(from), sandbox.path("").join(odd()).with_extension(from)).unwrap();
    }
    let dir = |name: &str| sandbox.path("").join(odd()).with_extension(name);
    std::fs::write(dir("net.d").join("x.conflist"), r#"{"cniVersion":"1.0.0","name":"x","plugins":[{"type":"one"}]}"#)
        .unwrap();
    let mut command = sandbox.cnitool(["add", "x", NETNS]);
    let command = command.env("NETCONFPATH", dir("net.d")).env("CNI_PATH", dir("bin"));
    succeeds(command.arg("--cache-dir").arg(dir("cache")));
    assert!(dir("cache").join("results").exists());
}

#[test]
fn variables_that_are_not_utf8_are_an_error_only_where_they_are_used() {
    for name in ["CNI_IFNAME", "CNI_ARGS", "CAP_ARGS"] {
        let sandbox = host();
        let ran = Ran::new(sandbox.cnitool(["add", "net", NETNS]).env(name, odd())).exits_with(1);
        ran.says(name).says("UTF-8");
        assert!(sandbox.calls().is_empty());
    }
    for name in ["CNI_COMMAND", "CNI_NETNS", "ANY"] {
        let sandbox = host();
        succeeds(sandbox.cnitool(["add", "net", NETNS]).env(name, odd()));
        assert_eq!(sandbox.calls(), ["ADD one", "ADD two"]);
    }
}

#[test]
fn words_of_wrong_usage_move_no_cursor() {
    let odd = "\u{1b}[2J\u{202e}";
    for arguments in [&[odd][..], &["add", "net", NETNS, "--timeout", odd], &["add", "net", NETNS, "--no\u{1b}"]] {
        let ran = Ran::new(host().cnitool([]).args(arguments)).exits_with(2);
        assert!(!ran.stderr().contains(['\u{1b}', '\u{202e}']), "{:?}", ran.stderr());
    }
}

#[test]
fn help_that_can_not_be_written_is_an_error_that_says_so() {
    for what in ["--help", "--version"] {
        let sandbox = host();
        let mut command = after("exec >/dev/full", &sandbox.cnitool([what]));
        Ran::new(&mut command).exits_with(1).says("cannot write to stdout");
    }
}

#[test]
fn times_without_end_are_taken() {
    for time in ["18446744073709551615", "18446744073709551615m", "9223372036854775807ms"] {
        succeeds(&mut host().cnitool(["add", "net", NETNS, "--timeout", time]));
    }
}
