//! STATUS: whether every plugin of a network could serve ADD now.

use super::{Cni, derive};
use crate::conf::NetworkConfig;
use crate::error::Error;
use crate::spec::Command;
use crate::waiting::block_on;

impl Cni {
    /// Asks every plugin, in order, whether it could serve ADD now. Before version 1.1.0 it asks none
    /// and succeeds.
    ///
    /// ```no_run
    /// use libcni::spec::ErrorCode;
    /// # use libcni::{Attachment, Cni, Error, conf::NetworkConfig};
    /// # fn example(cni: &Cni, network: &NetworkConfig, attachment: &Attachment) -> Result<(), Error> {
    /// let ready = match cni.status(network) {
    ///     Ok(()) => true,
    ///     Err(error) if error.code() == ErrorCode::NOT_AVAILABLE => false,
    ///     Err(error) => return Err(error),
    /// };
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// That of the first plugin that can't serve ADD, with its code ([`Error::code`]): 50 means not available, 51 means
    /// limited connectivity.
    #[doc(alias = "GetStatusNetworkList")]
    pub fn status(&self, network: &NetworkConfig) -> Result<(), Error> {
        block_on(self.status_async(network))
    }

    pub(super) async fn status_async(&self, network: &NetworkConfig) -> Result<(), Error> {
        network.network_name()?;
        let network = &*self.agreed(network).await?;
        if !self.version(network, Command::Status)?.has_status() {
            return Ok(());
        }
        for plugin in network.plugins() {
            let config = derive::for_network(network, plugin);
            self.call(Command::Status, network, plugin.plugin_type(), None, &config).await?;
        }
        Ok(())
    }
}
