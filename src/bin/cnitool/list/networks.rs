//! `cnitool list networks`.

use std::path::Path;

use libcni::conf::{ConfError, Listing, NetworkConfig};
use libcni::spec::Object;
use libcni::{Chain, Error};
use serde::Serialize;

use crate::Failure;
use crate::cli::Arguments;
use crate::describe::{broken, broken_object, file, version};
use crate::output::{print_json, warn};
use crate::table::Table;

/// Prints the networks in the order of their files, with the files that give none and why.
pub(super) fn list(arguments: &Arguments, plain: bool) -> Result<(), Failure> {
    if plain {
        return print_plain(arguments);
    }
    let listing = arguments.conf_dir().list().map_err(Error::from)?;
    if arguments.json() {
        return Ok(print_json(&Report::new(&listing))?);
    }
    let mut rows: Vec<_> = listing.networks.iter().map(|network| row(network, "ok".to_owned())).collect();
    rows.extend(listing.shadowed.iter().map(|network| row(network, shadowed_by(network, &listing.networks))));
    rows.extend(listing.broken.iter().map(broken_row));
    rows.sort_by(|a, b| a[3].cmp(&b[3]));
    let mut table = Table::new(["NAME", "VERSION", "PLUGINS", "FILE", "STATE"]);
    rows.into_iter().for_each(|row| table.row(row));
    super::show(&table, false)
}

/// Name, version, plugins and file of each network that can be used; the others are warnings.
fn print_plain(arguments: &Arguments) -> Result<(), Failure> {
    let mut table = Table::new(["NAME", "VERSION", "PLUGINS", "FILE"]);
    for network in in_file_order(arguments)? {
        let [name, version, plugins, file, _] = row(&network, String::new());
        table.row([name, version, plugins, file]);
    }
    super::show(&table, true)
}

/// The networks of the directory in the order of their files' names; a warning for every file that gives none.
pub(crate) fn in_file_order(arguments: &Arguments) -> Result<Vec<NetworkConfig>, Error> {
    let Listing { mut networks, shadowed, broken, .. } = arguments.conf_dir().list()?;
    for network in shadowed {
        let name = network.name();
        warn(&format!("skipped {}: an earlier file configures network `{name}`", file(&network)));
    }
    for problem in broken {
        warn(&format!("skipped {}", Chain(&problem)));
    }
    networks.sort_by(|a, b| a.path().cmp(&b.path()));
    Ok(networks)
}

fn row(network: &NetworkConfig, state: String) -> [String; 5] {
    [network.name().to_owned(), version(network).to_owned(), types(network).join(","), file(network), state]
}

fn broken_row(problem: &ConfError) -> [String; 5] {
    let file = problem.file().map(|file| file.display().to_string()).unwrap_or_default();
    let state = format!("broken: {}", broken(problem));
    [String::new(), String::new(), String::new(), file, state]
}

fn shadowed_by(network: &NetworkConfig, winners: &[NetworkConfig]) -> String {
    let file = winner(network, winners).and_then(Path::file_name).unwrap_or_default();
    format!("shadowed by {}", Path::new(file).display())
}

/// The file that configures the network of the same name.
fn winner<'a>(network: &NetworkConfig, winners: &'a [NetworkConfig]) -> Option<&'a Path> {
    winners.iter().find(|other| other.name() == network.name())?.path()
}

fn types(network: &NetworkConfig) -> Vec<&str> {
    network.plugins().iter().map(|plugin| plugin.plugin_type()).collect()
}

#[derive(Serialize)]
struct Report<'a> {
    networks: Vec<Network<'a>>,
    shadowed: Vec<Network<'a>>,
    broken: Vec<Object>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Network<'a> {
    name: &'a str,
    cni_version: &'a str,
    plugins: Vec<&'a str>,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    shadowed_by: Option<String>,
}

impl<'a> Report<'a> {
    fn new(listing: &'a Listing) -> Self {
        let shadower = |network| winner(network, &listing.networks).map(|path| path.display().to_string());
        Self {
            networks: listing.networks.iter().map(|network| Network::new(network, None)).collect(),
            shadowed: listing.shadowed.iter().map(|network| Network::new(network, shadower(network))).collect(),
            broken: listing.broken.iter().map(broken_object).collect(),
        }
    }
}

impl<'a> Network<'a> {
    fn new(network: &'a NetworkConfig, shadowed_by: Option<String>) -> Self {
        Self {
            name: network.name(),
            cni_version: version(network),
            plugins: types(network),
            file: file(network),
            shadowed_by,
        }
    }
}
