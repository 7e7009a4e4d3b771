//! Runs `cnitool conformance`, and reads its report.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use nix::unistd::Uid;
use serde_json::Value;

/// Where cargo puts what it builds.
pub(crate) fn built() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned()
}

/// A plugin directory with those that nodes run, and those among the examples.
pub(crate) fn plugins() -> PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let built = built();
        let dir = built.join("plugins-conformance");
        let installed =
            Command::new(env!("CARGO_BIN_EXE_cni-plugins")).args(["install", "--force"]).arg(&dir).status().unwrap();
        assert!(installed.success(), "cni-plugins install: {installed}");
        for name in ["debug", "noop"] {
            // Leads there by whatever path the directory is reached.
            let _ = fs::remove_file(dir.join(name));
            let _ = symlink(Path::new("../examples").join(name), dir.join(name));
        }
        dir
    };
    DIR.get_or_init(make).clone()
}

/// Who runs the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Whoever runs the tests.
    Own,
    /// An ordinary user, as whom only root can run it.
    Ordinary,
}

/// Where an ordinary user finds what was built.
const REACHABLE: &str = "/mnt";

/// `nobody`.
const ORDINARY: u32 = 65534;

impl Caller {
    pub(crate) fn name(self) -> &'static str {
        if self == Caller::Own { "own" } else { "ordinary" }
    }

    /// Gives files to the caller.
    pub(crate) fn owns(self, files: &[&Path]) {
        if self == Caller::Ordinary {
            files.iter().for_each(|file| chown(file, Some(ORDINARY), Some(ORDINARY)).unwrap());
        }
    }

    fn run(self, program: &str) -> Command {
        if self == Caller::Own {
            return Command::new(program);
        }
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "--", "sh", "-c"]);
        command.arg(format!("mount --bind \"$0\" {REACHABLE} && exec setpriv \"$@\"")).arg(built());
        let user = [format!("--reuid={ORDINARY}"), format!("--regid={ORDINARY}")];
        command.args(user).args(["--clear-groups", "--"]).arg(self.reaches(Path::new(program)));
        command
    }

    /// Returns the path by which the caller reaches something that was built: an ordinary user may not enter the home
    /// directory of root.
    pub(crate) fn reaches(self, path: &Path) -> PathBuf {
        match path.strip_prefix(built()) {
            Ok(below) if self == Caller::Ordinary => Path::new(REACHABLE).join(below),
            _ => path.to_owned(),
        }
    }
}

/// `cnitool conformance`, with our plugins to delegate to.
pub(crate) fn conformance(plugin: &Path) -> Command {
    conformance_by(plugin, Caller::Own)
}

/// The same, run by somebody.
pub(crate) fn conformance_by(plugin: &Path, caller: Caller) -> Command {
    let mut command = caller.run(env!("CARGO_BIN_EXE_cnitool"));
    command.arg("conformance").arg(caller.reaches(plugin)).arg("--plugin-dir").arg(caller.reaches(&plugins()));
    command.stdin(Stdio::null());
    for variable in ["CNI_PATH", "CNI_ARGS", "CAP_ARGS", "CNI_IFNAME"] {
        command.env_remove(variable);
    }
    command
}

/// Why the tool can check nothing on this machine, run by somebody, if it can't.
pub(crate) fn missing(caller: Caller) -> Option<String> {
    if caller == Caller::Ordinary && !Uid::effective().is_root() {
        return None;
    }
    assert!(plugins().join("noop").exists(), "the examples are not built: `cargo build --examples`");
    let output = conformance_by(&plugins().join("noop"), caller).args(["--only", "101"]).output().unwrap();
    (output.status.code() == Some(2)).then(|| String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// What the tool reported.
pub(crate) struct Report {
    command: String,
    output: Output,
    pub(crate) json: Value,
}

impl Report {
    #[track_caller]
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.args(["--format", "json"]).output().unwrap();
        let json = serde_json::from_slice(&output.stdout);
        let json = json.unwrap_or_else(|error| panic!("no report: {error}\n{command:?}\n{output:?}"));
        Self { command: format!("{command:?}"), output, json }
    }

    fn checks(&self) -> &[Value] {
        self.json["checks"].as_array().unwrap()
    }

    /// The numbers of the checks that ended in one of these ways.
    pub(crate) fn with_outcome(&self, outcomes: &[&str]) -> Vec<u64> {
        let wanted = |check: &&Value| outcomes.contains(&check["outcome"].as_str().unwrap());
        self.checks().iter().filter(wanted).map(|check| check["id"].as_u64().unwrap()).collect()
    }

    /// Checks which of the checks found a deviation, and that the exit status says so.
    #[track_caller]
    pub(crate) fn deviates_in(&self, expected: &[u64]) {
        assert_eq!(self.with_outcome(&["fail", "warn"]), expected, "{self}");
        let status = i32::from(!self.with_outcome(&["fail"]).is_empty());
        assert_eq!(self.output.status.code(), Some(status), "{self}");
    }

    #[track_caller]
    pub(crate) fn passes(&self, id: u64) {
        assert!(self.with_outcome(&["pass"]).contains(&id), "{id} does not pass\n{self}");
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}\n{}", self.command, self.output.status)?;
        write!(f, "{}", String::from_utf8_lossy(&self.output.stderr))?;
        for check in self.checks().iter().filter(|check| check["outcome"] != "pass") {
            writeln!(f, "{} {} {}: {}", check["outcome"], check["id"], check["title"], check["reason"])?;
        }
        Ok(())
    }
}
