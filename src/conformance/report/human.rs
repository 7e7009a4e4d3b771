//! The report for people.

use std::io::{self, Write};

use super::{Reporter, printable, versions};
use crate::conformance::check::Check;
use crate::conformance::log::Execution;
use crate::conformance::outcome::{Checked, Outcome, Summary};
use crate::conformance::profile::Profile;
use crate::conformance::subject::Subject;

/// In front of what is said about a check.
const INDENT: &str = "              ";

/// Writes a line for each check below the title of its group, as soon as the check is made.
pub(super) struct Human<W> {
    out: W,
    verbose: bool,
    group: &'static str,
}

impl<W> Human<W> {
    pub(super) fn new(out: W, verbose: bool) -> Self {
        Self { out, verbose, group: "" }
    }
}

impl<W: Write> Reporter for Human<W> {
    fn begin(&mut self, subject: &Subject, profile: &Profile, _: &[&'static Check]) -> io::Result<()> {
        let about = format!(
            "{}, supports {}\nchecked in {} with {}",
            subject.program().display(),
            versions(profile),
            profile.version(),
            subject.config(),
        );
        writeln!(self.out, "{}", printable(&about))?;
        profile.weaknesses().iter().try_for_each(|weakness| writeln!(self.out, "warning: {}", printable(weakness)))
    }

    fn checked(&mut self, checked: &Checked) -> io::Result<()> {
        let group = checked.check.group();
        if group != self.group {
            self.group = group;
            writeln!(self.out, "\n{group}")?;
        }
        writeln!(self.out, "{}", printable(&lines(checked, self.verbose)))
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        let Summary { pass, fail, warn, not_applicable } = summary;
        writeln!(self.out, "\n{pass} passed, {fail} failed, {warn} warned, {not_applicable} not applicable")
    }
}

fn lines(checked: &Checked, verbose: bool) -> String {
    let Checked { check, outcome, executions } = checked;
    let word = match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail(_) => "FAIL",
        Outcome::Warn(_) => "WARN",
        Outcome::NotApplicable(_) => "n/a ",
    };
    let mut lines = format!("  {word}  {:>4}  {}", check.id, check.title);
    match outcome {
        Outcome::Pass => {}
        Outcome::NotApplicable(reason) => lines += &format!(" ({reason})"),
        Outcome::Fail(reason) | Outcome::Warn(reason) => {
            let (section, origin) = (check.section, check.origin.said());
            lines += &format!(
                "\n{INDENT}{reason}\n{INDENT}SPECIFICATION.md {section}, {origin}; see --explain {}",
                check.id
            );
            if verbose {
                executions.iter().for_each(|execution| lines += &told(execution));
            }
        }
    }
    lines
}

/// An execution as somebody would repeat it by hand.
fn told(execution: &Execution) -> String {
    let Execution { env, stdin, ended, stdout, stderr, milliseconds } = execution;
    let env: Vec<_> = env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut lines = format!("\n{INDENT}$ {} <<<'{stdin}'\n{INDENT}  {ended}, {milliseconds} ms", env.join(" "));
    for (name, text) in [("stdout", stdout), ("stderr", stderr)] {
        if !text.is_empty() {
            lines += &format!("\n{INDENT}  {name}: {}", text.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    lines
}
