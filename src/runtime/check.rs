//! CHECK: every plugin in order, with the cached result of ADD.

use super::{Attachment, Caution, Changes, Cni, Notice, Plan, derive};
use crate::cache::{Cached, Key};
use crate::conf::NetworkConfig;
use crate::error::Error;
use crate::netns::State;
use crate::result::AddResult;
use crate::spec::{Command, Version};
use crate::waiting::block_on;

impl Cni {
    /// Checks that an attachment is as ADD left it. A network with `disableCheck` is always fine.
    ///
    /// ```no_run
    /// # use libcni::{Attachment, Cni, Error, conf::NetworkConfig};
    /// # fn example(cni: &Cni, network: &NetworkConfig, attachment: &Attachment) -> Result<(), Error> {
    /// if cni.check(network, attachment).is_err() {
    ///     // What is broken is not repaired, but made anew.
    ///     cni.del(network, attachment)?;
    ///     cni.add(network, attachment)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A plugin found a difference; the first one ends the call. Or the attachment is not on record
    /// ([`Error::NotCached`]), the network's version is older than 0.4.0, or the cached result can't be used; see
    /// [`Error`].
    #[doc(alias("CheckNetworkList", "CheckNetwork"))]
    pub fn check(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<(), Error> {
        block_on(self.check_async(network, attachment))
    }

    pub(super) async fn check_async(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<(), Error> {
        let key = attachment.key(network.network_name()?);
        let network = &*self.agreed(network).await?;
        let Some(version) = self.checked_version(network)? else { return Ok(()) };
        let _locks = self.lock_attachment(&key).await?;
        if self.pending_update(&key).is_some() {
            return Err(Error::UpdateUnfinished { attachment: attachment.describe(network) });
        }
        let previous = self.result_to_check(network, attachment, &key, &version)?;
        for plugin in network.plugins() {
            let config = derive::for_attachment(network, plugin, attachment, previous.as_ref());
            self.call(Command::Check, network, plugin.plugin_type(), Some(attachment), &config).await?;
        }
        Ok(())
    }

    /// The version of a network that has CHECK; none where the network disables it.
    pub(super) fn checked_version(&self, network: &NetworkConfig) -> Result<Option<Version>, Error> {
        let version = self.version(network, Command::Check)?;
        if !version.has_check() {
            return Err(Error::CheckUnsupported { network: network.name().to_owned(), version: version.to_string() });
        }
        Ok((!network.disables_check()).then_some(version))
    }

    /// Returns the result of ADD, with which CHECK compares. `None` if the plugins are to find out that there is none.
    pub(super) fn result_to_check(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
        key: &Key,
        version: &Version,
    ) -> Result<Option<AddResult>, Error> {
        match self.cache.read(key)? {
            Some(cached) => {
                self.check_netns(network, attachment, &cached)?;
                self.tell_of_change(network, &cached);
                self.cached_result(network, attachment, &cached, version).map(Some)
            }
            None if self.caution == Caution::AsGo => Ok(None),
            None => Err(self.not_cached(key)),
        }
    }

    /// Refuses a namespace that is certainly another one than at ADD, where plugins would find no interface.
    fn check_netns(&self, network: &NetworkConfig, attachment: &Attachment, cached: &Cached) -> Result<(), Error> {
        let (Cached::Entry(entry), Some(given)) = (cached, attachment.netns.as_ref()) else { return Ok(()) };
        let is_other = entry.netns_identity.is_some()
            && State::of(given, entry.netns_identity.as_ref()) == State::Replaced
            && self.caution == Caution::Full;
        if !is_other {
            return Ok(());
        }
        let recorded = entry.netns.clone().unwrap_or_default();
        Err(Error::OtherNetns { attachment: attachment.describe(network), recorded, given: given.clone() })
    }

    /// Plugins of today check what those of then did: a difference that they find may be that of the configuration.
    fn tell_of_change(&self, network: &NetworkConfig, cached: &Cached) {
        let Cached::Entry(entry) = cached else { return };
        if self.caution == Caution::AsGo || entry.config.is_empty() {
            return;
        }
        let plan = Plan::new(network, entry, &Changes::new());
        if let Some(plan) = plan.ok().filter(Plan::changes_plugins) {
            self.notices.tell(&Notice::ConfigurationChanged { network: network.name(), plan: &plan });
        }
    }

    /// The cached result in the network's version.
    pub(super) fn cached_result(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
        cached: &Cached,
        version: &Version,
    ) -> Result<AddResult, Error> {
        let describe = || attachment.describe(network);
        cached
            .result()
            .map_err(|source| Error::InvalidCachedResult { attachment: describe(), source })?
            .to_version(version)
            .map_err(|source| Error::UnusableCachedResult { attachment: describe(), source })
    }
}
