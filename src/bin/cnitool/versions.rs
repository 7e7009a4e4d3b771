//! `cnitool versions`: what the plugins of a network support, what they have in common, and what is used.

use libcni::conf::NetworkConfig;
use libcni::runtime::SupportedVersions;
use libcni::spec::Version;
use libcni::{Cni, Error};
use serde::Serialize;

use crate::Failure;
use crate::cli::{Arguments, Network};
use crate::describe::version;
use crate::output::{print, print_json};
use crate::table::Table;
use crate::why::why;

/// Prints the report.
///
/// # Errors
/// The network can't be added as it is: a plugin can't be asked, or does not support the version that is used.
pub(crate) fn versions(arguments: &Arguments, cni: &Cni, target: &Network) -> Result<(), Failure> {
    let network = crate::configured(arguments, &target.network)?;
    let report = Report::new(&network, &cni.supported_versions(&network));
    match arguments.json() {
        true => print_json(&report)?,
        false => print(&report.text())?,
    }
    match report.is_usable() {
        true => Ok(()),
        false => Err(Failure::VersionUnsupported { network: target.network.clone(), version: report.used }),
    }
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
            used: version(network).to_owned(),
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
            error: answer.as_ref().err().map(why),
        }
    }
}
