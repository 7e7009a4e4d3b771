//! How a check ended.

use super::check::Check;
use super::log::Execution;

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Outcome {
    /// The plugin does what it owes.
    Pass,
    /// The plugin deviates from what it must do, for this reason.
    Fail(String),
    /// The plugin deviates from what it should do, for this reason.
    Warn(String),
    /// The check says nothing about this plugin, or this machine can't make it, for this reason.
    NotApplicable(String),
}

impl Outcome {
    /// Returns `pass`, `fail`, `warn` or `not-applicable`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail(_) => "fail",
            Outcome::Warn(_) => "warn",
            Outcome::NotApplicable(_) => "not-applicable",
        }
    }

    /// Returns why the check did not pass.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Outcome::Pass => None,
            Outcome::Fail(reason) | Outcome::Warn(reason) | Outcome::NotApplicable(reason) => Some(reason),
        }
    }
}

/// A check that was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Checked {
    /// The check.
    pub check: &'static Check,
    /// How it ended.
    pub outcome: Outcome,
    /// The executions of the plugin that it took, in order.
    pub executions: Vec<Execution>,
}

/// How many checks ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Summary {
    /// The number of checks that passed.
    pub pass: usize,
    /// The number of checks that found a deviation from what a plugin must do.
    pub fail: usize,
    /// The number of checks that found a deviation from what a plugin should do.
    pub warn: usize,
    /// The number of checks that say nothing about the plugin.
    pub not_applicable: usize,
}

impl Summary {
    /// Counts one more outcome.
    pub fn count(&mut self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Pass => &mut self.pass,
            Outcome::Fail(_) => &mut self.fail,
            Outcome::Warn(_) => &mut self.warn,
            Outcome::NotApplicable(_) => &mut self.not_applicable,
        };
        *counter += 1;
    }
}
