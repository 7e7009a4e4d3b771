//! The commands that were run for a check, for its report.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::Chain;
use crate::invoke::ExecError;
use serde::{Deserialize, Serialize};

use super::answer::Answer;

/// The executions of a check, and what in them concerns all checks.
#[derive(Debug, Default)]
pub(super) struct Log {
    executions: Mutex<Vec<Execution>>,
    interrupted: AtomicBool,
    ended_by_force: AtomicU32,
}

/// One execution of the plugin. Of long texts it has the beginning.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Execution {
    /// The variables of the protocol.
    pub env: BTreeMap<String, String>,
    /// The bytes that the plugin got on stdin.
    pub stdin: String,
    /// The exit status or the signal, or the reason why the plugin had to be ended.
    pub ended: String,
    /// The bytes that the plugin wrote to stdout.
    pub stdout: String,
    /// The bytes that the plugin wrote to stderr.
    pub stderr: String,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

impl Log {
    pub(super) fn record(&self, answer: &Answer, on_purpose: bool) {
        match &answer.ended {
            Err(ExecError::Cancelled { .. }) => self.interrupted.store(true, Ordering::Relaxed),
            Err(_) if !on_purpose => drop(self.ended_by_force.fetch_add(1, Ordering::Relaxed)),
            _ => {}
        }
        let mut executions = self.executions.lock().unwrap_or_else(PoisonError::into_inner);
        executions.push(Execution::of(answer));
    }

    /// Returns true if somebody wants the tool to end.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// How many executions did not end by themselves.
    pub(super) fn ended_by_force(&self) -> u32 {
        self.ended_by_force.load(Ordering::Relaxed)
    }

    pub(super) fn take(self) -> Vec<Execution> {
        self.executions.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Execution {
    fn of(answer: &Answer) -> Self {
        let variable = |(name, value): (&OsStr, &OsStr)| {
            let name = name.to_str().filter(|name| name.starts_with("CNI_"))?;
            Some((name.to_owned(), value.to_string_lossy().into_owned()))
        };
        let (ended, stdout, stderr) = match &answer.ended {
            Ok(output) => (output.status.to_string(), beginning(&output.stdout), beginning(&output.stderr)),
            Err(error) => (Chain(error).to_string(), String::new(), beginning(error.stderr())),
        };
        Self {
            env: answer.request.env.iter().filter_map(variable).collect(),
            stdin: beginning(&answer.request.stdin),
            ended,
            stdout,
            stderr,
            milliseconds: answer.took.as_millis().try_into().unwrap_or(u64::MAX),
        }
    }
}

/// How much of a stream a report has, in bytes.
const KEPT: usize = 4096;

fn beginning(bytes: &[u8]) -> String {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(KEPT)]);
    let more = if bytes.len() > KEPT { "…" } else { "" };
    format!("{shown}{more}")
}
