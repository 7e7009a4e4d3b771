//! The list of checks, and how one is made.

use std::fmt;

use crate::invoke::Limits;

use super::bench::Bench;
use super::finding::{Finding, Verdict, not_applicable};
use super::groups;
use super::host::Hosts;
use super::isolation::{Isolated, Reaper};
use super::log::Log;
use super::outcome::{Checked, Outcome};
use super::profile::Profile;
use super::subject::Subject;

/// One duty of a plugin.
///
/// ```
/// use libcni::conformance::{Check, Level};
///
/// let check = Check::with_id(401).expect("the check that ADD succeeds");
/// assert_eq!((check.title, check.level), ("ADD succeeds", Level::Must));
/// assert!(Check::all().any(|other| other == check));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Check {
    /// The number of the check. Its meaning never changes, so that somebody may leave a check out by its number.
    pub id: u16,
    /// A sentence that is true of a plugin that passes.
    pub title: &'static str,
    /// The weight of a deviation.
    pub level: Level,
    /// Who asks for it.
    pub origin: Origin,
    /// The section of the [specification](crate::specification) that the check is about.
    pub section: &'static str,
    pub(super) run: fn(&Bench<'_>) -> Verdict,
}

impl Check {
    /// Returns all checks, in the order in which they are made.
    pub fn all() -> impl Iterator<Item = &'static Check> {
        GROUPS.iter().flat_map(|group| group.checks)
    }

    /// Returns the check of a number.
    pub fn with_id(id: u16) -> Option<&'static Check> {
        Self::all().find(|check| check.id == id)
    }

    /// Returns what the check does and how to fix a plugin that does not pass it: text in paragraphs, with Markdown's
    /// marks for code.
    ///
    /// ```
    /// use libcni::conformance::Check;
    ///
    /// let check = Check::with_id(301).expect("the check of what is no configuration");
    /// assert!(check.explanation().contains("To fix it: "));
    /// ```
    pub fn explanation(&self) -> &'static str {
        let begin = format!("\n## {} ", self.id);
        let section = PAGE.split_once(&begin).and_then(|(_, rest)| rest.split_once('\n'));
        let text = section.map_or("", |(_, text)| text.split("\n#").next().unwrap_or_default());
        text.trim()
    }

    /// Returns the title of the group that the check belongs to, such as `ADD`.
    pub fn group(&self) -> &'static str {
        let group = GROUPS.iter().find(|group| group.checks.iter().any(|check| check == self));
        group.map_or("", |group| group.title)
    }
}

/// Title, level, origin and explanation, for people.
impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, title, section, .. } = self;
        let [group, level, origin] = [self.group(), self.level.as_str(), self.origin.said()];
        writeln!(f, "{id}  {title}")?;
        writeln!(f, "{group}: a plugin {level}, {origin}. SPECIFICATION.md {section}\n")?;
        f.write_str(self.explanation())
    }
}

/// Checks are equal when they have the same number.
impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Check {}

/// The page that explains every check, in a section that begins with its number.
const PAGE: &str = include_str!("CHECKS.md");

/// The source of a check's rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The official text of the specification, or its conventions.
    Official,
    /// The reference implementation in Go: programs rely on it, though the official text does not say so.
    Go,
    /// This project.
    Ours,
}

impl Origin {
    /// Returns `official`, `go` or `ours`.
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::Official => "official",
            Origin::Go => "go",
            Origin::Ours => "ours",
        }
    }

    /// Returns who asks, in words.
    pub(super) fn said(self) -> &'static str {
        match self {
            Origin::Official => "asked for by the official text",
            Origin::Go => "asked for by the reference implementation in Go",
            Origin::Ours => "asked for by this project",
        }
    }
}

/// The weight of a deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// The deviation breaks runtimes or loses resources.
    Must,
    /// The deviation makes the plugin harder to use.
    Should,
}

impl Level {
    /// Returns `must` or `should`.
    pub fn as_str(self) -> &'static str {
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
        Self { id, title, level: Level::Must, origin: Origin::Official, section, run }
    }

    pub(super) const fn should(
        id: u16,
        section: &'static str,
        title: &'static str,
        run: fn(&Bench<'_>) -> Verdict,
    ) -> Self {
        Self { id, title, level: Level::Should, origin: Origin::Official, section, run }
    }

    /// The same check, of a rule that is not in the official text.
    pub(super) const fn of(self, origin: Origin) -> Self {
        Self { origin, ..self }
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

/// Makes checks one after another, until somebody wants it to end.
pub(super) struct Examiner<'a> {
    pub(super) subject: &'a Subject,
    pub(super) profile: &'a Profile,
    pub(super) limits: &'a Limits,
    pub(super) isolated: &'a Isolated,
    pub(super) reaper: Reaper,
    /// How many executions had to be ended so far.
    pub(super) ended_by_force: u32,
}

/// Somebody wants the tool to end.
pub(super) struct Interrupted;

/// A plugin that hangs this often is not run any more: each time takes as long as an execution may.
const ENOUGH: u32 = 8;

impl Examiner<'_> {
    pub(super) fn make(&mut self, check: &'static Check) -> Result<Checked, Interrupted> {
        let (verdict, log) = if self.ended_by_force < ENOUGH {
            self.run(check.run)
        } else {
            (Err(not_applicable(format!("the plugin had to be ended by force {ENOUGH} times"))), Log::default())
        };
        if log.is_interrupted() {
            return Err(Interrupted);
        }
        self.ended_by_force += log.ended_by_force();
        Ok(Checked { check, outcome: Outcome::of(verdict, check.level), executions: log.take() })
    }

    fn run(&mut self, check: fn(&Bench<'_>) -> Verdict) -> (Verdict, Log) {
        let hosts = Hosts { isolated: self.isolated, reaper: &self.reaper };
        let made = hosts.on_new_one(|host| {
            let bench = Bench::new(self.subject, self.profile, self.limits, host);
            (check(&bench), bench.log)
        });
        self.end_orphans();
        made.unwrap_or_else(|error| (Err(not_applicable(error.to_string())), Log::default()))
    }
    /// Ends what the plugin has left behind. Where something does not end, the PID namespace that it is in does.
    pub(super) fn end_orphans(&mut self) {
        if !self.reaper.end_all()
            && let Ok(reaper) = Reaper::start()
        {
            self.reaper = reaper;
        }
    }
}
