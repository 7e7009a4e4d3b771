//! A program for one execution, without a network around it.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use libcni::invoke::{Exec, ExecError, Limits, Output, ProcessExec, Request};
use libcni::spec::Command;
use tempfile::TempDir;

/// A shell script in a directory of its own, which it finds in `$HOME`, and what it is run with.
pub(crate) struct Script {
    dir: TempDir,
    pub(crate) request: Request,
    pub(crate) limits: Limits,
}

impl Script {
    pub(crate) fn new(body: &str) -> Self {
        Self::from_bytes(format!("#!/bin/sh\n{body}\n").as_bytes())
    }

    /// A program of any content.
    pub(crate) fn from_bytes(content: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("program");
        fs::write(&program, content).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let env: Vec<(OsString, OsString)> =
            vec![("PATH".into(), "/usr/bin:/bin".into()), ("HOME".into(), dir.path().into())];
        let request = Request::new("program", Command::Add, program).with_env(env);
        let limits = Limits::default().timeout(Duration::from_secs(20)).grace(Duration::from_millis(200));
        Self { dir, request, limits }
    }

    pub(crate) fn stdin(mut self, stdin: impl Into<Vec<u8>>) -> Self {
        self.request.stdin = stdin.into();
        self
    }

    pub(crate) fn timeout(mut self, milliseconds: u64) -> Self {
        self.limits.timeout = Duration::from_millis(milliseconds);
        self
    }

    pub(crate) fn program(&self) -> &Path {
        &self.request.program
    }

    /// A file in the script's `$HOME`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs it, which must not take long whatever it does: what a script waits for is minutes away.
    #[track_caller]
    pub(crate) fn run(&self) -> Result<Output, ExecError> {
        let began = Instant::now();
        let ended = ProcessExec.exec(&self.request, &self.limits);
        let took = began.elapsed();
        assert!(took < Duration::from_secs(10), "took {took:?}\n{self}\ngave: {ended:?}");
        ended
    }

    /// The output, as text.
    #[track_caller]
    pub(crate) fn stdout(&self) -> String {
        let ended = self.run();
        let Ok(output) = &ended else { panic!("did not run\n{self}\ngave: {ended:?}") };
        assert!(output.status.success(), "failed\n{self}\ngave: {ended:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Why it could not be run to its end.
    #[track_caller]
    pub(crate) fn error(&self) -> ExecError {
        match self.run() {
            Ok(output) => panic!("ended by itself\n{self}\ngave: {output:?}"),
            Err(error) => error,
        }
    }
}

impl std::fmt::Display for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Request { program, env, stdin, .. } = &self.request;
        let content = fs::read(program).unwrap_or_default();
        writeln!(f, "program: {}\n{}", program.display(), String::from_utf8_lossy(&content))?;
        writeln!(f, "environment: {env:?}")?;
        write!(f, "stdin ({} bytes): {}", stdin.len(), stdin[..stdin.len().min(500)].escape_ascii())
    }
}
