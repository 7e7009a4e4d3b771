//! The configuration of the plugin: out of a file, or one that is known to work.

use std::path::Path;

use serde_json::Value;

use super::subject::SubjectError;
use super::{file, known};
use crate::conf::{NetworkConfig, PluginConfig};
use crate::spec::Object;

/// The parts of a configuration.
pub(super) struct Configured {
    /// The plugin's own object, without the keys that it has from its list.
    pub(super) object: Object,
    pub(super) network: String,
    pub(super) version: String,
}

impl Configured {
    /// The first plugin of a file that is of this type, or that delegates to an IPAM plugin of this type.
    pub(super) fn read(path: &Path, plugin: &str) -> Result<Self, SubjectError> {
        let named = || path.to_owned();
        let text = file::read(path).map_err(|source| SubjectError::Read { file: named(), source })?;
        let network = NetworkConfig::parse_any(&text)
            .map_err(|source| SubjectError::Parse { file: named(), source: Box::new(source) })?;
        let types = |other: &&PluginConfig| [Some(other.plugin_type()), other.ipam_type()].contains(&Some(plugin));
        let found = network.plugins().iter().find(types);
        let missing = || SubjectError::NoSuchPlugin {
            file: named(),
            plugin: plugin.to_owned(),
            types: network.plugins().iter().map(|plugin| format!("`{}`", plugin.plugin_type())).collect(),
        };
        let mut object = found.ok_or_else(missing)?.object().clone();
        object.remove("name");
        object.remove("cniVersion");
        keep_state_here(&mut object);
        let name = if network.network_name().is_ok() { network.name() } else { "conformance" };
        Ok(Self { object, network: name.to_owned(), version: network.cni_version().unwrap_or_default().to_owned() })
    }

    /// A configuration for a plugin that many hosts have; for another one, nothing but its type.
    pub(super) fn known(plugin: &str) -> Self {
        let mut object = Object::new();
        object.set("type", plugin);
        if let Value::Object(keys) = known::configuration(plugin) {
            keys.iter().for_each(|(key, value)| known::set(&mut object, key, value));
        }
        if let Some(ipam) = known::ipam_of(plugin) {
            known::set(&mut object, "ipam", &known::ipam(ipam));
        }
        Self { object, network: "conformance".to_owned(), version: String::new() }
    }
}

/// Lets an IPAM plugin remember things where it does by itself, which is a directory of the check's host, and not in a
/// directory of the real one.
fn keep_state_here(object: &mut Object) {
    let ipam = object.typed::<Object>("ipam").ok().flatten();
    if let Some(mut ipam) = ipam.filter(|ipam| ipam.get("dataDir").is_some()) {
        ipam.remove("dataDir");
        object.set("ipam", &ipam);
    }
}
