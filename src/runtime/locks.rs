//! The locks that a verb takes: on its container, and on the network in which it changes something.

use super::{Cni, Notice};
use crate::cache::Key;
use crate::error::Error;
use crate::lock::{FileLocks, Guard, LockError, Mode, Purpose, Resource, Wanted};
use crate::spec::{ContainerId, NetworkName};
use crate::waiting;

/// Locks that are held; dropping them gives them back, the one taken last first.
pub(super) struct Locks {
    _container: Option<Guard>,
    _network: Option<Guard>,
}

impl Cni {
    /// Locks an attachment for ADD or CHECK: no other operation on its container, and no GC of its network.
    pub(super) async fn lock_attachment(&self, key: &Key) -> Result<Locks, Error> {
        let network = self.lock(Wanted::new(Resource::Network(&key.network), Mode::Shared)).await?;
        let container = self.lock(container(key)).await?;
        Ok(Locks { _container: Some(container), _network: Some(network) })
    }

    /// Locks an attachment for DEL, which must work on a disk that is full or read-only, and continues there without a
    /// lock.
    pub(super) async fn lock_for_removal(&self, key: &Key) -> Result<Locks, Error> {
        let _network = self.lock_where_possible(Wanted::new(Resource::Network(&key.network), Mode::Shared)).await?;
        let _container = self.lock_where_possible(container(key)).await?;
        Ok(Locks { _container, _network })
    }

    /// Locks an attachment to a network that is locked already.
    pub(super) async fn lock_container(&self, key: &Key) -> Result<Locks, Error> {
        let _container = self.lock_where_possible(container(key)).await?;
        Ok(Locks { _container, _network: None })
    }

    /// Locks a network for GC: no ADD, DEL or CHECK in it.
    pub(super) async fn lock_network(&self, name: &NetworkName) -> Result<Locks, Error> {
        let _network = self.lock_where_possible(Wanted::new(Resource::Network(name), Mode::Exclusive)).await?;
        Ok(Locks { _container: None, _network })
    }

    async fn lock_where_possible(&self, wanted: Wanted<'_>) -> Result<Option<Guard>, Error> {
        match self.lock(wanted).await {
            Err(error @ (LockError::Io { .. } | LockError::Dir { .. })) => {
                self.notices.tell(&Notice::Unlocked { error: &error.into() });
                Ok(None)
            }
            locked => Ok(Some(locked?)),
        }
    }

    async fn lock(&self, wanted: Wanted<'_>) -> Result<Guard, LockError> {
        let wanted = self.limits.cancel.as_ref().map_or(wanted, |token| wanted.cancel(token));
        match &self.locking {
            Some(locking) if waiting::is_by_thread() => locking.lock(&wanted),
            Some(locking) => locking.lock_async(&wanted).await,
            None => self.file_locks().take(&wanted).await,
        }
    }

    fn file_locks(&self) -> FileLocks {
        FileLocks::new(self.cache.dir()).patience(self.lock_timeout)
    }

    /// The attachments of a container that verbs which this process was started by are at work on: each by its network
    /// and interface.
    pub(super) fn outer(&self, id: &ContainerId) -> Vec<(String, String)> {
        if self.locking.is_some() { Vec::new() } else { self.file_locks().outer(id) }
    }
}

/// The lock of a container, for one of its attachments.
fn container(key: &Key) -> Wanted<'_> {
    let purpose = Purpose { network: &key.network, ifname: &key.ifname };
    Wanted::new(Resource::Container(&key.container_id), Mode::Exclusive).purpose(purpose)
}
