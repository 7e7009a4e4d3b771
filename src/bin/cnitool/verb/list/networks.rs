//! `cnitool list networks`.

use std::path::Path;

use clap::Args;
use libcni::Error;
use libcni::conf::{ConfError, Listing, NetworkConfig};

use super::form::Form;
use crate::context::library::in_file_order;
use crate::context::options::Configurations;
use crate::output::describe::{file, path};
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
        return Ok(print_json(&listing.to_object())?);
    }
    let mut rows: Vec<_> = listing.networks.iter().map(|network| row(network, "ok".to_owned())).collect();
    rows.extend(listing.shadowed.iter().map(|network| shadowed_row(network, &listing)));
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
    let types = network.plugin_types().join(",");
    [network.name().to_owned(), network.effective_version().to_owned(), types, file(network), state]
}

fn broken_row(problem: &ConfError) -> [String; 5] {
    let state = format!("broken: {}", problem.in_its_file());
    [String::new(), String::new(), String::new(), path(problem.file()), state]
}

fn shadowed_row(network: &NetworkConfig, listing: &Listing) -> [String; 5] {
    let winner = listing.winner(network).and_then(NetworkConfig::path).and_then(Path::file_name);
    row(network, format!("shadowed by {}", Path::new(winner.unwrap_or_default()).display()))
}
