//! The list of checks, and how one is made.

use libcni::invoke::Limits;

use super::bench::Bench;
use super::finding::{Finding, Verdict, not_applicable};
use super::groups;
use super::host::on_new_host;
use super::log::{Execution, Log};
use super::processes::end_orphans;
use super::profile::Profile;
use super::subject::Subject;

/// One thing that a plugin owes.
pub(super) struct Check {
    /// Never changes its meaning, so that somebody may leave it out by number.
    pub(super) id: u16,
    /// What the plugin does when it passes.
    pub(super) title: &'static str,
    pub(super) level: Level,
    /// A section of SPECIFICATION.md.
    pub(super) section: &'static str,
    pub(super) run: fn(&Bench<'_>) -> Verdict,
}

/// What it means for a plugin not to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// It breaks runtimes or loses resources.
    Must,
    /// It makes life harder.
    Should,
}

impl Level {
    pub(super) fn word(self) -> &'static str {
        match self {
            Level::Must => "must",
            Level::Should => "should",
        }
    }
}

impl Check {
    pub(super) const fn must(
        id: u16,
        section: &'static str,
        title: &'static str,
        run: fn(&Bench<'_>) -> Verdict,
    ) -> Self {
        Self { id, title, level: Level::Must, section, run }
    }

    pub(super) const fn should(
        id: u16,
        section: &'static str,
        title: &'static str,
        run: fn(&Bench<'_>) -> Verdict,
    ) -> Self {
        Self { id, title, level: Level::Should, section, run }
    }
}

/// Checks of one subject.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) checks: &'static [Check],
}

/// All checks, in the order in which they are made.
pub(super) const GROUPS: &[Group] = &[
    groups::version::GROUP,
    groups::environment::GROUP,
    groups::configuration::GROUP,
    groups::add::GROUP,
    groups::result::GROUP,
    groups::del::GROUP,
    groups::check::GROUP,
    groups::gc::GROUP,
    groups::status::GROUP,
    groups::output::GROUP,
    groups::delegation::GROUP,
    groups::concurrency::GROUP,
];

pub(super) fn all() -> impl Iterator<Item = &'static Check> {
    GROUPS.iter().flat_map(|group| group.checks)
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Pass,
    Fail(String),
    /// A deviation from what a plugin should do.
    Warn(String),
    NotApplicable(String),
}

impl Outcome {
    fn of(verdict: Verdict, level: Level) -> Self {
        match verdict {
            Ok(()) => Self::Pass,
            Err(Finding::NotApplicable(reason)) => Self::NotApplicable(reason),
            Err(Finding::Deviation(reason)) if level == Level::Must => Self::Fail(reason),
            Err(Finding::Deviation(reason)) => Self::Warn(reason),
        }
    }
}

/// A check that was made.
pub(super) struct Checked {
    pub(super) check: &'static Check,
    pub(super) outcome: Outcome,
    pub(super) executions: Vec<Execution>,
}

/// Makes checks one after another, until somebody wants it to end.
pub(super) struct Examiner<'a> {
    pub(super) subject: &'a Subject,
    pub(super) profile: &'a Profile,
    pub(super) limits: &'a Limits,
    /// How many executions had to be ended so far.
    pub(super) ended_by_force: u32,
}

/// Somebody wants the tool to end.
pub(super) struct Interrupted;

/// A plugin that hangs this often is not run any more: each time takes as long as an execution may.
const ENOUGH: u32 = 8;

impl Examiner<'_> {
    pub(super) fn make(&mut self, check: &'static Check) -> Result<Checked, Interrupted> {
        let (verdict, log) = match self.ended_by_force < ENOUGH {
            true => self.run(check.run),
            false => {
                (Err(not_applicable(format!("the plugin had to be ended by force {ENOUGH} times"))), Log::default())
            }
        };
        if log.is_interrupted() {
            return Err(Interrupted);
        }
        self.ended_by_force += log.ended_by_force();
        Ok(Checked { check, outcome: Outcome::of(verdict, check.level), executions: log.take() })
    }

    fn run(&self, check: fn(&Bench<'_>) -> Verdict) -> (Verdict, Log) {
        let made = on_new_host(&self.subject.visible_dirs(), || {
            let bench = Bench::new(self.subject, self.profile, self.limits);
            (check(&bench), bench.log)
        });
        end_orphans();
        made.unwrap_or_else(|error| (Err(not_applicable(error.to_string())), Log::default()))
    }
}
