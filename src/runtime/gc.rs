//! GC: DEL for every cached attachment that is no longer valid, then GC to every plugin.

use std::collections::HashSet;

use super::{Attachment, Cni, OnMissingPlugin, derive};
use crate::cache::Entry;
use crate::conf::NetworkConfig;
use crate::error::{Error, Failures};
use crate::netns::State;
use crate::spec::{Command, ContainerId, IfName, NetworkName, ValidAttachment};
use crate::waiting::block_on;

/// Which attachments of a network a GC leaves alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "GCArgs")]
#[non_exhaustive]
pub enum Keep {
    /// These: every other one is deleted, and plugins get this list.
    Only(Vec<ValidAttachment>),
    /// Those that are finished and whose namespace is not gone ([`State`]), and these. Plugins get the list of both. An
    /// attachment whose namespace this process can't look at, or that has none recorded, is kept.
    Live(Vec<ValidAttachment>),
    /// None: every cached attachment is deleted, including those of other runtimes that share the cache. Plugins get no
    /// list.
    Nothing,
}

impl Keep {
    /// Keeps the given interfaces.
    pub fn only<'a>(attachments: impl IntoIterator<Item = (&'a ContainerId, &'a IfName)>) -> Self {
        Self::Only(attachments.into_iter().map(|(id, ifname)| ValidAttachment::new(id, ifname)).collect())
    }

    fn list(&self) -> Option<&[ValidAttachment]> {
        match self {
            Self::Only(valid) | Self::Live(valid) => Some(valid),
            Self::Nothing => None,
        }
    }

    /// The same, with the live attachments named, since they may change as soon as the network is not locked.
    fn with_live(&self, found: &[Entry]) -> Self {
        let Self::Live(named) = self else { return self.clone() };
        let live = found.iter().filter(|entry| is_live(entry));
        let valid =
            |entry: &Entry| ValidAttachment { container_id: entry.container_id.clone(), ifname: entry.ifname.clone() };
        Self::Only(named.iter().cloned().chain(live.map(valid)).collect())
    }

    /// Those that are not kept.
    fn stale(&self, mut found: Vec<Entry>) -> Vec<Entry> {
        let kept = self.list().unwrap_or_default();
        let kept: HashSet<_> = kept.iter().map(|valid| (&valid.container_id, &valid.ifname)).collect();
        found.retain(|entry| !kept.contains(&(&entry.container_id, &entry.ifname)));
        found
    }
}

/// Returns true if an attachment may still be in use. One that was only begun has no result.
fn is_live(entry: &Entry) -> bool {
    !entry.result.is_empty() && !entry.netns_state().is_some_and(State::is_over)
}

impl Cni {
    /// Removes what belongs to no valid attachment of a network. A network with `disableGC` is left alone.
    ///
    /// Runs DEL for every attachment of this network that is not kept, with the parameters of its ADD: for cached ones,
    /// and for those that a process began before it died. From version 1.1.0 on, it then runs GC for every plugin. It
    /// waits until no ADD, DEL or CHECK runs in the network.
    ///
    /// ```no_run
    /// # use libcni::{Attachment, Cni, Error, conf::NetworkConfig};
    /// # fn example(cni: &Cni, network: &NetworkConfig, running: &[Attachment]) -> Result<(), Error> {
    /// use libcni::runtime::Keep;
    ///
    /// cni.gc(network, &Keep::only(running.iter().map(|one| (&one.container_id, &one.ifname))))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Goes on after an error; all of them come back, more than one as [`Error::Several`].
    #[doc(alias = "GCNetworkList")]
    pub fn gc(&self, network: &NetworkConfig, keep: &Keep) -> Result<(), Error> {
        block_on(self.gc_async(network, keep))
    }

    pub(super) async fn gc_async(&self, network: &NetworkConfig, keep: &Keep) -> Result<(), Error> {
        let name = network.network_name()?;
        if network.disables_gc() {
            return Ok(());
        }
        let network = &*self.agreed(network).await?;
        let _locks = self.lock_network(&name).await?;
        let (keep, mut errors) = match self.attachments_to(&name) {
            Ok(found) => {
                let keep = keep.with_live(&found);
                let mut errors = Vec::new();
                for entry in keep.stale(found) {
                    errors.extend(self.del_entry(network, &name, &entry).await.err());
                }
                (keep, errors)
            }
            // The live attachments are not known then, so plugins can't get a list of them.
            Err(error) if matches!(keep, Keep::Live(_)) => return Err(error),
            Err(error) => (keep.clone(), vec![error]),
        };
        // A version that can't be parsed is not 1.1.0.
        if network.version().is_ok_and(|version| version.has_gc()) {
            errors.extend(self.gc_plugins(network, &keep).await);
        }
        Failures::into_result(errors)
    }

    /// Returns the entries that [`Cni::gc`] would delete: the attachments of a network that are not kept, finished or
    /// not.
    ///
    /// # Errors
    /// The network's name is not allowed, or the cache can't be read.
    pub fn stale(&self, network: &NetworkConfig, keep: &Keep) -> Result<Vec<Entry>, Error> {
        let name = network.network_name()?;
        if network.disables_gc() {
            return Ok(Vec::new());
        }
        let found = self.attachments_to(&name)?;
        Ok(keep.with_live(&found).stale(found))
    }

    /// The attachments to a network: those that are cached, and then those that were only begun.
    fn attachments_to(&self, name: &NetworkName) -> Result<Vec<Entry>, Error> {
        let (listing, begun) = (self.cache.attachments_to(name)?, self.cache.unfinished()?);
        for error in listing.unreadable.into_iter().chain(begun.unreadable) {
            self.notices.unusable_entry(&error.into());
        }
        let mut found = listing.entries;
        let finished: HashSet<_> = found.iter().map(|entry| (&entry.container_id, &entry.ifname)).collect();
        let mut begun = begun.entries;
        begun.retain(|entry| {
            entry.network == name.as_str() && !finished.contains(&(&entry.container_id, &entry.ifname))
        });
        found.append(&mut begun);
        Ok(found)
    }

    async fn del_entry(&self, network: &NetworkConfig, name: &NetworkName, entry: &Entry) -> Result<(), Error> {
        let attachment = Attachment::from_entry(entry)?;
        let key = attachment.key(name.clone());
        let _locks = self.lock_container(&key).await?;
        self.del_locked(network, &attachment, &key, OnMissingPlugin::Stop).await.map(drop)
    }

    async fn gc_plugins(&self, network: &NetworkConfig, keep: &Keep) -> Vec<Error> {
        let mut errors = Vec::new();
        for plugin in network.plugins() {
            let config = derive::for_gc(network, plugin, keep.list());
            errors.extend(self.call(Command::Gc, network, plugin.plugin_type(), None, &config).await.err());
        }
        errors
    }
}
