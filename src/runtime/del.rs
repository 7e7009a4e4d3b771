//! DEL: every plugin in reverse order, with the cached result of ADD; then the cache entry goes.

use super::{Attachment, Cni, derive};
use crate::cache::Key;
use crate::conf::NetworkConfig;
use crate::error::Error;
use crate::result::AddResult;
use crate::spec::{Command, Version};

impl Cni {
    /// Removes a container from a network. Fine without a cache entry: the plugins run without previous result.
    ///
    /// A cache entry that can't be used is reported ([`Notice`](super::Notice)) and counts as none.
    ///
    /// # Errors
    /// The first plugin that fails ends it, and the cache entry stays, so that DEL can be tried again.
    #[doc(alias("DelNetworkList", "DelNetwork"))]
    pub fn del(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<(), Error> {
        let key = attachment.key(network.network_name()?);
        let version = self.version(network, Command::Del)?;
        let previous = match version.has_check() {
            true => self.usable_result(network, attachment, &key, &version),
            false => None,
        };
        self.del_plugins(network, attachment, previous.as_ref())?;
        Ok(self.cache.remove(&key)?)
    }

    fn usable_result(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
        key: &Key,
        version: &Version,
    ) -> Option<AddResult> {
        let cached = self.cache.read(key).map_err(Error::from);
        let cached = cached.inspect_err(|error| self.notices.unusable_entry(error));
        let result = self.cached_result(network, attachment, &cached.ok()??, version);
        result.inspect_err(|error| self.notices.unusable_entry(error)).ok()
    }

    pub(super) fn del_plugins(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
        previous: Option<&AddResult>,
    ) -> Result<(), Error> {
        for plugin in network.plugins().iter().rev() {
            let config = derive::for_attachment(network, plugin, attachment, previous);
            self.call(Command::Del, network, plugin.plugin_type(), Some(attachment), &config)?;
        }
        Ok(())
    }
}
