//! One plugin's part of a configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::PluginProblem;
use crate::spec::{Dns, Fields, InvalidField, Object, ValidAttachment};

/// The configuration of one plugin: its own object, untouched, and typed views of the keys that the
/// specification defines.
///
/// ```
/// use libcni::conf::PluginConfig;
///
/// let plugin = PluginConfig::parse(r#"{"type": "portmap", "capabilities": {"portMappings": true}}"#)?;
/// assert_eq!(plugin.plugin_type(), "portmap");
/// assert!(plugin.has_capability("portMappings"));
/// # Ok::<(), libcni::conf::PluginProblem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias("PluginConf", "NetConf"))]
pub struct PluginConfig {
    object: Object,
    known: Known,
    path: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    plugin_type: String,
    name: Option<String>,
    cni_version: Option<String>,
    capabilities: BTreeMap<String, bool>,
    ipam_type: Option<String>,
    dns: Dns,
}

impl PluginConfig {
    /// Reads the configuration of one plugin.
    ///
    /// # Errors
    /// The text is not a JSON object, has no `type`, or a key that the specification defines has the wrong form.
    #[doc(alias("ConfFromBytes", "NetworkPluginConfFromBytes"))]
    pub fn parse(text: &str) -> Result<Self, PluginProblem> {
        // Go decodes null into an empty configuration, which then lacks its type.
        let text = if text.trim() == "null" { "{}" } else { text };
        let object = Object::parse(text).map_err(|e| PluginProblem::Json(e.without_place()))?;
        let known = Known::read(Fields::of(&object)).map_err(PluginProblem::Field)?;
        if known.plugin_type.is_empty() {
            return Err(PluginProblem::MissingType);
        }
        Ok(Self { object, known, path: None })
    }

    /// The file name of the plugin. Not checked before it is looked up.
    pub fn plugin_type(&self) -> &str {
        &self.known.plugin_type
    }

    /// The plugin's own `name`; plugins of a list have none.
    pub fn name(&self) -> Option<&str> {
        self.known.name.as_deref()
    }

    /// The plugin's own `cniVersion`; plugins of a list have none.
    pub fn cni_version(&self) -> Option<&str> {
        self.known.cni_version.as_deref()
    }

    /// Returns the capabilities that the plugin takes arguments for.
    pub fn enabled_capabilities(&self) -> Vec<&str> {
        self.capabilities().iter().filter(|(_, on)| **on).map(|(name, _)| name.as_str()).collect()
    }

    /// The capabilities by name, and whether they are enabled.
    pub fn capabilities(&self) -> &BTreeMap<String, bool> {
        &self.known.capabilities
    }

    /// Returns true if the plugin asks for a capability's argument.
    pub fn has_capability(&self, capability: &str) -> bool {
        self.known.capabilities.get(capability) == Some(&true)
    }

    /// The plugin that `ipam` delegates to.
    pub fn ipam_type(&self) -> Option<&str> {
        self.known.ipam_type.as_deref()
    }

    /// The resolver settings.
    pub fn dns(&self) -> &Dns {
        &self.known.dns
    }

    /// The file that the plugin was loaded from, if it comes from the folder with the network's name, and not from the
    /// list.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub(super) fn with_path(self, path: PathBuf) -> Self {
        let path = Some(path);
        Self { path, ..self }
    }

    /// The whole object as it was written.
    pub fn object(&self) -> &Object {
        &self.object
    }
}

impl Known {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        let known = Self {
            plugin_type: fields.take_or_default("type")?,
            name: fields.take_text("name")?,
            cni_version: fields.take_text("cniVersion")?,
            capabilities: capabilities(&mut fields)?,
            ipam_type: ipam_type(&mut fields)?,
            dns: fields.take_shape("dns")?.unwrap_or_default(),
        };
        // Nothing is made of these here, but a plugin would choke on them.
        fields.take::<Object>("prevResult")?;
        fields.take_list::<ValidAttachment>("cni.dev/valid-attachments")?;
        Ok(known)
    }
}

fn capabilities(fields: &mut Fields<'_>) -> Result<BTreeMap<String, bool>, InvalidField> {
    let written: BTreeMap<String, Option<bool>> = fields.take_or_default("capabilities")?;
    let enabled = written.into_iter().map(|(name, on)| (name, on.unwrap_or(false)));
    Ok(enabled.collect())
}

fn ipam_type(fields: &mut Fields<'_>) -> Result<Option<String>, InvalidField> {
    let ipam = fields.take_fields("ipam")?;
    ipam.map_or(Ok(None), |mut ipam| ipam.take_text("type"))
}
