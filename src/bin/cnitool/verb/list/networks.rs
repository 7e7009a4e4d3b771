//! `cnitool list networks`.

use std::path::Path;

use clap::Args;
use libcni::Error;
use libcni::conf::{ConfError, Listing, NetworkConfig};
use libcni::spec::Object;
use serde::Serialize;

use super::form::Form;
use crate::context::library::in_file_order;
use crate::context::options::Configurations;
use crate::output::describe::{broken, broken_object, file};
use crate::output::failure::Failure;
use crate::output::table::Table;
use crate::output::{is_json, print_json};

/// The arguments of `list networks`.
#[derive(Args, Debug)]
pub(crate) struct Networks {
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    configurations: Configurations,
}

/// Prints the networks in the order of their files, with the files that give none and why.
pub(super) fn list(list: &Networks) -> Result<(), Failure> {
    if list.form.plain {
        return print_plain(list);
    }
    let listing = list.configurations.conf_dir().list().map_err(Error::from)?;
    if is_json() {
        return Ok(print_json(&Report::new(&listing))?);
    }
    let mut rows: Vec<_> = listing.networks.iter().map(|network| row(network, "ok".to_owned())).collect();
    rows.extend(listing.shadowed.iter().map(|network| row(network, shadowed_by(network, &listing.networks))));
    rows.extend(listing.broken.iter().map(broken_row));
    rows.sort_by(|a, b| a[3].cmp(&b[3]));
    let mut table = Table::new(["NAME", "VERSION", "PLUGINS", "FILE", "STATE"]);
    rows.into_iter().for_each(|row| table.row(row));
    list.form.show(&table)
}

/// Name, version, plugins and file of each network that can be used; the others are warnings.
fn print_plain(list: &Networks) -> Result<(), Failure> {
    let mut table = Table::new(["NAME", "VERSION", "PLUGINS", "FILE"]);
    for network in in_file_order(&list.configurations.conf_dir())? {
        let [name, version, plugins, file, _] = row(&network, String::new());
        table.row([name, version, plugins, file]);
    }
    list.form.show(&table)
}

fn row(network: &NetworkConfig, state: String) -> [String; 5] {
    [network.name().to_owned(), network.effective_version().to_owned(), types(network).join(","), file(network), state]
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
            cni_version: network.effective_version(),
            plugins: types(network),
            file: file(network),
            shadowed_by,
        }
    }
}
