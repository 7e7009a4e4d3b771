//! `cnitool` killed at any moment: what it had begun is found and removed.
#![cfg(feature = "cli")]

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Ran, Sandbox};

const NETNS: &str = "/dev/null";
/// What plugins hold for a container is a file; a result comes some time after it, and may never come.
const ADD: &str = "touch \"$home/state/$type-$CNI_CONTAINERID\"; sleep 0.003; echo '{}'";
const DEL: &str = "sleep 0.001; rm -f \"$home/state/$type-$CNI_CONTAINERID\"";

fn host() -> Sandbox {
    let mut sandbox = Sandbox::new().plugins(["one", "two"]);
    for plugin in ["one", "two"] {
        sandbox = sandbox.on(plugin, "ADD", ADD).on(plugin, "DEL", DEL);
    }
    fs::create_dir(sandbox.path("state")).unwrap();
    sandbox.configured()
}

/// Random enough, and the same in every run.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> Duration {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        Duration::from_micros((self.0 >> 33) % 40_000)
    }
}

fn kill_after(mut command: Command, moment: Duration) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(moment);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// What is left of any attachment: state of plugins, entries, records of what was begun, locks.
fn traces(sandbox: &Sandbox) -> Vec<String> {
    let dirs = ["state", "cache", "cache/results"].map(|dir| sandbox.path(dir));
    let files = dirs.iter().flat_map(|dir| fs::read_dir(dir).into_iter().flatten().flatten());
    let names = files.map(|file| file.file_name().into_string().unwrap());
    names.filter(|name| name != "results").collect()
}

/// Gives each plugin another configuration.
fn configure_anew(sandbox: &Sandbox, turn: u64) {
    let list = sandbox.network().text().replace(r#""type":"#, &format!(r#""turn":{turn},"type":"#));
    fs::write(sandbox.net_d().join("50-net.conflist"), list).unwrap();
}

/// Kills a verb at `count` moments, each time of an attachment that is there already where the verb removes.
fn survives(verb: &[&str], count: u64) {
    let sandbox = host();
    let mut moments = Moments(count);
    let tool = |arguments: &[&str]| {
        let mut command = sandbox.cnitool([]);
        command.args(arguments);
        // The other verbs are for every container, and refuse to be told of one.
        if matches!(arguments[0], "add" | "del") {
            command.args(["--container-id", "c1"]);
        }
        command
    };
    for turn in 0..count {
        if verb[0] != "add" {
            Ran::new(&mut tool(&["add", "net", NETNS])).exits_with(0);
        }
        if verb[0] == "update" {
            configure_anew(&sandbox, turn);
        }
        kill_after(tool(verb), moments.next());
        let listed = || Ran::new(&mut tool(&["list", "attachments", "--plain"])).exits_with(0).stdout();
        let is_added = sandbox.path("state/one-c1").exists() && sandbox.path("state/two-c1").exists();
        assert!(verb[0] != "add" || listed().is_empty() || is_added, "turn {turn} lists what was not added");
        let clean_up: &[&str] = if turn % 2 == 0 { &["del", "net", NETNS] } else { &["gc", "net", "--all"] };
        let ran = Ran::new(&mut tool(clean_up)).exits_with(0);
        assert_eq!(traces(&sandbox), Vec::<String>::new(), "turn {turn}\n{ran}");
        assert_eq!(listed(), "", "turn {turn}");
        sandbox.forget_calls();
    }
}

/// How many times each verb is killed; `scripts/crashes.sh` asks for more.
fn count() -> u64 {
    std::env::var_os("LIBCNI_CRASHES").map_or(20, |count| count.into_string().unwrap().parse().unwrap())
}

#[test]
fn an_add_that_is_killed_leaves_nothing_that_del_or_gc_does_not_find() {
    survives(&["add", "net", NETNS], count());
}

#[test]
fn a_del_that_is_killed_leaves_nothing_that_del_or_gc_does_not_find() {
    survives(&["del", "net", NETNS], count());
}

#[test]
fn a_gc_that_is_killed_leaves_nothing_that_del_or_gc_does_not_find() {
    survives(&["gc", "net", "--all"], count());
}

#[test]
fn an_update_that_is_killed_leaves_nothing_that_del_or_gc_does_not_find() {
    survives(&["update", "net", NETNS, "--container-id", "c1", "--recreate"], count());
}
