//! Finds the owner of an interface, before anything is done for or to it.
//!
//! Plugins find their interface by its name in the namespace, and most of their DELs remove any interface of that name.
//! An interface that was there before an ADD, or belongs to another network, does not belong to this attachment.

use super::{Attachment, Caution, Cni};
use crate::cache::{Cached, Entry, Key};
use crate::error::{Error, Occupied};
use crate::netns::{Identity, Namespace, State, is_own};
use crate::spec::ContainerId;

/// The loopback interface is in every namespace, and every network may set it up.
const LOOPBACK: &str = "lo";

/// The record of an attachment that is about to be added.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Record {
    /// Nothing.
    None,
    /// An ADD to another namespace than the path leads to now.
    Over,
    /// An ADD that was begun and not finished.
    Begun,
    /// An ADD that was finished, or a file that may be its record.
    Added,
}

impl Cni {
    /// The record of an attachment.
    pub(super) fn record(&self, key: &Key) -> Record {
        // A path that leads to nothing, as seen from here, may be no path at all but the name of some other isolation.
        let is_over = |entry: &Entry| entry.netns_state() == Some(State::Replaced);
        match self.cache.read(key) {
            Ok(Some(Cached::Entry(entry))) if is_over(&entry) => Record::Over,
            Ok(Some(_)) | Err(_) => Record::Added,
            Ok(None) => match self.cache.read_intent(key) {
                Ok(Some(entry)) if is_over(&entry) => Record::Over,
                Ok(Some(_)) | Err(_) => Record::Begun,
                Ok(None) => Record::None,
            },
        }
    }

    /// Refuses an ADD whose interface is somebody else's: of another network or container as the cache says, or in the
    /// namespace already.
    pub(super) fn check_free(&self, key: &Key, attachment: &Attachment, record: Record) -> Result<(), Error> {
        if attachment.ifname.as_str() == LOOPBACK || self.caution == Caution::AsGo {
            return Ok(());
        }
        let is_there = self.is_in_namespace(attachment);
        // Where the interface is not there, it can be on record for this container only.
        let container = (is_there == Some(false)).then_some(&key.container_id);
        let others = self.others(key, container)?;
        match self.owner(others, key, attachment) {
            Some(entry) => Err(occupied(key, attachment, Some(entry))),
            None if is_there == Some(true) && matches!(record, Record::None | Record::Over) => {
                Err(occupied(key, attachment, None))
            }
            None => Ok(()),
        }
    }

    /// The attachment that an interface belongs to, where nothing is on record of this one.
    pub(super) fn owner_of(&self, key: &Key, attachment: &Attachment) -> Option<Entry> {
        let is_there = || self.is_in_namespace(attachment) != Some(false);
        let is_exempt = attachment.ifname.as_str() == LOOPBACK || self.caution == Caution::AsGo;
        if attachment.netns.is_none() || is_exempt || !is_there() {
            return None;
        }
        let others = self.others(key, None).ok()?;
        self.owner(others, key, attachment)
    }

    /// Which of the entries has the interface. Not that of a verb which this one is a part of: a plugin may hand a
    /// network's work on to another network.
    fn owner(&self, entries: Vec<Entry>, key: &Key, attachment: &Attachment) -> Option<Entry> {
        let mut owners = entries.into_iter().filter(|entry| is_same_interface(entry, attachment)).peekable();
        owners.peek()?;
        let outer = self.outer(&key.container_id);
        owners.find(|entry| {
            let is_its = |(network, ifname): &(String, String)| *network == entry.network && *ifname == entry.ifname;
            entry.container_id != key.container_id.as_str() || !outer.iter().any(is_its)
        })
    }

    /// The entries of other attachments in the cache, of all containers or of one, finished or not.
    fn others(&self, key: &Key, container: Option<&ContainerId>) -> Result<Vec<Entry>, Error> {
        let mut found = self.cache.attachments(container)?.entries;
        found.extend(self.cache.unfinished()?.entries);
        found.retain(|entry| !key.owns(entry));
        Ok(found)
    }

    /// Returns true if an interface of the attachment's name is in its namespace; `None` where that can't be told: the
    /// path leads to no network namespace, or to one that this process may not enter. In that of the host, which
    /// plugins refuse, no interface is a container's.
    pub(super) fn is_in_namespace(&self, attachment: &Attachment) -> Option<bool> {
        let netns = attachment.netns.as_deref().filter(|netns| !is_own(netns) || self.allows_own_netns());
        let Some(netns) = netns else { return Some(false) };
        let found = Namespace::open(netns);
        match found.and_then(|namespace| namespace.has_interface(attachment.ifname.as_str())) {
            Ok(is_there) => Some(is_there),
            Err(error) => error.is_missing().then_some(false),
        }
    }
}

/// Returns true if an entry is of the interface that an attachment names: of its namespace, by whichever path, or of
/// its container or path, and alive as far as one can tell.
fn is_same_interface(entry: &Entry, attachment: &Attachment) -> bool {
    let is_same_namespace = || {
        let (was, is) = (entry.netns_identity.as_ref(), attachment.netns.as_ref().and_then(Identity::of));
        was.zip(is).is_some_and(|(was, is)| was.may_be(&is))
    };
    let is_same_path = || entry.netns.is_some() && entry.netns == attachment.netns;
    let is_over = || entry.netns_state().is_some_and(State::is_over);
    let is_same_container = entry.container_id == attachment.container_id.as_str();
    entry.ifname == attachment.ifname.as_str()
        && (is_same_namespace() || (is_same_container || is_same_path()) && !is_over())
}

fn occupied(key: &Key, attachment: &Attachment, by: Option<Entry>) -> Error {
    let occupied = Occupied {
        network: key.network.to_string(),
        ifname: attachment.ifname.to_string(),
        container_id: attachment.container_id.to_string(),
        netns: attachment.netns.clone(),
        by,
    };
    Box::new(occupied).into()
}
