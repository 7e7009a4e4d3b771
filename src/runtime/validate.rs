//! Validation: whether the plugins of a network are there and support its version.

use std::collections::BTreeSet;

use super::Cni;
use crate::conf::{NetworkConfig, PluginConfig};
use crate::error::{Error, Failures};
use crate::waiting::block_on;

impl Cni {
    /// Checks that every plugin of a network is there and supports its version, and returns the capabilities that
    /// at least one of them enables.
    ///
    /// ```no_run
    /// # use libcni::{Attachment, Cni, Error, conf::NetworkConfig};
    /// # fn example(cni: &Cni, network: &NetworkConfig, attachment: &Attachment) -> Result<(), Error> {
    /// let capabilities = cni.validate(network)?;
    /// if !capabilities.contains("portMappings") {
    ///     println!("ports of containers on {} can't be published", network.name());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The function continues after an error and returns all of them, more than one as [`Error::Several`].
    #[doc(alias("ValidateNetworkList", "ValidateNetwork"))]
    pub fn validate(&self, network: &NetworkConfig) -> Result<BTreeSet<String>, Error> {
        block_on(self.validate_async(network))
    }

    pub(super) async fn validate_async(&self, network: &NetworkConfig) -> Result<BTreeSet<String>, Error> {
        network.network_name()?;
        let network = &*self.agreed(network).await?;
        let mut errors = Vec::new();
        for plugin in network.plugins() {
            errors.extend(self.validate_plugin(network, plugin).await.err());
        }
        Failures::into_result(errors)?;
        Ok(network.capabilities().into_iter().map(str::to_owned).collect())
    }

    async fn validate_plugin(&self, network: &NetworkConfig, plugin: &PluginConfig) -> Result<(), Error> {
        let wanted = network.effective_version();
        let reply = self.plugin_version_async(plugin.plugin_type()).await.map_err(|e| e.in_network(network.name()))?;
        if reply.supports(wanted) {
            return Ok(());
        }
        Err(Error::VersionUnsupported {
            network: network.name().to_owned(),
            plugin: plugin.plugin_type().to_owned(),
            wanted: wanted.to_owned(),
            supported: reply.supported_versions,
        })
    }
}
