//! `cnitool validate`: everything that is wrong with a network, or with all of the directory.

use std::collections::BTreeSet;

use clap::Args;
use libcni::conf::{ConfError, Listing, NetworkConfig};
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{ErrorCode, Object};
use libcni::{Cni, Error};

use crate::context::library::load;
use crate::context::options::{Capabilities, Configurations, Output, Running};
use crate::context::signals::Signals;
use crate::output::describe::{broken, broken_object, capabilities, file};
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

/// The listing of one network.
fn only(network: NetworkConfig) -> Listing {
    let mut listing = Listing::default();
    listing.networks.push(network);
    listing
}

/// Prints what is wrong, and which networks are fine.
///
/// # Errors
/// Something is wrong.
pub(crate) fn validate(validate: &Validate, signals: Option<&Signals>) -> Result<(), Failure> {
    let cni = validate.running.cni(signals.and_then(Signals::token))?;
    let dir = validate.configurations.conf_dir();
    let listing = match &validate.network {
        Some(name) => only(load(&dir, name)?),
        None => dir.list().map_err(Error::from)?,
    };
    let given = match &validate.network {
        Some(_) => validate.capabilities.capability_args()?,
        None => CapabilityArgs::new(),
    };
    let report = Report::new(&cni, &listing, &given);
    if is_json() {
        print_json(&report.describe())?;
    } else {
        print(&report.table().aligned())?;
    }
    match report.problems.len() {
        0 => Ok(()),
        1 => Err(Failure::new(ErrorCode::INVALID_NETWORK_CONFIG, "1 problem")),
        count => Err(Failure::new(ErrorCode::INVALID_NETWORK_CONFIG, format!("{count} problems"))),
    }
}

/// What was found, file by file.
struct Report<'a> {
    valid: Vec<&'a NetworkConfig>,
    problems: Vec<Problem<'a>>,
}

enum Problem<'a> {
    /// Of a network that can be loaded, or could if an earlier file did not have its name.
    Of(&'a NetworkConfig, String),
    /// Of a file that is no configuration.
    Broken(&'a ConfError),
}

impl<'a> Report<'a> {
    fn new(cni: &Cni, listing: &'a Listing, given: &CapabilityArgs) -> Self {
        let (mut valid, mut problems) = (Vec::new(), Vec::new());
        for network in &listing.networks {
            let mut found: Vec<_> = cni.examine(network).iter().map(ToString::to_string).collect();
            found.extend(not_taken(network, given));
            if found.is_empty() {
                valid.push(network);
            }
            problems.extend(found.into_iter().map(|message| Problem::Of(network, message)));
        }
        problems.extend(listing.shadowed.iter().map(|network| {
            let winner = listing.networks.iter().find(|other| other.name() == network.name());
            let winner = winner.map(file).unwrap_or_default();
            Problem::Of(network, format!("not used: {winner} has a network of this name, too"))
        }));
        problems.extend(listing.broken.iter().map(Problem::Broken));
        Self { valid, problems }
    }

    fn table(&self) -> Table<3> {
        let mut rows: Vec<_> = self.problems.iter().map(Problem::row).collect();
        rows.extend(self.valid.iter().map(|network| valid_row(network)));
        rows.sort_by(|a, b| a[0].cmp(&b[0]));
        let mut table = Table::new(["FILE", "NETWORK", "RESULT"]);
        rows.into_iter().for_each(|row| table.row(row));
        table
    }

    fn describe(&self) -> Object {
        let mut object = Object::new();
        object.set("valid", &self.valid.iter().map(|network| valid_object(network)).collect::<Vec<_>>());
        object.set("problems", &self.problems.iter().map(Problem::describe).collect::<Vec<_>>());
        object
    }
}

impl Problem<'_> {
    fn row(&self) -> [String; 3] {
        match self {
            Self::Of(network, message) => [file(network), network.name().to_owned(), message.clone()],
            Self::Broken(error) => {
                let file = error.file().map(|file| file.display().to_string());
                [file.unwrap_or_default(), String::new(), broken(error)]
            }
        }
    }

    fn describe(&self) -> Object {
        match self {
            Self::Of(network, message) => {
                let mut object = Object::new();
                object.set("file", &file(network));
                object.set("network", network.name());
                object.set("message", message);
                object
            }
            Self::Broken(error) => broken_object(error),
        }
    }
}

fn valid_row(network: &NetworkConfig) -> [String; 3] {
    let capabilities = match taken(network) {
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
    object.set("capabilities", &taken(network));
    object
}

/// The capabilities that at least one plugin takes.
fn taken(network: &NetworkConfig) -> BTreeSet<&str> {
    network.plugins().iter().flat_map(capabilities).collect()
}

/// Capability arguments that would reach nobody.
fn not_taken(network: &NetworkConfig, given: &CapabilityArgs) -> Vec<String> {
    let taken = taken(network);
    let names = given.iter().map(|(name, _)| name).filter(|name| !taken.contains(name));
    names.map(|name| format!("capability `{name}` is given, and no plugin takes it")).collect()
}
