//! The binary `cnitool`, as an operator runs it.

use std::process::{Command, Output, Stdio};

use super::Sandbox;

impl Sandbox {
    /// Writes the network into the directory of configurations.
    pub(crate) fn configured(self) -> Self {
        let list = self.network().text().to_owned();
        self.file("50-net.conflist", list)
    }

    /// `cnitool` for this host, with nothing else in its environment.
    pub(crate) fn cnitool<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cnitool"));
        command.env_clear().env("PATH", "/usr/bin:/bin");
        command.env("NETCONFPATH", self.net_d()).env("CNI_PATH", self.bin());
        command.arg("--cache-dir").arg(self.path("cache")).args(arguments);
        command.current_dir(self.path("")).stdin(Stdio::null());
        command
    }
}

/// A command that has ended.
pub(crate) struct Ran {
    command: String,
    output: Output,
}

impl Ran {
    #[track_caller]
    pub(crate) fn new(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self::of(command, output)
    }

    /// A command that the test itself started and waited for.
    pub(crate) fn of(command: &Command, output: Output) -> Self {
        Self { command: format!("{command:?}"), output }
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Checks the exit status.
    #[track_caller]
    pub(crate) fn exits_with(self, code: i32) -> Self {
        assert_eq!(self.output.status.code(), Some(code), "exit status\n{self}");
        self
    }

    /// Returns whether a signal ended it.
    pub(crate) fn was_killed(&self) -> bool {
        // `timeout` ends itself as its command did, and a shell tells of that by a number.
        self.output.status.code().is_none_or(|code| code >= 128)
    }

    /// Checks that stderr says something.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr().contains(text), "stderr does not say {text:?}\n{self}");
        self
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "command: {}\nstatus: {}\n", self.command, self.output.status)?;
        write!(f, "stdout: {}\nstderr: {}", self.stdout(), self.stderr())
    }
}
