//! Plugins with one fault each: the check that is meant for it finds it, and no other check does.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Test;
use crate::tool::{Caller, Report, conformance_by, plugins};

mod table;

use self::table::{FAULTS, Fault};

/// In front of a fault. What comes after it hands on to a plugin without faults.
const BEFORE: &str = r#"#!/bin/sh
home=${0%/*}
verb=${CNI_COMMAND-}
input=$(cat)
on() { [ "$verb" = "$1" ]; }
# Whether the configuration contains a text, or asks for a version.
has() { case $input in *"$1"*) ;; *) return 1 ;; esac; }
in_version() { has "\"cniVersion\":\"$1\""; }
# Ends with an error, or with an answer.
fail() { printf '{"cniVersion":"1.1.0","code":%s,"msg":"%s"}\n' "$1" "${2-on purpose}"; exit 1; }
answer() { printf '%s\n' "$1"; exit 0; }
# The plugin without faults.
plugin() { printf %s "$input" | "$home/plugin"; }
# The same, for faults that come after a success; what it said, as sed makes it; its error, but for one.
succeed() { out=$(plugin) || { printf '%s\n' "$out"; exit 1; }; succeeded=yes; }
rewrite() { succeed; printf '%s\n' "$out" | sed "$1"; exit 0; }
forgive() { out=$(plugin) || case $out in *"$1"*) ;; *) printf '%s\n' "$out"; exit 1 ;; esac; exit 0; }
# The name of the container's namespace, and a command in every one.
container=${CNI_NETNS##*/}
everywhere() { for n in /run/netns/*; do [ ! -e "$n" ] || nsenter --net="$n" "$@"; done 2>/dev/null; }
"#;

const AFTER: &str = r#"
[ -z "${succeeded-}" ] || { printf %s "$out"; exit 0; }
plugin
"#;

/// A plugin with a fault, in a directory of its own.
pub(crate) struct Faulty {
    dir: TempDir,
    base: &'static str,
    version: &'static str,
}

impl Faulty {
    /// One of our plugins, with a piece of shell in front of it.
    pub(crate) fn new(base: &'static str, shell: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("faulty");
        fs::write(&program, format!("{BEFORE}{shell}{AFTER}")).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let faulty = Self { dir, base, version: "1.1.0" };
        faulty.lead_to_base(Caller::Own);
        faulty
    }

    fn lead_to_base(&self, caller: Caller) {
        let link = self.dir.path().join("plugin");
        let _ = fs::remove_file(&link);
        symlink(caller.reaches(&plugins().join(self.base)), link).unwrap();
    }

    /// The path of it.
    pub(crate) fn program(&self) -> PathBuf {
        self.dir.path().join("faulty")
    }

    /// The tool, for this plugin.
    pub(crate) fn conformance(&mut self) -> Command {
        self.conformance_by(Caller::Own)
    }

    /// The tool, run by somebody.
    pub(crate) fn conformance_by(&mut self, caller: Caller) -> Command {
        self.lead_to_base(caller);
        let config = self.dir.path().join("config.json");
        let list = json!({"cniVersion": self.version, "name": "net", "plugins": [self.config()]});
        fs::write(&config, list.to_string()).unwrap();
        caller.owns(&[self.dir.path(), &self.program(), &config]);
        let mut command = conformance_by(&self.program(), caller);
        command.arg("--config").arg(config);
        if self.base == "loopback" {
            command.args(["--ifname", "lo"]);
        }
        command
    }

    fn config(&self) -> Value {
        let ranges = json!([[{"subnet": "10.88.0.0/24"}]]);
        let routes = json!([{"dst": "0.0.0.0/0"}]);
        match self.base {
            "bridge" => {
                let ipam = json!({"type": "host-local", "ranges": ranges, "routes": routes});
                json!({"type": "faulty", "bridge": "cni0", "isGateway": true, "ipam": ipam})
            }
            "host-local" => json!({"type": "faulty", "ipam": {"type": "faulty", "ranges": ranges}}),
            _ => json!({"type": "faulty"}),
        }
    }
}

pub(crate) fn tests() -> Vec<Test> {
    let faults = FAULTS.iter().map(|fault| {
        let test: Box<dyn FnOnce() + Send> = Box::new(|| is_found(fault));
        (format!("faults::{}_{}", fault.check, fault.name), test)
    });
    let complete: Test = ("faults::every_check_has_a_fault".to_owned(), Box::new(every_check_has_a_fault));
    faults.chain([complete]).collect()
}

/// With this variable every fault meets every check, which takes a minute or two; without it, those of its own hundred
/// and these.
const EXHAUSTIVE: &str = "LIBCNI_EXHAUSTIVE";
const ALWAYS: [u64; 4] = [101, 401, 501, 601];

fn is_found(fault: &Fault) {
    let mut faulty = Faulty { version: fault.version, ..Faulty::new(fault.base, fault.shell) };
    let mut command = faulty.conformance();
    let near = |check: &u64| check / 100 == fault.check / 100 || ALWAYS.contains(check);
    let wanted = |check: &u64| std::env::var_os(EXHAUSTIVE).is_some() || near(check);
    // What 509 finds depends on how long things take, which is for its own test alone.
    let wanted = |check: &u64| wanted(check) && (*check != 509 || fault.check == 509);
    let checks = FAULTS.iter().map(|fault| fault.check).filter(wanted).map(|check| check.to_string());
    command.args(["--only", &checks.collect::<Vec<_>>().join(",")]);
    Report::of(&mut command).deviates_in(&[fault.check]);
}

fn every_check_has_a_fault() {
    let output = Command::new(env!("CARGO_BIN_EXE_cnitool")).args(["conformance", "--list"]).output().unwrap();
    let list = String::from_utf8(output.stdout).unwrap();
    let checks: Vec<u64> = list.lines().map(|line| line.split('\t').next().unwrap().parse().unwrap()).collect();
    let faults: Vec<u64> = FAULTS.iter().map(|fault| fault.check).collect();
    assert_eq!(checks, faults);
}
