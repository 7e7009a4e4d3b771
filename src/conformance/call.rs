//! One execution for a check: the request of a runtime, with the changes of the check.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use crate::invoke::{Parameters, Request};
use crate::spec::{CNI_COMMAND, Command, Object};
use serde::Serialize;

use super::answer::Answer;
use super::bench::Bench;

/// A call that is being prepared.
pub(super) struct Call<'b> {
    bench: &'b Bench<'b>,
    command: Command,
    env: Vec<(OsString, OsString)>,
    config: Object,
    stdin: Option<Vec<u8>>,
    timeout: Option<Duration>,
}

impl<'b> Call<'b> {
    /// The request that a runtime sends for these parameters, in a version.
    pub(super) fn new(bench: &'b Bench<'b>, command: Command, parameters: Parameters<'_>, version: &str) -> Self {
        let mut config = bench.subject.config.object().clone();
        config.set("name", &bench.subject.network);
        config.set("cniVersion", version);
        let env = parameters.environment(command, &bench.subject.env);
        let env = env.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { bench, command, env, config, stdin: None, timeout: None }
    }

    /// With another value of a variable.
    pub(super) fn with(mut self, variable: &str, value: impl Into<OsString>) -> Self {
        self = self.without(variable);
        self.env.push((variable.into(), value.into()));
        self
    }

    pub(super) fn without(mut self, variable: &str) -> Self {
        self.env.retain(|(name, _)| name != variable);
        self
    }

    /// With no other variable of the protocol than the verb.
    pub(super) fn with_verb_only(mut self) -> Self {
        self.env.retain(|(name, _)| name == CNI_COMMAND || !name.to_string_lossy().starts_with("CNI_"));
        self
    }

    /// With another value of a key of the configuration.
    pub(super) fn key(mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Self {
        self.config.try_set(key, value).expect("a check's own values are JSON");
        self
    }

    pub(super) fn no_key(mut self, key: &str) -> Self {
        self.config.remove(key);
        self
    }

    /// With something else on stdin than the configuration.
    pub(super) fn stdin(self, bytes: impl Into<Vec<u8>>) -> Self {
        let stdin = Some(bytes.into());
        Self { stdin, ..self }
    }

    /// To be killed after this time.
    pub(super) fn killed_after(self, time: Duration) -> Self {
        let timeout = Some(time);
        Self { timeout, ..self }
    }

    /// The configuration as it would be sent.
    pub(super) fn config(&self) -> String {
        self.config.to_string()
    }

    pub(super) fn run(self) -> Answer {
        let version = self.config.typed("cniVersion").ok().flatten();
        let stdin = self.stdin.unwrap_or_else(|| self.config.to_string().into_bytes());
        let request = Request {
            plugin: self.bench.subject.plugin.clone(),
            command: self.command,
            program: self.bench.subject.program.clone(),
            env: self.env.into(),
            stdin,
        };
        let mut limits = self.bench.limits.clone();
        if let Some(time) = self.timeout {
            (limits.timeout, limits.grace) = (time, Duration::ZERO);
        }
        let began = Instant::now();
        let ended = self.bench.host.exec(&request, &limits);
        let took = began.elapsed();
        let answer = Answer { request, version: version.unwrap_or_default(), ended, took };
        self.bench.log.record(&answer, self.timeout.is_some());
        answer
    }
}
