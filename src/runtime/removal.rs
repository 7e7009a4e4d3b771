//! Removed attachments, for a caller that keeps a record of them.

use std::fmt;
use std::sync::Arc;

use super::Cni;
use crate::cache::Key;
use crate::spec::Object;

/// An attachment that DEL has removed: in [`Cni::del`], in a GC, or in the rollback of an ADD that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removal {
    /// Network, container and interface.
    pub key: Key,
    /// True if it was on record, or if its ADD had begun. If it was not, plugins were run all the same, and may have
    /// found nothing.
    pub was_recorded: bool,
}

impl Removal {
    /// Describes it: `network`, `containerID`, `ifname` and `recorded`.
    pub fn to_object(&self) -> Object {
        let Key { network, container_id, ifname } = &self.key;
        let mut object = Object::new();
        object.set("network", network);
        object.set("containerID", container_id);
        object.set("ifname", ifname);
        object.set("recorded", &self.was_recorded);
        object
    }
}

/// In a sentence.
impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { network, container_id, ifname } = &self.key;
        if self.was_recorded {
            return write!(f, "removed interface `{ifname}` of container `{container_id}` from network `{network}`");
        }
        write!(
            f,
            "nothing was on record of interface `{ifname}` of container `{container_id}` on network `{network}`; its \
             plugins ran DEL all the same"
        )
    }
}

/// Who hears of removals, if anybody does.
#[derive(Clone, Default)]
pub(super) struct Removals(Option<Arc<Hear>>);

type Hear = dyn Fn(&Removal) + Send + Sync;

impl Removals {
    pub(super) fn new(hear: impl Fn(&Removal) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hear)))
    }
}

impl fmt::Debug for Removals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Removals")
    }
}

impl Cni {
    /// Returns whether somebody wants to know.
    pub(super) fn hears_removals(&self) -> bool {
        self.removals.0.is_some()
    }

    pub(super) fn tell_removed(&self, key: &Key, was_recorded: bool) {
        if let Some(hear) = &self.removals.0 {
            hear(&Removal { key: key.clone(), was_recorded });
        }
    }
}
