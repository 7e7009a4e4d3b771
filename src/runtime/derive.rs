//! The bytes for a plugin's stdin, from its configuration and the call. Pure.
//!
//! See [3.3](crate::specification#33-the-request-for-one-plugin) of the specification. (The original says that
//! `capabilities` is left out; the Go libcni leaves it in, and so does this one.)

use super::Attachment;
use crate::conf::{NetworkConfig, PluginConfig};
use crate::result::AddResult;
use crate::spec::{Object, ValidAttachment};

/// The plugin's own object with the name and version of the list: what STATUS sends.
#[doc(alias = "InjectConf")]
pub(crate) fn for_network(network: &NetworkConfig, plugin: &PluginConfig) -> Object {
    let mut config = plugin.object().clone();
    config.set("name", network.name());
    config.set("cniVersion", network.cni_version().unwrap_or_default());
    config
}

/// Makes the configuration that ADD, CHECK and DEL send: with the arguments of the capabilities that the plugin
/// declares, and the previous result, if there is one.
#[doc(alias("buildOneConfig", "injectRuntimeConfig"))]
pub(crate) fn for_attachment(
    network: &NetworkConfig,
    plugin: &PluginConfig,
    attachment: &Attachment,
    previous: Option<&AddResult>,
) -> Object {
    let mut config = for_network(network, plugin);
    if let Some(result) = previous {
        config.set("prevResult", result);
    }
    let arguments = attachment.capability_args.only(|capability| plugin.has_capability(capability));
    if !arguments.is_empty() {
        config.set("runtimeConfig", &arguments);
    }
    config
}

/// Makes the configuration that GC sends: with the attachments that are still valid, where the caller gave any list.
pub(crate) fn for_gc(network: &NetworkConfig, plugin: &PluginConfig, valid: Option<&[ValidAttachment]>) -> Object {
    let mut config = for_network(network, plugin);
    if let Some(valid) = valid {
        config.set("cni.dev/valid-attachments", valid);
        // The key of an early draft of 1.1.0, which some plugins were built against.
        config.set("cni.dev/attachments", valid);
    }
    config
}
