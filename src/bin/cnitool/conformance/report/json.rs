//! The report for programs.

use std::io;
use std::path::PathBuf;

use libcni::spec::Object;
use serde::Serialize;

use super::{Reporter, Summary};
use crate::conformance::check::{Check, Checked, Outcome};
use crate::conformance::log::Execution;
use crate::conformance::profile::Profile;
use crate::conformance::subject::Subject;
use crate::output::print_json;

/// Everything in one object, at the end.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Json {
    program: PathBuf,
    role: &'static str,
    supported_versions: Vec<String>,
    version: String,
    config: Object,
    checks: Vec<Point>,
    summary: Summary,
}

#[derive(Serialize)]
pub(super) struct Point {
    id: u16,
    title: &'static str,
    level: &'static str,
    section: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Of a check that did not pass, so that it can be repeated by hand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    executions: Vec<Execution>,
}

impl Reporter for Json {
    fn begin(&mut self, subject: &Subject, profile: &Profile, _: &[&'static Check]) -> io::Result<()> {
        self.program = subject.program.clone();
        self.role = profile.role.as_str();
        self.supported_versions = profile.supported.clone().unwrap_or_default();
        self.version = profile.version.to_string();
        self.config = subject.config.object().clone();
        Ok(())
    }

    fn checked(&mut self, checked: &Checked) -> io::Result<()> {
        let Checked { check, outcome, executions } = checked;
        let deviates = matches!(outcome, Outcome::Fail(_) | Outcome::Warn(_));
        self.checks.push(Point {
            id: check.id,
            title: check.title,
            level: check.level.word(),
            section: check.section,
            outcome: outcome.word(),
            reason: outcome.reason().map(str::to_owned),
            executions: if deviates { executions.clone() } else { Vec::new() },
        });
        Ok(())
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        self.summary = *summary;
        print_json(self)
    }
}
