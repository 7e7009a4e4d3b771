//! GC: DEL for every cached attachment that is no longer valid, then GC to every plugin.

use std::collections::HashSet;
use std::io;

use super::{Attachment, Cni, OnMissingPlugin, derive};
use crate::cache::{CacheError, Entry};
use crate::conf::NetworkConfig;
use crate::error::{Error, Failures};
use crate::netns::State;
use crate::spec::{Command, ContainerId, IfName, NetworkName, ValidAttachment, nearest};
use crate::waiting::block_on;

/// Which attachments of a network a GC leaves alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "GCArgs")]
#[non_exhaustive]
pub enum Keep {
    /// These: every other one is deleted, and plugins get this list.
    Only(Vec<ValidAttachment>),
    /// Those that are finished and whose namespace is not gone ([`State`]), and these. Plugins get the list of both. An
    /// attachment whose namespace this process can't look at, or that has none recorded, is kept. Where a record can't
    /// be read, plugins don't get GC: its attachment may be live.
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

/// The records of a network.
struct Found {
    entries: Vec<Entry>,
    /// Those that may be of live attachments.
    unreadable: Vec<CacheError>,
    /// Those of attachments that were only begun.
    unreadable_begun: Vec<CacheError>,
}

fn live_unknown(network: &NetworkName, source: CacheError) -> Error {
    Error::LiveUnknown { network: network.to_string(), source }
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
    /// Goes on after an error; all of them come back, more than one as [`Error::Several`]. A record that can't be read
    /// is one of them; a file that is no record is passed over.
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
        let (keep, mut errors) = self.del_stale(network, &name, keep).await?;
        // A version that can't be parsed is not 1.1.0.
        if network.version().is_ok_and(|version| version.has_gc()) {
            errors.extend(self.gc_plugins(network, &keep).await);
        }
        Failures::into_result(errors)
    }

    /// Deletes what is not kept, and returns what is kept, with the live attachments named, and the errors.
    ///
    /// # Errors
    /// Which attachments are live is not known, and they are to be kept.
    async fn del_stale(
        &self,
        network: &NetworkConfig,
        name: &NetworkName,
        keep: &Keep,
    ) -> Result<(Keep, Vec<Error>), Error> {
        let wants_live = matches!(keep, Keep::Live(_));
        let Found { entries, unreadable, unreadable_begun } = match self.attachments_to(name) {
            Ok(found) => found,
            Err(source) if wants_live => return Err(live_unknown(name, source)),
            Err(error) => return Ok((keep.clone(), vec![error.into()])),
        };
        let keep = keep.with_live(&entries);
        let mut errors = Vec::new();
        for entry in keep.stale(entries) {
            errors.extend(self.del_entry(network, name, &entry).await.err());
        }
        if wants_live && !unreadable.is_empty() {
            self.pass_over(unreadable_begun);
            errors.extend(unreadable.into_iter().map(|source| live_unknown(name, source)));
            return Failures::into_result(errors).map(|()| (keep, Vec::new()));
        }
        let (unread, other): (Vec<_>, Vec<_>) =
            unreadable.into_iter().chain(unreadable_begun).partition(CacheError::is_unread_record);
        self.pass_over(other);
        errors.extend(unread.into_iter().map(Error::from));
        Ok((keep, errors))
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
        let Found { entries, unreadable, unreadable_begun } = self.attachments_to(&name)?;
        self.pass_over(unreadable.into_iter().chain(unreadable_begun).collect());
        Ok(keep.with_live(&entries).stale(entries))
    }

    /// Refuses what a person can hardly mean: to keep an attachment of which nothing is on record, and whose name is
    /// nearly that of one which would be deleted; or to keep what is live, with a cache directory that does not exist.
    ///
    /// # Errors
    /// [`Error::Misnamed`], [`Error::LiveUnknown`], or the cache can't be read.
    pub fn check_kept(&self, network: &NetworkConfig, keep: &Keep) -> Result<(), Error> {
        let dir = self.cache.dir();
        if matches!(keep, Keep::Live(_)) && !dir.exists() {
            let source = io::ErrorKind::NotFound.into();
            let source = CacheError::Io { doing: "read directory", path: dir.to_owned(), source };
            return Err(live_unknown(&network.network_name()?, source));
        }
        let text = |id: &str, ifname: &str| format!("{id}:{ifname}");
        let named: Vec<_> =
            keep.list().unwrap_or_default().iter().map(|valid| text(&valid.container_id, &valid.ifname)).collect();
        if named.is_empty() {
            return Ok(());
        }
        let recorded = self.attachments_to(&network.network_name()?)?.entries;
        let recorded: Vec<_> = recorded.iter().map(|entry| text(&entry.container_id, &entry.ifname)).collect();
        let others = || recorded.iter().filter(|name| !named.contains(name)).map(String::as_str);
        for name in named.iter().filter(|name| !recorded.contains(name)) {
            if let Some(near) = nearest(name, others()) {
                return Err(Error::Misnamed { name: name.clone(), near: near.to_owned() });
            }
        }
        Ok(())
    }

    /// The attachments to a network: those that are cached, and then those that were only begun.
    fn attachments_to(&self, name: &NetworkName) -> Result<Found, CacheError> {
        let (listing, begun) = (self.cache.attachments_to(name)?, self.cache.unfinished()?);
        let mut entries = listing.entries;
        let finished: HashSet<_> = entries.iter().map(|entry| (&entry.container_id, &entry.ifname)).collect();
        let mut unfinished = begun.entries;
        unfinished.retain(|entry| {
            entry.network == name.as_str() && !finished.contains(&(&entry.container_id, &entry.ifname))
        });
        entries.append(&mut unfinished);
        Ok(Found { entries, unreadable: listing.unreadable, unreadable_begun: begun.unreadable })
    }

    fn pass_over(&self, files: Vec<CacheError>) {
        files.into_iter().for_each(|error| self.notices.unusable_entry(&error.into()));
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
