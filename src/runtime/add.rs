//! ADD: every plugin in order, each with the result of the one before; the last result is cached.

use super::{Answer, Attachment, Cni, derive};
use crate::cache::CacheError;
use crate::conf::NetworkConfig;
use crate::error::Error;
use crate::invoke::{Failure, PluginError};
use crate::result::AddResult;
use crate::spec::Command;

impl Cni {
    /// Adds a container to a network and returns the result, which is cached for CHECK, DEL and GC.
    ///
    /// The first plugin that fails ends it, and nothing is cached; what earlier plugins of the list did is left to
    /// a DEL by the caller ([`Error::needs_cleanup`]). When all succeeded but the result can't be cached, DEL is
    /// run here, since nobody else could.
    ///
    /// # Errors
    /// See [`Error`]. Names, version and cache are checked before anything runs.
    #[doc(alias("AddNetworkList", "AddNetwork"))]
    pub fn add(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<AddResult, Error> {
        let key = attachment.key(network.network_name()?);
        // A version that nobody can parse could be added but neither checked nor deleted.
        self.version(network, Command::Add)?;
        let mut result = None;
        for plugin in network.plugins() {
            let config = derive::for_attachment(network, plugin, attachment, result.as_ref());
            let answer = self.call(Command::Add, network, plugin.plugin_type(), Some(attachment), &config)?;
            result = Some(read_result(answer, network)?);
        }
        let result = result.ok_or_else(|| Error::NoPlugins { network: network.name().to_owned() })?;
        match self.cache.write(&key, &attachment.entry(network, &result)) {
            Ok(()) => Ok(result),
            Err(source) => Err(self.undo(network, attachment, &result, source)),
        }
    }

    fn undo(&self, network: &NetworkConfig, attachment: &Attachment, result: &AddResult, source: CacheError) -> Error {
        let undo = self.del_plugins(network, attachment, Some(result)).err();
        Error::NotRecorded { attachment: attachment.describe(network), source, undo: undo.map(Box::new) }
    }
}

fn read_result(answer: Answer, network: &NetworkConfig) -> Result<AddResult, Error> {
    AddResult::parse_reply(answer.text(), network.cni_version()).map_err(|source| {
        let Answer { stdout, request } = answer;
        let failure = Failure::InvalidResult { stdout, source };
        Error::Plugin { network: network.name().to_owned(), source: PluginError::new(&request, failure) }
    })
}
