//! `cnitool validate`: everything that is wrong with a network, or with all of the directory.

use clap::Args;
use libcni::Error;
use libcni::conf::{Listing, NetworkConfig};
use libcni::runtime::{Finding, Survey};
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{ErrorCode, Object};

use crate::context::library::load;
use crate::context::options::{Capabilities, Configurations, Output, Running};
use crate::context::signals::Signals;
use crate::output::describe::{broken, broken_object, file};
use crate::output::failure::Failure;
use crate::output::table::Table;
use crate::output::{is_json, print, print_json};

/// What to validate.
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
        None => CapabilityArgs::new(),
    };
    let survey = Survey::of(&cni, &listing, &given);
    if is_json() {
        print_json(&describe(&survey))?;
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
    let mut rows: Vec<_> = survey.findings.iter().map(row).collect();
    rows.extend(survey.valid.iter().map(|network| valid_row(network)));
    rows.sort_by(|a, b| a[0].cmp(&b[0]));
    let mut table = Table::new(["FILE", "NETWORK", "RESULT"]);
    rows.into_iter().for_each(|row| table.row(row));
    table
}

fn describe(survey: &Survey<'_>) -> Object {
    let mut object = Object::new();
    object.set("valid", &survey.valid.iter().map(|network| valid_object(network)).collect::<Vec<_>>());
    object.set("problems", &survey.findings.iter().map(problem_object).collect::<Vec<_>>());
    object
}

fn row(finding: &Finding<'_>) -> [String; 3] {
    match finding {
        Finding::Network(network, message) => [file(network), network.name().to_owned(), message.clone()],
        Finding::File(error) => {
            let file = error.file().map(|file| file.display().to_string()).unwrap_or_default();
            [file, String::new(), broken(error)]
        }
        _ => Default::default(),
    }
}

fn problem_object(finding: &Finding<'_>) -> Object {
    match finding {
        Finding::Network(network, message) => {
            let mut object = Object::new();
            object.set("file", &file(network));
            object.set("network", network.name());
            object.set("message", message);
            object
        }
        Finding::File(error) => broken_object(error),
        _ => Object::new(),
    }
}

fn valid_row(network: &NetworkConfig) -> [String; 3] {
    let capabilities = match network.capabilities() {
        none if none.is_empty() => String::new(),
        some => format!(", capabilities {}", some.into_iter().collect::<Vec<_>>().join(", ")),
    };
    [file(network), network.name().to_owned(), format!("ok: version {}{capabilities}", network.effective_version())]
}

fn valid_object(network: &NetworkConfig) -> Object {
    let mut object = Object::new();
    object.set("file", &file(network));
    object.set("network", network.name());
    object.set("cniVersion", network.effective_version());
    object.set("capabilities", &network.capabilities());
    object
}
