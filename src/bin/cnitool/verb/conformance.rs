//! `cnitool conformance`: checks a plugin, in any language, against the specification.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use libcni::Chain;
use libcni::conformance::{self as library, Check, NoSuchCheck, Subject, SubjectError, Suite, SuiteError};
use libcni::spec::ErrorCode;

use crate::context::environment::Invalid;
use crate::context::options::{Given, Interface, Limits, Output, PluginDirs};
use crate::context::signals::Signals;
use crate::output::failure::Failure;
use crate::output::{is_json, print};

/// Which plugin to check, and how.
#[derive(Args, Debug)]
pub(crate) struct Conformance {
    /// The plugin: the path of a program, or the name of one in the plugin directories
    #[arg(required_unless_present_any = ["list", "explain"])]
    plugin: Option<PathBuf>,
    /// The plugin's configuration: a list, of which the first plugin of that type is used, or a single plugin's object
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The IPAM plugin to configure it with
    #[arg(long, value_name = "TYPE")]
    ipam: Option<String>,
    /// The result of the plugin before it, for one that comes second in a list
    #[arg(long, value_name = "FILE")]
    prev_result: Option<PathBuf>,
    /// A further directory that the plugin needs; repeat it for more
    #[arg(long, value_name = "DIR")]
    show: Vec<PathBuf>,
    /// A variable for the plugin's environment; repeat it for more
    #[arg(long, value_name = "K=V", value_parser = variable)]
    env: Vec<(String, String)>,
    /// How to write the report; `--json` is `--format json`
    #[arg(long, value_enum, default_value = "human", conflicts_with = "json")]
    format: Format,
    /// With each deviation, show how the plugin was run and what it said
    #[arg(long, short)]
    verbose: bool,
    /// Make only these checks, such as 101,402
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    only: Vec<u16>,
    /// Leave these checks out
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    skip: Vec<u16>,
    /// List the checks, and make none of them
    #[arg(long, exclusive = true)]
    list: bool,
    /// Say what a check does, who asks for it, and how to fix a plugin
    #[arg(long, value_name = "NUMBER", exclusive = true)]
    explain: Option<u16>,
    #[command(flatten)]
    dirs: PluginDirs,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    interface: Interface,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    _output: Output,
}

/// Reads `K=V`.
fn variable(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("it must be K=V")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// How the report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// The Test Anything Protocol, version 14
    Tap,
    /// One JSON object
    Json,
}

/// Why nothing was checked, or not everything.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConformanceError {
    #[error(transparent)]
    Arguments(#[from] Invalid),
    #[error(transparent)]
    Subject(#[from] SubjectError),
    #[error("{0}; `cnitool conformance --list` shows the title of each")]
    NoSuchCheck(#[from] NoSuchCheck),
    #[error("`--only` and `--skip` leave no check to make")]
    NothingChosen,
    #[error("{}", Chain(.0))]
    Suite(#[from] SuiteError),
    #[error("cannot write to stdout: {0}")]
    Stdout(#[from] io::Error),
}

impl From<ConformanceError> for Failure {
    fn from(error: ConformanceError) -> Self {
        let status = match error {
            ConformanceError::Suite(SuiteError::Cancelled | SuiteError::Report(_)) | ConformanceError::Stdout(_) => {
                DEVIATES
            }
            _ => NOT_CHECKED,
        };
        Self::new(ErrorCode::INTERNAL, error).with_status(status)
    }
}

/// Every check passes, except recommendations.
const CONFORMS: u8 = 0;
/// At least one check failed.
const DEVIATES: u8 = 1;
/// Nothing was checked.
const NOT_CHECKED: u8 = 2;

/// Checks a plugin, and returns the exit status.
pub(crate) fn conformance(asked: &Conformance, signals: Option<&Signals>) -> Result<u8, ConformanceError> {
    if let Some(number) = asked.explain {
        return explain(number);
    }
    let Some(plugin) = asked.plugin.as_ref().filter(|_| !asked.list) else { return list() };
    let mut suite = Suite::new(subject(asked, plugin)?).timeout(asked.limits.timeout);
    if !asked.only.is_empty() {
        suite = suite.only(&asked.only)?;
    }
    suite = suite.skip(&asked.skip)?;
    if suite.checks().is_empty() {
        return Err(ConformanceError::NothingChosen);
    }
    if let Some(token) = signals.and_then(Signals::token) {
        suite = suite.cancel(token);
    }
    // Not by `io::stdout`: that takes a stdout that can't be written to for success.
    let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let report = suite.run(&mut *asked.format().reporter(stdout, asked.verbose))?;
    Ok(if report.summary().fail == 0 { CONFORMS } else { DEVIATES })
}

fn subject(asked: &Conformance, plugin: &PathBuf) -> Result<Subject, ConformanceError> {
    let mut subject = Subject::new(plugin, asked.dirs.plugin_dirs())?;
    if let Some(file) = &asked.config {
        subject = subject.config_file(file)?;
    }
    if let Some(ipam) = &asked.ipam {
        subject = subject.ipam(ipam);
    }
    if let Some(file) = &asked.prev_result {
        subject = subject.previous_result_file(file)?;
    }
    for dir in &asked.show {
        subject = subject.shown(dir)?;
    }
    for (name, value) in &asked.env {
        subject = subject.variable(name, value);
    }
    let ifname = asked.interface.name_or(subject.ifname().as_str())?;
    let subject = subject.with_ifname(ifname).args(asked.given.args()?);
    Ok(subject.capability_args(asked.given.capabilities.capability_args()?))
}

impl Conformance {
    fn format(&self) -> library::Format {
        match self.format {
            _ if is_json() => library::Format::Json,
            Format::Human => library::Format::Human,
            Format::Tap => library::Format::Tap,
            Format::Json => library::Format::Json,
        }
    }
}

/// Prints number, level, origin, section and title of every check, separated by tabs.
fn list() -> Result<u8, ConformanceError> {
    let line = |check: &Check| {
        let [level, origin] = [check.level.as_str(), check.origin.as_str()];
        format!("{}\t{level}\t{origin}\t{}\t{}", check.id, check.section, check.title)
    };
    print(&Check::all().map(line).collect::<Vec<_>>().join("\n"))?;
    Ok(CONFORMS)
}

/// Prints all there is to say about a check.
fn explain(number: u16) -> Result<u8, ConformanceError> {
    let check = Check::with_id(number).ok_or(NoSuchCheck(number))?;
    print(&check.to_string())?;
    Ok(CONFORMS)
}
