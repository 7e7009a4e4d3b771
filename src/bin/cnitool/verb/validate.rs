//! `cnitool validate`: everything that is wrong with a network, or with all of the directory.

use clap::Args;
use libcni::Error;
use libcni::conf::{Listing, NetworkConfig};
use libcni::runtime::{Finding, Survey};
use libcni::spec::ErrorCode;
use libcni::spec::capability::CapabilityArgs;

use crate::context::library::load;
use crate::context::options::{Capabilities, Configurations, Output, Running};
use crate::context::signals::Signals;
use crate::output::describe::{file, path};
use crate::output::failure::Failure;
use crate::output::table::Table;
use crate::output::{is_json, print, print_json};

/// The configuration to validate.
#[derive(Args, Debug)]
pub(crate) struct Validate {
    /// The name of a network, which must take the capability arguments that are given; without it, every file of the
    /// configuration directory
    network: Option<String>,
    #[command(flatten)]
    configurations: Configurations,
    #[command(flatten)]
    running: Running,
    #[command(flatten)]
    capabilities: Capabilities,
    #[command(flatten)]
    _output: Output,
}

/// Prints what is wrong, and which networks are fine.
///
/// # Errors
/// Something is wrong.
pub(crate) fn validate(validate: &Validate, signals: Option<&Signals>) -> Result<(), Failure> {
    let cni = validate.running.cni(signals.and_then(Signals::token))?;
    let dir = validate.configurations.conf_dir();
    let listing = match &validate.network {
        Some(name) => Listing::of(load(&dir, name)?),
        None => dir.list().map_err(Error::from)?,
    };
    let given = match &validate.network {
        Some(_) => validate.capabilities.capability_args()?,
        None if validate.capabilities.cap.is_some() => return Err(Failure::usage("`--cap` is for a named network")),
        None => CapabilityArgs::new(),
    };
    let survey = Survey::of(&cni, &listing, &given);
    if is_json() {
        print_json(&survey.to_object())?;
    } else {
        print(&table(&survey).aligned())?;
    }
    match survey.findings.len() {
        0 => Ok(()),
        1 => Err(Failure::new(ErrorCode::INVALID_NETWORK_CONFIG, "1 problem")),
        count => Err(Failure::new(ErrorCode::INVALID_NETWORK_CONFIG, format!("{count} problems"))),
    }
}

fn table(survey: &Survey<'_>) -> Table<3> {
    let row = |finding: &Finding<'_>| {
        [path(finding.file()), finding.network().unwrap_or_default().to_owned(), finding.message()]
    };
    let mut rows: Vec<_> = survey.findings.iter().map(row).collect();
    rows.extend(survey.valid.iter().map(|network| valid_row(network)));
    rows.sort_by(|a, b| a[0].cmp(&b[0]));
    let mut table = Table::new(["FILE", "NETWORK", "RESULT"]);
    rows.into_iter().for_each(|row| table.row(row));
    table
}

fn valid_row(network: &NetworkConfig) -> [String; 3] {
    let capabilities = match network.capabilities() {
        none if none.is_empty() => String::new(),
        some => format!(", capabilities {}", some.into_iter().collect::<Vec<_>>().join(", ")),
    };
    [file(network), network.name().to_owned(), format!("ok: version {}{capabilities}", network.effective_version())]
}
