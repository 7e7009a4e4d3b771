//! ADD: every plugin in order, each with the result of the one before; the last result is cached.

use super::occupied::Record;
use super::{Answer, Attachment, Caution, Cni, OnMissingPlugin, derive};
use crate::cache::{Entry, Key};
use crate::conf::NetworkConfig;
use crate::error::Error;
use crate::invoke::{FindError, PluginError, PluginFailure, is_locked};
use crate::result::AddResult;
use crate::spec::Command;
use crate::waiting::block_on;

impl Cni {
    /// Adds a container to a network and returns the result, which is cached for CHECK, DEL and GC.
    ///
    /// Before any plugin runs, the cache records that the ADD has begun, so that GC finds it even if this process is
    /// killed. The first plugin that fails ends the ADD, and no result is cached. The caller must then run DEL for that
    /// plugin and the earlier ones of the list ([`Error::needs_cleanup`]); until a DEL or a GC has removed it, the ADD
    /// stays on record as begun. If all plugins succeed but the result can't be cached, this function runs DEL, since
    /// nobody else could.
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
    /// See [`Error`]. Names, version, plugins, locks and cache are checked before anything runs, and so is the
    /// interface, which must not belong to another attachment: [`Error::Occupied`].
    #[doc(alias("AddNetworkList", "AddNetwork"))]
    pub fn add(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<AddResult, Error> {
        block_on(self.add_async(network, attachment))
    }

    pub(super) async fn add_async(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<AddResult, Error> {
        self.try_add(network, attachment).await.map_err(|not_added| *not_added.error)
    }

    pub(super) async fn try_add(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
    ) -> Result<AddResult, NotAdded> {
        let key = self.check_addable(network, attachment)?;
        let network = &*self.agreed(network).await?;
        let _locks = self.lock_attachment(&key).await?;
        let record = self.record(&key);
        self.check_free(&key, attachment, record)?;
        let entry = attachment.entry(network);
        self.cache.begin(&key, &entry).map_err(Error::from)?;
        match self.add_plugins(network, attachment).await {
            Ok(result) => Ok(self.keep(network, attachment, &key, entry, result).await?),
            Err(not_added) => Err(self.not_added(&key, record, not_added)),
        }
    }

    /// The state of the network without the cache and the container: whether the network can be added, and nothing is
    /// missing.
    pub(super) fn check_addable(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<Key, Error> {
        let key = attachment.key(network.network_name()?);
        // A network with an invalid version could be added to, but neither checked nor deleted.
        self.version(network, Command::Add)?;
        if network.plugins().is_empty() {
            return Err(Error::NoPlugins { network: network.name().to_owned() });
        }
        let looked_for = if self.caution == Caution::AsGo { &[] } else { network.plugins() };
        for plugin in looked_for {
            self.locate_runnable(network, plugin.plugin_type())?;
        }
        Ok(key)
    }

    fn locate_runnable(&self, network: &NetworkConfig, plugin: &str) -> Result<(), Error> {
        let file = self.locate(Command::Add, network, plugin)?;
        if !is_locked(&file) {
            return Ok(());
        }
        let (network, source) =
            (network.name().to_owned(), FindError::NotExecutable { plugin: plugin.to_owned(), file });
        Err(Error::PluginNotFound { network: Some(network), command: Command::Add, source, needs_cleanup: false })
    }

    async fn add_plugins(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<AddResult, NotAdded> {
        let mut result = None;
        for (before, plugin) in network.plugins().iter().enumerate() {
            let config = derive::for_attachment(network, plugin, attachment, result.as_ref());
            let answer = self.call(Command::Add, network, plugin.plugin_type(), Some(attachment), &config).await;
            let answer = answer.and_then(|answer| read_result(answer, network));
            result = Some(answer.map_err(|error| NotAdded::after(before, error))?);
        }
        result.ok_or_else(|| Error::NoPlugins { network: network.name().to_owned() }.into())
    }

    /// A failed ADD: the caller hears of it, and is the one to undo it. Until that is done, what may be left stays on
    /// record, for a DEL or a GC.
    fn not_added(&self, key: &Key, record: Record, mut not_added: NotAdded) -> NotAdded {
        not_added.started = match record {
            // This ADD may have met the work of an earlier one, which may be in use.
            Record::Added => 0,
            _ if not_added.error.says_nothing_is_left() => 0,
            // The earlier one may have come further.
            Record::Begun | Record::Over if not_added.started > 0 => usize::MAX,
            _ => not_added.started,
        };
        let may_be_left = match record {
            Record::Begun | Record::Over => true,
            Record::None if self.caution == Caution::Full => not_added.started > 0,
            Record::None | Record::Added => not_added.error.was_cut_short(),
        };
        if !may_be_left {
            self.notices.usable(self.cache.forget_intent(key));
        }
        not_added.error.set_needs_cleanup(not_added.started > 0);
        not_added
    }

    async fn keep(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
        key: &Key,
        entry: Entry,
        result: AddResult,
    ) -> Result<AddResult, Error> {
        let entry = Entry { result: result.to_object(), ..entry };
        let Err(source) = self.cache.write(key, &entry) else { return Ok(result) };
        let all = network.plugins();
        let undo = self.del_plugins(network, all, attachment, Some(&result), OnMissingPlugin::Stop).await.err();
        if undo.is_none() {
            // Nothing is left to record. An entry that can't be removed either has the cause of the first error.
            let _ = self.cache.remove(key);
        }
        Err(Error::NotRecorded { attachment: attachment.describe(network), source, undo: undo.map(Box::new) })
    }
}

/// An ADD that failed.
pub(super) struct NotAdded {
    pub(super) error: Box<Error>,
    /// How many plugins of the list, from the first, may have left something that is to be undone.
    pub(super) started: usize,
}

impl NotAdded {
    /// A plugin failed after so many others.
    fn after(before: usize, error: Error) -> Self {
        Self { started: before + usize::from(has_started(&error)), error: Box::new(error) }
    }
}

impl From<Error> for NotAdded {
    fn from(error: Error) -> Self {
        Self { error: Box::new(error), started: 0 }
    }
}

/// Returns true if the plugin that failed was running.
fn has_started(error: &Error) -> bool {
    match error {
        Error::Plugin(source) => !matches!(&source.failure, PluginFailure::Exec { error } if !error.was_started()),
        _ => false,
    }
}

pub(super) fn read_result(answer: Answer, network: &NetworkConfig) -> Result<AddResult, Error> {
    AddResult::parse_reply(&answer.text(), network.cni_version().unwrap_or_default()).map_err(|source| {
        let Answer { stdout, request } = answer;
        let failure = PluginFailure::InvalidResult { stdout, source };
        PluginError::new(&request, failure).in_network(network.name()).into()
    })
}
