//! `cnitool versions`: what the plugins of a network support, what they have in common, and what is used.

use clap::Args;
use libcni::Error;
use libcni::conf::NetworkConfig;
use libcni::runtime::SupportedVersions;
use libcni::spec::{ErrorCode, Version};
use serde::Serialize;

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
    let network = load(&versions.loading.conf_dir(), &versions.target.network)?;
    let report = Report::new(&network, &cni.supported_versions(&network));
    if is_json() {
        print_json(&report)?;
    } else {
        print(&report.text())?;
    }
    if report.is_usable() {
        return Ok(());
    }
    let Report { network, used, .. } = &report;
    let message = format!("version {used} of network `{network}` is not supported by all of its plugins");
    Err(Failure::new(ErrorCode::INCOMPATIBLE_VERSION, message))
}

#[derive(Serialize)]
struct Report {
    network: String,
    plugins: Vec<Plugin>,
    configured: Vec<String>,
    common: Vec<String>,
    used: String,
    negotiated: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plugin {
    plugin: String,
    supported_versions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Report {
    fn new(network: &NetworkConfig, supported: &SupportedVersions) -> Self {
        let texts = |versions: &[Version]| versions.iter().map(|version| version.as_str().to_owned()).collect();
        Self {
            network: network.name().to_owned(),
            plugins: supported.plugins.iter().map(Plugin::new).collect(),
            configured: texts(&supported.configured),
            common: texts(&supported.common()),
            used: network.effective_version().to_owned(),
            negotiated: supported.highest().map(|version| version.as_str().to_owned()),
        }
    }

    fn is_usable(&self) -> bool {
        self.common.contains(&self.used)
    }

    fn text(&self) -> String {
        let mut table = Table::new(["", "VERSIONS"]);
        let title = |text: &str| text.to_owned();
        for Plugin { plugin, supported_versions, error } in &self.plugins {
            let versions = error.clone().unwrap_or_else(|| supported_versions.join(" "));
            table.row([format!("plugin {plugin}"), versions]);
        }
        table.row([title("all plugins"), self.common.join(" ")]);
        table.row([title("configuration"), self.configured.join(" ")]);
        let note = if self.is_usable() { "" } else { " (not supported by all plugins)" };
        table.row([title("used"), format!("{}{note}", self.used)]);
        table.row([title("with --negotiate"), self.negotiated.clone().unwrap_or_else(|| title("none in common"))]);
        table.aligned()
    }
}

impl Plugin {
    fn new((plugin, answer): &(String, Result<Vec<String>, Error>)) -> Self {
        Self {
            plugin: plugin.clone(),
            supported_versions: answer.as_ref().cloned().unwrap_or_default(),
            error: answer.as_ref().err().map(Error::reason),
        }
    }
}
