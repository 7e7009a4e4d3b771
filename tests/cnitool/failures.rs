//! How the tool fails.

use std::fs::{File, OpenOptions};
use std::process::Stdio;

use super::{NETNS, host, operand};
use crate::support::{Ran, Sandbox, fails_with};

#[test]
fn a_plugin_error_is_on_stderr_with_status_1_and_nothing_on_stdout() {
    for (verb, command) in [("add", "ADD"), ("check", "CHECK"), ("del", "DEL"), ("gc", "GC"), ("status", "STATUS")] {
        let sandbox = host().on("one", command, &fails_with(120, "out of luck"));
        if verb == "check" {
            Ran::new(&mut sandbox.cnitool(["add", "net", NETNS])).exits_with(0);
        }
        let ran = Ran::new(sandbox.cnitool([verb, "net"]).args(operand(verb))).exits_with(1);
        let ran = ran.says("error: ").says("`one`").says(command).says("out of luck");
        assert_eq!(ran.stdout(), "", "{ran}");
    }
}

#[test]
fn a_failed_add_says_how_to_clean_up() {
    let sandbox = host().on("two", "ADD", &fails_with(120, "out of luck"));
    Ran::new(&mut sandbox.cnitool(["add", "net", NETNS])).exits_with(1).says("cnitool del");
}

#[test]
fn a_message_says_each_fact_once_and_what_the_code_means() {
    let says = r#"echo '{"code":11,"msg":"the pool is locked","details":"by 42"}'; exit 1"#;
    let sandbox = host().on("two", "ADD", says);
    let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS])).exits_with(1);
    let file = sandbox.bin().join("two").display().to_string();
    let message = format!(
        "error: plugin `two` ({file}) of network `net` failed on ADD: the pool is locked; by 42 (code 11: try again later)\n"
    );
    assert!(ran.stderr().starts_with(&message), "{ran}");
    sandbox.now_on("two", "ADD", &fails_with(120, "out of luck"));
    Ran::new(&mut sandbox.cnitool(["add", "net", NETNS])).says("out of luck (code 120)\n");
}

#[test]
fn a_missing_plugin_is_named_with_the_directories() {
    let sandbox = host();
    std::fs::remove_file(sandbox.bin().join("two")).unwrap();
    let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS])).exits_with(1);
    ran.says("`two`").says(sandbox.bin().to_str().unwrap());
}

#[test]
fn a_bad_network_name_is_an_error_that_reads_and_runs_nothing() {
    let list = r#"{"cniVersion":"1.0.0","name":"../x","plugins":[{"type":"one"}]}"#;
    let sandbox = host().file("x.conflist", list);
    for verb in ["add", "check", "del", "gc", "status"] {
        Ran::new(sandbox.cnitool([verb, "../x"]).args(operand(verb))).exits_with(1).says("../x");
    }
    assert!(sandbox.calls().is_empty());
}

/// A message with what moves a terminal's cursor, in every part of an error object, in JSON's own escapes.
const ESCAPES: &str = r#"printf '%s' '{"code":100,"msg":"a\u001b[2Jb\u0007","details":"c\u009b1md\re"}'; exit 1"#;

#[test]
fn control_characters_of_a_message_do_not_reach_the_terminal() {
    for (verb, command) in [("add", "ADD"), ("del", "DEL"), ("status", "STATUS")] {
        let sandbox = host().on("one", command, ESCAPES);
        let ran = Ran::new(sandbox.cnitool([verb, "net"]).args(operand(verb))).exits_with(1);
        let raw = ran.stderr().chars().any(|c| c.is_control() && c != '\n');
        assert!(!raw, "{:?}", ran.stderr());
        ran.says("a").says("[2Jb").says("1md");
    }
}

#[test]
fn control_characters_of_a_file_name_or_argument_do_not_reach_the_terminal() {
    let sandbox = host().file("10-\u{1b}[2J.conflist", "{");
    for network in ["net", "\u{1b}[2Jother"] {
        let ran = Ran::new(&mut sandbox.cnitool(["add", network, NETNS]));
        assert!(!ran.stderr().contains('\u{1b}'), "{:?}", ran.stderr());
    }
}

/// Runs an ADD with this as stdout.
#[track_caller]
fn add_to(sandbox: &Sandbox, stdout: impl Into<Stdio>) -> Ran {
    let mut command = sandbox.cnitool(["add", "net", NETNS]);
    let child = command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
    Ran::of(&command, child.wait_with_output().unwrap())
}

#[track_caller]
fn fails_without_panic(ran: Ran) {
    let ran = ran.exits_with(1).says("stdout");
    assert!(!ran.stderr().contains("panicked"), "{ran}");
}

#[test]
fn a_full_stdout_is_an_error() {
    fails_without_panic(add_to(&host(), OpenOptions::new().write(true).open("/dev/full").unwrap()));
}

#[test]
fn a_pipe_that_nobody_reads_is_an_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    fails_without_panic(add_to(&host(), writer));
}

#[test]
fn a_stdout_that_is_open_for_reading_only_is_an_error() {
    fails_without_panic(add_to(&host(), File::open("/dev/null").unwrap()));
}

#[test]
fn a_closed_stderr_changes_nothing_but_the_words() {
    let sandbox = host().on("two", "ADD", &fails_with(120, "out of luck"));
    let mut command = sandbox.cnitool(["add", "net", NETNS]);
    let status = command.stderr(OpenOptions::new().write(true).open("/dev/full").unwrap()).status().unwrap();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn a_limit_of_file_sizes_is_an_error_and_leaves_nothing() {
    // In blocks of 512 bytes: what is begun can't be recorded, and what is done can't.
    for (limit, ran) in [(0, false), (4, true)] {
        let sandbox = host().on(
            "two",
            "ADD",
            "printf '{\"dns\":{\"domain\":\"'; head -c 1850 /dev/zero | tr '\\0' x; echo '\"}}'",
        );
        let tool = sandbox.cnitool(["add", "net", NETNS]);
        let mut limited = std::process::Command::new("sh");
        limited.arg("-c").arg(format!("ulimit -f {limit}; exec \"$@\"")).arg("sh").arg(tool.get_program());
        limited.args(tool.get_args()).env_clear().current_dir(sandbox.path(""));
        limited.envs(tool.get_envs().filter_map(|(key, value)| Some((key, value?))));
        Ran::new(&mut limited).exits_with(1).says("error: ").says("File too large");
        assert_eq!(sandbox.calls().contains(&"DEL one".to_owned()), ran, "what ran is undone");
        assert_eq!(sandbox.cached(), Vec::<String>::new());
    }
}

#[test]
fn check_of_what_was_never_added_says_so_and_where_it_looked() {
    let sandbox = host();
    let check = || sandbox.cnitool(["check", "net", NETNS, "--container-id", "c1", "-i", "eth7"]);
    let ran = Ran::new(&mut check()).exits_with(1);
    let cache = sandbox.path("cache").display().to_string();
    ran.says(&format!("container `c1` is not on network `net` as `eth7`: there is no record of it in {cache}\n"));
    assert!(sandbox.calls().is_empty());
    Ran::new(check().env("CNITOOL_COMPAT", "go")).exits_with(0);
    assert_eq!(sandbox.calls(), ["CHECK one", "CHECK two"]);
}

#[test]
fn gc_warns_of_every_file_that_is_no_entry_of_the_network() {
    let sandbox = host();
    Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1"])).exits_with(0);
    let results = sandbox.path("cache/results");
    std::fs::copy(results.join("net-c1-eth0"), results.join("net-c2-eth0")).unwrap();
    sandbox.plant_cached("net-c3-eth0", r#"{"kind":"other"}"#);
    let ran = Ran::new(&mut sandbox.cnitool(["gc", "net", "--keep", "c1:eth0"])).exits_with(0);
    let ran =
        ran.says("net-c2-eth0 is not a cache entry: it belongs to interface `eth0` of container `c1` on network `net`");
    ran.says("net-c3-eth0 is not a cache entry: its kind is `other`");
    assert_eq!(sandbox.cached(), ["net-c1-eth0", "net-c2-eth0", "net-c3-eth0"]);
}
