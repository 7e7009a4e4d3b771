//! The checks of one plugin: which ones, how long each execution may take, and the way from a subject to a report.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use super::check::Check;
use super::isolation::{self, Judge, NotIsolated, Stage};
use super::outcome::{Checked, Summary};
use super::profile::Profile;
use super::report::{Format, Reporter};
use super::subject::Subject;
use super::{judge, messages};
use crate::CancelToken;
use crate::invoke::Limits;

/// The checks to make of one plugin.
///
/// ```no_run
/// use libcni::conformance::{Format, Subject, Suite};
///
/// let subject = Subject::new("target/debug/my-plugin", ["/usr/lib/cni"])?.config_file("tests/my-network.conf")?;
/// let report = Suite::new(subject).skip(&[509])?.run(&mut *Format::Human.reporter(std::io::stdout(), false))?;
/// assert_eq!(report.summary().fail, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Suite {
    subject: Subject,
    checks: Vec<&'static Check>,
    limits: Limits,
}

/// No check has that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no check {0}: there are {numbers}", numbers = numbers())]
pub struct NoSuchCheck(pub u16);

/// The numbers of all checks, in words.
fn numbers() -> String {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for Check { id, .. } in Check::all() {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *id => *last = *id,
            _ => runs.push((*id, *id)),
        }
    }
    runs.iter().map(|(first, last)| format!("{first} to {last}")).collect::<Vec<_>>().join(", ")
}

/// Nothing was checked, or not everything.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// This machine does not let this user have namespaces.
    #[error(transparent)]
    Isolation(#[from] NotIsolated),
    /// The checks can't be made, for this reason.
    #[error("{0}")]
    NotMade(String),
    /// The call was cancelled.
    #[error("interrupted")]
    Cancelled,
    /// The report can't be written.
    #[error("cannot write the report")]
    Report(#[source] io::Error),
}

impl Suite {
    /// Returns a suite of all checks, with the limits that a runtime sets by default.
    pub fn new(subject: Subject) -> Self {
        Self { subject, checks: Check::all().collect(), limits: Limits::default() }
    }

    /// Keeps these checks only.
    ///
    /// # Errors
    /// No check has one of the numbers.
    pub fn only(self, ids: &[u16]) -> Result<Self, NoSuchCheck> {
        self.keep(ids, |check| ids.contains(&check.id))
    }

    /// Leaves these checks out.
    ///
    /// # Errors
    /// No check has one of the numbers.
    pub fn skip(self, ids: &[u16]) -> Result<Self, NoSuchCheck> {
        self.keep(ids, |check| !ids.contains(&check.id))
    }

    fn keep(mut self, ids: &[u16], wanted: impl Fn(&Check) -> bool) -> Result<Self, NoSuchCheck> {
        if let Some(unknown) = ids.iter().find(|id| Check::with_id(**id).is_none()) {
            return Err(NoSuchCheck(*unknown));
        }
        self.checks.retain(|check| wanted(check));
        Ok(self)
    }

    /// Sets how long each execution of the plugin may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// Ends the run, and all processes of the plugin, when a token is cancelled.
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.limits.cancel = Some(token);
        self
    }

    /// Makes the checks, each on a host of its own that ends with it, and reports to the reporter meanwhile.
    ///
    /// This program makes the checks: it starts again with the same arguments in new namespaces, and reaches this call
    /// once more, which does not return there. So call it early in `main`, in a test target that has `harness = false`,
    /// while there is no other thread, and before anything that must not be done twice.
    ///
    /// # Errors
    /// See [`SuiteError`]. A plugin that deviates is not an error.
    pub fn run(&self, reporter: &mut dyn Reporter) -> Result<Report, SuiteError> {
        match Stage::own() {
            Stage::Caller => messages::receive(Judge::start()?, self, reporter),
            Stage::Entry => isolation::enter(),
            Stage::Judge => judge::run(&self.subject, &self.checks, &self.limits),
            Stage::Reaper => isolation::reap(),
        }
    }

    /// Makes the checks, and writes a report for people to stdout: the whole `main` of a test target.
    ///
    /// The exit status is 0 when no check fails, 1 when one does, and 2 when nothing was checked.
    pub fn main(&self) -> ExitCode {
        match self.run(&mut *Format::Human.reporter(io::stdout(), true)) {
            Ok(report) if report.summary().fail == 0 => ExitCode::SUCCESS,
            Ok(_) => ExitCode::from(1),
            Err(error) => {
                // With stderr closed there is nobody left to tell.
                let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("error: {}\n", crate::Chain(&error)));
                ExitCode::from(2)
            }
        }
    }

    pub(super) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Returns the checks that are made, in order.
    pub fn checks(&self) -> &[&'static Check] {
        &self.checks
    }

    pub(super) fn token(&self) -> Option<&CancelToken> {
        self.limits.cancel.as_ref()
    }
}

/// All findings about a plugin.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The facts that the checks depended on.
    pub profile: Profile,
    /// The checks that were made, in order.
    pub checks: Vec<Checked>,
}

impl Report {
    /// Counts the outcomes.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        self.checks.iter().for_each(|checked| summary.count(&checked.outcome));
        summary
    }
}
