//! Reports: for people, for test harnesses, for programs.

mod human;
mod json;
mod tap;

use std::io::{self, Write};
use std::str::FromStr;

use self::human::Human;
use self::json::Json;
use self::tap::Tap;
use super::check::Check;
use super::outcome::{Checked, Summary};
use super::profile::Profile;
use super::subject::Subject;
use crate::Printable;

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Lines for people, each as soon as its check is made.
    #[default]
    Human,
    /// The Test Anything Protocol, version 14.
    Tap,
    /// One JSON object, at the end.
    Json,
}

impl Format {
    /// Returns a reporter that writes in this form. A verbose one shows, with each deviation, how the plugin was run
    /// and how it answered; [`Format::Json`] always does, and [`Format::Tap`] never.
    pub fn reporter<'w>(self, out: impl Write + 'w, verbose: bool) -> Box<dyn Reporter + 'w> {
        match self {
            Format::Human => Box::new(Human::new(out, verbose)),
            Format::Tap => Box::new(Tap::new(out)),
            Format::Json => Box::new(Json::new(out)),
        }
    }
}

/// The text is not the name of a format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format `{0}`: the formats are human, tap and json")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        match name {
            "human" => Ok(Format::Human),
            "tap" => Ok(Format::Tap),
            "json" => Ok(Format::Json),
            _ => Err(UnknownFormat(name.to_owned())),
        }
    }
}

/// Receives the events of a run in order, to write a report while the checks run.
pub trait Reporter {
    /// The plugin answers, and these checks come next.
    ///
    /// # Errors
    /// The report can't be written; no check is made then.
    fn begin(&mut self, subject: &Subject, profile: &Profile, checks: &[&'static Check]) -> io::Result<()>;

    /// A check was made.
    ///
    /// # Errors
    /// The report can't be written; no further check is made then.
    fn checked(&mut self, checked: &Checked) -> io::Result<()>;

    /// All checks were made.
    ///
    /// # Errors
    /// The report can't be written.
    fn end(&mut self, summary: &Summary) -> io::Result<()>;
}

/// Returns the versions that a plugin supports, in a few words.
fn versions(profile: &Profile) -> String {
    match profile.supported_versions() {
        Some(versions) => versions.join(", "),
        None => "no versions that could be read".to_owned(),
    }
}

/// Returns a text that moves no cursor.
fn printable(text: &str) -> String {
    Printable(text).to_string()
}
