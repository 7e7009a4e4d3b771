//! `cnitool` as a process, against the least program that runs a plugin.

use std::process::{Command, Stdio};

use crate::host::{Host, NETNS, NETWORK};
use crate::measure::{compare, timed};
use crate::table::Table;

const SPAWNER: &str = "bare static C program that runs the plugin";
const CONTAINER: &str = "c1";

pub(crate) fn processes(host: &Host, table: &mut Table) {
    let rounds = host.count(600, 10);
    let spawner = || timed(|| run(Command::new(host.program("spawner")).arg(host.noop()).arg(r#"{"type":"noop"}"#)));
    let add = || {
        let took = timed(|| run(&mut cnitool(host, "add")));
        run(&mut cnitool(host, "del"));
        took
    };
    table.times("cnitool add, no-op plugin", SPAWNER, compare(rounds, spawner, add), "≤ 1.12");
    let del = || {
        run(&mut cnitool(host, "add"));
        timed(|| run(&mut cnitool(host, "del")))
    };
    table.times("cnitool del, no-op plugin", SPAWNER, compare(rounds, spawner, del), "");
    let empty = || timed(|| run(Command::new(host.noop()).stdin(Stdio::null())));
    let version = || timed(|| run(Command::new(&host.cnitool).arg("--version")));
    table.times("cnitool --version", "static C program that does nothing", compare(rounds, empty, version), "");
}

pub(crate) fn sizes(host: &Host, table: &mut Table) {
    let mut command = Command::new(host.program("peak"));
    command.arg(&host.cnitool);
    command.args(cnitool(host, "add").get_args());
    let output = command.env("NETCONFPATH", host.net_d()).env("CNI_PATH", host.bin()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let peak: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
    table.row(["peak memory of cnitool add", "", &format!("{:.2} MiB", peak / 1024.0), "", "", "≤ 4 MiB"]);
    let size = std::fs::metadata(&host.cnitool).unwrap().len() as f64;
    table.row(["size of cnitool, stripped", "", &format!("{:.2} MiB", size / f64::from(1 << 20)), "", "", "≤ 2.5 MiB"]);
}

fn cnitool(host: &Host, verb: &str) -> Command {
    let mut command = Command::new(&host.cnitool);
    command.env("NETCONFPATH", host.net_d()).env("CNI_PATH", host.bin());
    command.args([verb, NETWORK, NETNS, "--container-id", CONTAINER, "--cache-dir"]).arg(host.path("cache"));
    command
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
