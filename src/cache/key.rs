//! Keys of entries, and the names of their files.

use sha2::{Digest, Sha256};

use super::{Entry, InvalidEntry, intent};
use crate::spec::{ContainerId, IfName, InvalidName, NetworkName, Object};

/// The key of an entry: the attachment that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Key {
    /// The network.
    pub network: NetworkName,
    /// The container.
    pub container_id: ContainerId,
    /// Its interface.
    pub ifname: IfName,
}

/// The longest file name that file systems take, in bytes.
const LONGEST_NAME: usize = 255;
/// The bytes that a hash and its separator add to a name.
const HASHED: usize = 17;

impl Key {
    /// The key of an interface of a container on a network.
    pub fn new(network: NetworkName, container_id: ContainerId, ifname: IfName) -> Self {
        Self { network, container_id, ifname }
    }

    /// The key of an entry.
    ///
    /// # Errors
    /// A name in the entry is not allowed, since any program may have written the entry.
    pub fn of(entry: &Entry) -> Result<Self, InvalidName> {
        Ok(Self {
            network: NetworkName::new(&*entry.network)?,
            container_id: ContainerId::new(&*entry.container_id)?,
            ifname: IfName::new(&*entry.ifname)?,
        })
    }

    /// Returns the JSON form: `network`, `containerID` and `ifname`.
    pub fn to_object(&self) -> Object {
        let mut object = Object::new();
        object.set("network", self.network.as_str());
        object.set("containerID", self.container_id.as_str());
        object.set("ifname", self.ifname.as_str());
        object
    }

    fn claim(&self) -> Claim<'_> {
        Claim { network: self.network.as_str(), container_id: self.container_id.as_str(), ifname: self.ifname.as_str() }
    }

    /// A file name that no other key has.
    pub(super) fn hashed_name(&self) -> String {
        self.claim().hashed_name()
    }

    /// A text that no other key has, short and fit for any file name.
    pub(super) fn hash(&self) -> String {
        self.claim().hash()
    }

    /// Where the entry may be, the usual place first.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = vec![self.claim().go_name(), self.hashed_name()];
        names.retain(|name| name.len() <= LONGEST_NAME);
        names
    }

    /// Returns whether an entry is that of this attachment.
    pub(crate) fn owns(&self, entry: &Entry) -> bool {
        entry.network == self.network.as_str()
            && entry.container_id == self.container_id.as_str()
            && entry.ifname == self.ifname.as_str()
    }
}

/// Says which file names can be those of a container's entries. Names that were cut short can't be judged.
pub(super) fn may_be_of_container(id: &str) -> impl Fn(&str) -> bool {
    let part = format!("-{id}-");
    move |name| {
        let inside = |at: usize| at > 0 && at + part.len() < name.len();
        may_be_cut(name) || name.find(&part).is_some_and(inside)
    }
}

/// Says which file names can be those of the entries of an interface of a container.
pub(super) fn may_be_of_interface(id: &str, ifname: &str) -> impl Fn(&str) -> bool {
    let part = format!("-{id}-{ifname}");
    move |name| {
        // A hash may follow.
        let is_end =
            |(at, _): (usize, &str)| at > 0 && matches!(name.as_bytes().get(at + part.len()), None | Some(b'.'));
        may_be_cut(name) || name.match_indices(&part).any(is_end)
    }
}

/// Says which file names can be those of the entries of a network.
pub(super) fn may_be_of_network(network: &str) -> impl Fn(&str) -> bool {
    let part = format!("{network}-");
    move |name| may_be_cut(name) || name.starts_with(&part)
}

fn may_be_cut(name: &str) -> bool {
    name.len() + HASHED + intent::PREFIX.len() >= LONGEST_NAME
}

/// Whose an entry is, as the entry says it: its names may be none that are allowed.
#[derive(Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) network: &'a str,
    pub(super) container_id: &'a str,
    pub(super) ifname: &'a str,
}

impl Claim<'_> {
    /// Checks that a file name is one of those that its entry can have. Names that are not allowed are left to
    /// whoever uses them.
    pub(super) fn check_place(self, name: &str) -> Result<(), InvalidEntry> {
        let Self { network, container_id, ifname } = self;
        let is_allowed = NetworkName::new(network).is_ok()
            && (container_id.is_empty() || ContainerId::new(container_id).is_ok())
            && IfName::new(ifname).is_ok();
        if !is_allowed || name == self.go_name() || name == self.hashed_name() {
            return Ok(());
        }
        let whose = format!("interface `{ifname}` of container `{container_id}` on network `{network}`");
        Err(InvalidEntry::Misplaced(whose.escape_debug().to_string()))
    }

    /// The file name that the Go libcni uses.
    fn go_name(self) -> String {
        format!("{}-{}-{}", self.network, self.container_id, self.ifname)
    }

    fn hashed_name(self) -> String {
        let mut name = self.go_name();
        let longest = LONGEST_NAME - HASHED - intent::PREFIX.len();
        let mut cuts = (0..=longest).rev().filter(|length| name.is_char_boundary(*length));
        name.truncate(cuts.next().unwrap_or_default());
        format!("{name}.{}", self.hash())
    }

    fn hash(self) -> String {
        let mut digest = Sha256::new();
        for part in [self.network, self.container_id, self.ifname] {
            digest.update(part);
            digest.update([0]);
        }
        let first = digest.finalize()[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        format!("{first:016x}")
    }
}
