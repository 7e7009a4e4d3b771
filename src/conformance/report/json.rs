//! The report for programs.

use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::Reporter;
use crate::PrintableJson;
use crate::conformance::check::Check;
use crate::conformance::log::Execution;
use crate::conformance::outcome::{Checked, Outcome, Summary};
use crate::conformance::profile::Profile;
use crate::conformance::subject::Subject;
use crate::spec::Object;

/// Writes everything in one object, at the end.
pub(super) struct Json<W> {
    out: W,
    document: Document,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    program: PathBuf,
    role: &'static str,
    supported_versions: Vec<String>,
    version: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    weaknesses: Vec<String>,
    config: Object,
    checks: Vec<Point>,
    summary: Summary,
}

#[derive(Serialize)]
struct Point {
    id: u16,
    title: &'static str,
    level: &'static str,
    origin: &'static str,
    section: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Those of a check that did not pass, so that it can be repeated by hand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    executions: Vec<Execution>,
}

impl<W> Json<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, document: Document::default() }
    }
}

impl<W: Write> Reporter for Json<W> {
    fn begin(&mut self, subject: &Subject, profile: &Profile, _: &[&'static Check]) -> io::Result<()> {
        self.document = Document {
            program: subject.program().to_owned(),
            role: profile.role().as_str(),
            supported_versions: profile.supported_versions().unwrap_or_default().to_vec(),
            version: profile.version().to_string(),
            weaknesses: profile.weaknesses().to_vec(),
            config: subject.config().clone(),
            ..Document::default()
        };
        Ok(())
    }

    fn checked(&mut self, checked: &Checked) -> io::Result<()> {
        let Checked { check, outcome, executions } = checked;
        let deviates = matches!(outcome, Outcome::Fail(_) | Outcome::Warn(_));
        self.document.checks.push(Point {
            id: check.id,
            title: check.title,
            level: check.level.as_str(),
            origin: check.origin.as_str(),
            section: check.section,
            outcome: outcome.as_str(),
            reason: outcome.reason().map(str::to_owned),
            executions: if deviates { executions.clone() } else { Vec::new() },
        });
        Ok(())
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        self.document.summary = *summary;
        let object = Object::parse(&serde_json::to_string(&self.document)?)?;
        writeln!(self.out, "{}", PrintableJson(&object.to_json_pretty()))
    }
}
