//! The report for people.

use std::io;

use super::{Reporter, Summary, versions};
use crate::conformance::check::{Check, Checked, GROUPS, Outcome};
use crate::conformance::log::Execution;
use crate::conformance::profile::Profile;
use crate::conformance::subject::Subject;
use crate::output::{print, printable};

/// In front of what is said about a check.
const INDENT: &str = "              ";

/// A line for each check below the title of its group, as soon as it is made.
pub(super) struct Human {
    verbose: bool,
    group: &'static str,
}

impl Human {
    pub(super) fn new(verbose: bool) -> Self {
        Self { verbose, group: "" }
    }
}

impl Reporter for Human {
    fn begin(&mut self, subject: &Subject, profile: &Profile, _: &[&'static Check]) -> io::Result<()> {
        print(&printable(&format!(
            "{}, supports {}\nchecked in {} with {}",
            subject.program.display(),
            versions(profile),
            profile.version,
            subject.config.object(),
        )))
    }

    fn checked(&mut self, checked: &Checked) -> io::Result<()> {
        let id = checked.check.id;
        let group = GROUPS.iter().find(|group| group.checks.iter().any(|check| check.id == id));
        let group = group.map_or("", |group| group.title);
        if group != self.group {
            self.group = group;
            print(&format!("\n{group}"))?;
        }
        print(&printable(&lines(checked, self.verbose)))
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        let Summary { pass, fail, warn, not_applicable } = summary;
        print(&format!("\n{pass} passed, {fail} failed, {warn} warned, {not_applicable} not applicable"))
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
            lines += &format!("\n{INDENT}{reason}\n{INDENT}SPECIFICATION.md {}", check.section);
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
