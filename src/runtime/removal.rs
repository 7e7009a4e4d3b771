//! Removed attachments, for a caller that keeps a record of them.

use std::fmt;
use std::sync::Arc;

use super::occupied::Record;
use super::{Attachment, Cni};
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
    /// True if its interface has gone, as far as one can tell. Not where an ADD that failed had made none, nor for
    /// `lo`, which stays.
    pub is_interface_gone: bool,
}

impl Removal {
    /// Describes it: `network`, `containerID`, `ifname`, `recorded` and `interfaceGone`.
    pub fn to_object(&self) -> Object {
        let Key { network, container_id, ifname } = &self.key;
        let mut object = Object::new();
        object.set("network", network);
        object.set("containerID", container_id);
        object.set("ifname", ifname);
        object.set("recorded", &self.was_recorded);
        object.set("interfaceGone", &self.is_interface_gone);
        object
    }
}

/// In a sentence.
impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { network, container_id, ifname } = &self.key;
        let attachment = format!("interface `{ifname}` of container `{container_id}`");
        match (self.was_recorded, self.is_interface_gone) {
            (true, true) => write!(f, "removed {attachment} from network `{network}`"),
            (true, false) => {
                write!(f, "ran DEL for {attachment} on network `{network}`; no interface had to be removed")
            }
            (false, _) => write!(
                f,
                "nothing was on record of {attachment} on network `{network}`; its plugins ran DEL all the same"
            ),
        }
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

/// The state of an attachment before its DEL.
pub(super) struct Before {
    record: Record,
    /// False if its interface was certainly not made.
    may_be_there: bool,
}

impl Cni {
    /// Looks at an attachment before its DEL, where somebody wants to know.
    pub(super) fn before_removal(&self, attachment: &Attachment, record: impl FnOnce() -> Record) -> Option<Before> {
        self.removals.0.as_ref()?;
        let record = record();
        // An ADD that was finished has made it.
        let is_made = matches!(record, Record::Added | Record::Over);
        Some(Before { record, may_be_there: is_made || self.is_in_namespace(attachment) != Some(false) })
    }

    /// Tells of a removal, comparing what is there with what was there before.
    pub(super) fn tell_removed(&self, key: &Key, attachment: &Attachment, before: Option<Before>) {
        let Some((hear, before)) = self.removals.0.as_ref().zip(before) else { return };
        // An interface in the namespace that came after it is another one.
        let is_gone = || before.record == Record::Over || self.is_in_namespace(attachment) != Some(true);
        hear(&Removal {
            key: key.clone(),
            was_recorded: before.record != Record::None,
            is_interface_gone: before.may_be_there && is_gone(),
        });
    }
}
