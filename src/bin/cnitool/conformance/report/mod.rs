//! What is said about the checks: to people, to test harnesses, to programs.

mod human;
mod json;
mod tap;

use std::io;

use clap::ValueEnum;

use self::human::Human;
use self::json::Json;
use self::tap::Tap;
use super::check::{Check, Checked, Outcome};
use super::profile::Profile;
use super::subject::Subject;

/// How the report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Human,
    /// The Test Anything Protocol, version 14
    Tap,
    /// One JSON object
    Json,
}

impl Format {
    pub(super) fn reporter(self, verbose: bool) -> Box<dyn Reporter> {
        match self {
            Format::Human => Box::new(Human::new(verbose)),
            Format::Tap => Box::new(Tap::default()),
            Format::Json => Box::new(Json::default()),
        }
    }
}

/// Is told what happens, in order.
pub(super) trait Reporter {
    fn begin(&mut self, subject: &Subject, profile: &Profile, checks: &[&'static Check]) -> io::Result<()>;
    fn checked(&mut self, checked: &Checked) -> io::Result<()>;
    fn end(&mut self, summary: &Summary) -> io::Result<()>;
}

/// How many checks ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    pub(super) pass: usize,
    pub(super) fail: usize,
    pub(super) warn: usize,
    pub(super) not_applicable: usize,
}

impl Summary {
    pub(super) fn count(&mut self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Pass => &mut self.pass,
            Outcome::Fail(_) => &mut self.fail,
            Outcome::Warn(_) => &mut self.warn,
            Outcome::NotApplicable(_) => &mut self.not_applicable,
        };
        *counter += 1;
    }
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail(_) => "fail",
            Outcome::Warn(_) => "warn",
            Outcome::NotApplicable(_) => "not-applicable",
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Outcome::Pass => None,
            Outcome::Fail(reason) | Outcome::Warn(reason) | Outcome::NotApplicable(reason) => Some(reason),
        }
    }
}

/// The versions that a plugin supports, in a few words.
fn versions(profile: &Profile) -> String {
    match &profile.supported {
        Some(versions) => versions.join(", "),
        None => "no versions that could be read".to_owned(),
    }
}
