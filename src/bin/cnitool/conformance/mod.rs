//! `cnitool conformance`: does a plugin, in whatever language, what the specification says?
//!
//! The tool runs itself again in namespaces of its own ([`isolation`]), finds out what kind of plugin it has
//! ([`survey`]), and makes one check after another ([`check`], [`groups`]), each on a host of its own ([`host`]).

mod answer;
mod bench;
mod call;
mod check;
mod container;
mod facts;
mod finding;
mod groups;
mod host;
mod ipam;
mod isolation;
mod known;
mod log;
mod predecessor;
mod processes;
mod profile;
mod report;
mod subject;
mod survey;

use std::io;
use std::path::PathBuf;

use clap::Args;
use libcni::invoke::Limits;

use self::check::{Check, Examiner, Interrupted, all};
pub(crate) use self::host::NotMade;
pub(crate) use self::isolation::NotIsolated;
use self::report::{Format, Summary};
use self::subject::Subject;
pub(crate) use self::subject::Unusable;
use crate::cli::Arguments;
use crate::output::print;
use crate::signals::Signals;

/// Which plugin to check, and how.
#[derive(Args, Debug)]
pub(crate) struct Conformance {
    /// The plugin: the path of a program, or the name of one in the plugin directories
    #[arg(required_unless_present = "list")]
    plugin: Option<PathBuf>,
    /// Its configuration: a list, whose first plugin of that type is meant, or a single plugin's object
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The IPAM plugin to configure it with
    #[arg(long, value_name = "TYPE")]
    ipam: Option<String>,
    /// How to write the report; `--json` is `--format json`
    #[arg(long, value_enum, default_value = "human", conflicts_with = "json")]
    format: Format,
    /// With each deviation, show how the plugin was run and what it said
    #[arg(long, short)]
    verbose: bool,
    /// Make these checks only, such as 101,402
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    only: Vec<u16>,
    /// Leave these checks out
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    skip: Vec<u16>,
    /// List the checks, without making any
    #[arg(long, exclusive = true)]
    list: bool,
}

/// Why nothing was checked, or not everything.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConformanceError {
    #[error(transparent)]
    Subject(#[from] Unusable),
    #[error(transparent)]
    Isolation(#[from] NotIsolated),
    #[error(transparent)]
    Host(#[from] NotMade),
    #[error("there is no check {0}; `cnitool conformance --list` has all")]
    NoSuchCheck(u16),
    #[error("interrupted")]
    Interrupted,
    #[error("cannot write to stdout: {0}")]
    Stdout(#[from] io::Error),
}

impl ConformanceError {
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Interrupted | Self::Stdout(_) => DEVIATES,
            _ => NOT_CHECKED,
        }
    }
}

/// Every check passes, but for recommendations.
const CONFORMS: u8 = 0;
/// At least one check failed.
const DEVIATES: u8 = 1;
/// Nothing was checked.
const NOT_CHECKED: u8 = 2;

/// Checks a plugin, and returns the exit status.
pub(crate) fn conformance(
    arguments: &Arguments,
    asked: &Conformance,
    signals: Option<&Signals>,
) -> Result<u8, ConformanceError> {
    if asked.list {
        return list();
    }
    let checks = asked.checks()?;
    // What is wrong with the arguments is better said once, and before anything is run.
    let subject = Subject::new(arguments, asked)?;
    if !isolation::is_inside() {
        return Ok(isolation::run_again_inside(signals)?);
    }
    isolation::settle_in()?;
    let limits = Limits { timeout: arguments.timeout(), cancel: signals.and_then(Signals::token), ..Limits::default() };
    let format = if arguments.json() { Format::Json } else { asked.format };
    examine(&subject, &limits, &checks, &mut *format.reporter(asked.verbose))
}

fn examine(
    subject: &Subject,
    limits: &Limits,
    checks: &[&'static Check],
    reporter: &mut dyn report::Reporter,
) -> Result<u8, ConformanceError> {
    let profile = survey::survey(subject, limits)?;
    processes::end_orphans();
    reporter.begin(subject, &profile, checks)?;
    let mut examiner = Examiner { subject, profile: &profile, limits, ended_by_force: 0 };
    let mut summary = Summary::default();
    for check in checks {
        let checked = examiner.make(check).map_err(|Interrupted| ConformanceError::Interrupted)?;
        summary.count(&checked.outcome);
        reporter.checked(&checked)?;
    }
    reporter.end(&summary)?;
    Ok(if summary.fail == 0 { CONFORMS } else { DEVIATES })
}

impl Conformance {
    /// The checks to make.
    fn checks(&self) -> Result<Vec<&'static Check>, ConformanceError> {
        let is_known = |id: &&u16| all().any(|check| check.id == **id);
        if let Some(unknown) = self.only.iter().chain(&self.skip).find(|id| !is_known(id)) {
            return Err(ConformanceError::NoSuchCheck(*unknown));
        }
        let wanted = |check: &&Check| self.only.is_empty() || self.only.contains(&check.id);
        Ok(all().filter(wanted).filter(|check| !self.skip.contains(&check.id)).collect())
    }
}

/// Prints number, level, section and title of every check, separated by tabs.
fn list() -> Result<u8, ConformanceError> {
    let line = |check: &Check| format!("{}\t{}\t{}\t{}", check.id, check.level.word(), check.section, check.title);
    print(&all().map(line).collect::<Vec<_>>().join("\n"))?;
    Ok(CONFORMS)
}
