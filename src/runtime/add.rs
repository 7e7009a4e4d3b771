//! ADD: every plugin in order, each with the result of the one before; the last result is cached.

use super::{Answer, Attachment, Cni, OnMissingPlugin, derive};
use crate::cache::{Entry, Key};
use crate::conf::NetworkConfig;
use crate::error::Error;
use crate::invoke::{Failure, PluginError};
use crate::result::AddResult;
use crate::spec::Command;

impl Cni {
    /// Adds a container to a network and returns the result, which is cached for CHECK, DEL and GC.
    ///
    /// Before anything is run, the cache records what is begun, so that GC finds it even if this process is killed.
    /// The first plugin that fails ends it, and nothing is cached; what earlier plugins of the list did is left to
    /// a DEL by the caller ([`Error::needs_cleanup`]). When all succeeded but the result can't be cached, DEL is
    /// run here, since nobody else could.
    ///
    /// ```no_run
    /// # use libcni::{Attachment, Cni, Error, conf::NetworkConfig};
    /// # fn example(cni: &Cni, network: &NetworkConfig, attachment: &Attachment) -> Result<(), Error> {
    /// match cni.add(network, attachment) {
    ///     Ok(result) => println!("{}", result.latest().ips[0].address),
    ///     Err(error) if error.needs_cleanup() => {
    ///         cni.del(network, attachment)?;
    ///         return Err(error);
    ///     }
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`Error`]. Names, version, locks and cache are checked before anything runs.
    #[doc(alias("AddNetworkList", "AddNetwork"))]
    pub fn add(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<AddResult, Error> {
        let key = attachment.key(network.network_name()?);
        // A version that nobody can parse could be added but neither checked nor deleted.
        self.version(network, Command::Add)?;
        if network.plugins().is_empty() {
            return Err(Error::NoPlugins { network: network.name().to_owned() });
        }
        let _locks = self.lock_attachment(&key)?;
        let entry = attachment.entry(network);
        self.cache.begin(&key, &entry)?;
        match self.add_plugins(network, attachment) {
            Ok(result) => self.record(network, attachment, &key, entry, result),
            Err(error) => Err(self.not_added(&key, error)),
        }
    }

    fn add_plugins(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<AddResult, Error> {
        let mut result = None;
        for plugin in network.plugins() {
            let config = derive::for_attachment(network, plugin, attachment, result.as_ref());
            let answer = self.call(Command::Add, network, plugin.plugin_type(), Some(attachment), &config)?;
            result = Some(read_result(answer, network)?);
        }
        result.ok_or_else(|| Error::NoPlugins { network: network.name().to_owned() })
    }

    /// A failed ADD: the caller hears of it, and so is the one to undo it. Where a plugin was ended in the middle of
    /// its work, the record of what was begun stays, for a GC.
    fn not_added(&self, key: &Key, error: Error) -> Error {
        if !error.was_cut_short() {
            self.notices.usable(self.cache.forget_intent(key));
        }
        error
    }

    fn record(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
        key: &Key,
        entry: Entry,
        result: AddResult,
    ) -> Result<AddResult, Error> {
        let entry = Entry { result: result.to_object(), ..entry };
        let Err(source) = self.cache.write(key, &entry) else { return Ok(result) };
        let undo = self.del_plugins(network, attachment, Some(&result), OnMissingPlugin::Stop).err();
        if undo.is_none() {
            // Nothing is left to record. That it can't be removed either, the first error says well enough.
            let _ = self.cache.remove(key);
        }
        Err(Error::NotRecorded { attachment: attachment.describe(network), source, undo: undo.map(Box::new) })
    }
}

fn read_result(answer: Answer, network: &NetworkConfig) -> Result<AddResult, Error> {
    AddResult::parse_reply(&answer.text(), network.cni_version()).map_err(|source| {
        let Answer { stdout, request } = answer;
        let failure = Failure::InvalidResult { stdout, source };
        Error::Plugin { network: network.name().to_owned(), source: PluginError::new(&request, failure) }
    })
}
