//! The report in the Test Anything Protocol.

use std::io::{self, Write};

use super::{Reporter, printable, versions};
use crate::conformance::check::Check;
use crate::conformance::outcome::{Checked, Outcome, Summary};
use crate::conformance::profile::Profile;
use crate::conformance::subject::Subject;

/// Test points are numbered from 1, as the protocol wants it; the number of the check begins the description.
pub(super) struct Tap<W> {
    out: W,
    points: usize,
}

impl<W> Tap<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, points: 0 }
    }
}

impl<W: Write> Reporter for Tap<W> {
    fn begin(&mut self, subject: &Subject, profile: &Profile, checks: &[&'static Check]) -> io::Result<()> {
        let about = format!("# {}, supports {}", subject.program().display(), versions(profile));
        writeln!(self.out, "TAP version 14\n1..{}\n{}", checks.len(), comment(&about))?;
        profile.weaknesses().iter().try_for_each(|weakness| writeln!(self.out, "# warning: {}", comment(weakness)))
    }

    fn checked(&mut self, checked: &Checked) -> io::Result<()> {
        self.points += 1;
        let Checked { check, outcome, .. } = checked;
        let point = format!("{} - {} {}", self.points, check.id, escaped(check.title));
        let lines = match outcome {
            Outcome::Pass => format!("ok {point}"),
            Outcome::NotApplicable(reason) => format!("ok {point} # SKIP {}", comment(reason)),
            Outcome::Fail(reason) => format!("not ok {point}\n{}", diagnostic(check, reason)),
            // A failure that does not fail the whole.
            Outcome::Warn(reason) => format!("not ok {point} # TODO a plugin should\n{}", diagnostic(check, reason)),
        };
        writeln!(self.out, "{lines}")
    }

    fn end(&mut self, _: &Summary) -> io::Result<()> {
        Ok(())
    }
}

/// In YAML, whose texts in quotes are those of JSON.
fn diagnostic(check: &Check, reason: &str) -> String {
    let text = |text: &str| serde_json::Value::from(printable(text)).to_string();
    let section = text(&format!("SPECIFICATION.md {}", check.section));
    let origin = text(check.origin.as_str());
    format!("  ---\n  message: {}\n  section: {section}\n  origin: {origin}\n  ...", text(reason))
}

/// A number sign would begin a directive.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('#', "\\#")
}

fn comment(text: &str) -> String {
    printable(text).replace('\n', " ")
}
