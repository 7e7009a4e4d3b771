//! `cnitool` as a process, against the least program that runs a plugin.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::host::{Host, NETNS, NETWORK};
use crate::measure::{compare, timed};
use crate::table::Table;

const SPAWNER: &str = "bare static C program that runs the plugin";
const CONTAINER: &str = "c1";

pub(crate) fn processes(host: &Host, table: &mut Table) {
    let rounds = host.count(600, 10);
    let spawner = || {
        let mut spawner = command(host, &host.program("spawner"));
        spawner.arg(host.noop()).arg(r#"{"type":"noop"}"#);
        timed(|| run(&mut spawner))
    };
    for (build, tool) in &host.cnitool {
        let add = || {
            let mut add = cnitool(host, tool, "add");
            let took = timed(|| run(&mut add));
            run(&mut cnitool(host, tool, "del"));
            took
        };
        let what = |verb: &str| format!("cnitool {verb}, no-op plugin{build}");
        table.times(&what("add"), SPAWNER, compare(rounds, spawner, add), "≤ 1.12");
        let del = || {
            run(&mut cnitool(host, tool, "add"));
            let mut del = cnitool(host, tool, "del");
            timed(|| run(&mut del))
        };
        table.times(&what("del"), SPAWNER, compare(rounds, spawner, del), "");
        let empty = || timed(|| run(Command::new(host.noop()).stdin(Stdio::null())));
        let version = || timed(|| run(Command::new(tool).arg("--version")));
        let what = format!("cnitool --version{build}");
        table.times(&what, "static C program that does nothing", compare(rounds, empty, version), "");
    }
}

pub(crate) fn sizes(host: &Host, table: &mut Table) {
    for (build, tool) in &host.cnitool {
        let add = cnitool(host, tool, "add");
        let mut command = command(host, &host.program("peak"));
        command.arg(tool).args(add.get_args());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let peak: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
        let what = format!("peak memory of cnitool add{build}");
        table.row([&what, "", &format!("{:.2} MiB", peak / 1024.0), "", "", "≤ 4 MiB"]);
        let size = std::fs::metadata(tool).unwrap().len() as f64 / f64::from(1 << 20);
        let what = format!("size of cnitool, stripped{build}");
        table.row([&what, "", &format!("{size:.2} MiB"), "", "", "≤ 2.5 MiB"]);
    }
}

fn cnitool(host: &Host, tool: &Path, verb: &str) -> Command {
    let mut command = command(host, tool);
    command.args([verb, NETWORK, NETNS, "--container-id", CONTAINER, "--cache-dir"]).arg(host.path("cache"));
    command
}

/// What is compared gets the same environment: to put another one together takes time, too, and not the program's.
fn command(host: &Host, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("NETCONFPATH", host.net_d()).env("CNI_PATH", host.bin());
    command
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
