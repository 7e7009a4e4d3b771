//! An option names a FIFO, a device or a directory in place of a file: the tool refuses each, and waits for none.

use std::process::Command;

use super::process::after;
use super::{NETNS, host, succeeds};
use crate::support::{Ran, Sandbox};

/// A host with what may stand where a file should.
fn planted() -> Sandbox {
    let sandbox = host();
    let make = "mkfifo fifo; ln -s fifo link; mkdir dir";
    succeeds(Command::new("sh").args(["-c", make]).current_dir(sandbox.path("")));
    sandbox
}

const PLANTED: [&str; 5] = ["fifo", "link", "dir", "/dev/zero", "/dev/ptmx"];

/// Runs the tool, which must end by itself. It takes no notice of signals while it waits for a file.
#[track_caller]
fn ended(sandbox: &Sandbox, arguments: &[&str]) -> Ran {
    let mut tool = sandbox.cnitool([]);
    tool.args(arguments);
    let ran = Ran::new(&mut after("exec timeout --signal=KILL 20 \"$0\" \"$@\"", &tool));
    assert!(!ran.was_killed(), "it waits\n{ran}");
    ran
}

#[test]
fn what_conformance_reads_is_a_regular_file() {
    let sandbox = planted();
    for planted in PLANTED {
        for option in ["--config", "--prev-result"] {
            let ran = ended(&sandbox, &["conformance", "one", option, planted]).exits_with(2);
            ran.says(&format!("cannot read {planted}: it is not a regular file"));
        }
        ended(&sandbox, &["conformance", &format!("./{planted}")]).exits_with(2).says("is not a file");
    }
    assert!(sandbox.calls().is_empty());
}

#[test]
fn no_directory_is_waited_for() {
    let sandbox = planted();
    for planted in PLANTED {
        ended(&sandbox, &["list", "networks", "--conf-dir", planted]);
        ended(&sandbox, &["validate", "--conf-dir", planted]);
        ended(&sandbox, &["add", "net", NETNS, "--conf-dir", planted]).exits_with(1);
        ended(&sandbox, &["list", "plugins", "--plugin-dir", planted]);
        ended(&sandbox, &["status", "net", "--plugin-dir", planted]).exits_with(1);
        ended(&sandbox, &["list", "attachments", "--cache-dir", planted]);
        ended(&sandbox, &["inspect", planted]);
    }
    assert!(sandbox.calls().is_empty());
    for planted in ["fifo", "link", "/dev/zero", "/dev/ptmx"] {
        for arguments in [&["add", "net", NETNS][..], &["check", "net", NETNS], &["gc", "net", "--all"]] {
            ended(&sandbox, &[arguments, &["--cache-dir", planted]].concat()).exits_with(1).says(planted);
        }
    }
}

#[test]
fn no_namespace_is_waited_for() {
    let sandbox = planted();
    for planted in PLANTED {
        for verb in ["add", "check", "del"] {
            ended(&sandbox, &[verb, "net", planted]);
        }
    }
}
