//! `cnitool versions`: what the plugins of a network support, what they have in common, and what is used.

use clap::Args;
use libcni::Error;
use libcni::runtime::{SupportedBy, SupportedVersions};
use libcni::spec::{ErrorCode, Version};

use super::target::Network;
use crate::context::library::load;
use crate::context::options::{Loading, Output, Running};
use crate::context::signals::Signals;
use crate::output::failure::Failure;
use crate::output::table::Table;
use crate::output::{is_json, print, print_json};

/// The arguments of `versions`.
#[derive(Args, Debug)]
pub(crate) struct Versions {
    #[command(flatten)]
    target: Network,
    #[command(flatten)]
    loading: Loading,
    #[command(flatten)]
    running: Running,
    #[command(flatten)]
    _output: Output,
}

/// Prints the report.
///
/// # Errors
/// The network can't be added as it is: a plugin can't be asked, or does not support the version that is used.
pub(crate) fn versions(versions: &Versions, signals: Option<&Signals>) -> Result<(), Failure> {
    let cni = versions.running.cni(signals.and_then(Signals::token))?;
    let network = load(&versions.loading.conf_dir(), versions.target.alone("versions")?)?;
    let report = cni.supported_versions(&network);
    if is_json() {
        print_json(&report.to_object())?;
    } else {
        print(&table(&report).aligned())?;
    }
    if report.is_usable() {
        return Ok(());
    }
    let SupportedVersions { network, used, .. } = &report;
    let message = format!("version {used} of network `{network}` is not supported by all of its plugins");
    Err(Failure::new(ErrorCode::INCOMPATIBLE_VERSION, message))
}

fn table(report: &SupportedVersions) -> Table<2> {
    let texts = |versions: &[Version]| versions.iter().map(Version::as_str).collect::<Vec<_>>().join(" ");
    let mut table = Table::new(["", "VERSIONS"]);
    for SupportedBy { plugin, versions, .. } in &report.plugins {
        let versions = versions.as_ref().map_or_else(Error::reason, |versions| versions.join(" "));
        table.row([format!("plugin {plugin}"), versions]);
    }
    let note = if report.is_usable() { "" } else { " (not supported by all plugins)" };
    let negotiated = report.highest().map_or("none in common".to_owned(), |version| version.as_str().to_owned());
    table.row(["all plugins".to_owned(), texts(&report.common())]);
    table.row(["configuration".to_owned(), texts(&report.configured)]);
    table.row(["used".to_owned(), format!("{}{note}", report.used)]);
    table.row(["with --negotiate".to_owned(), negotiated]);
    table
}
