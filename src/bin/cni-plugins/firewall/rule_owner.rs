//! Whose a rule is, as nf_tables keeps it with the rule.

use std::collections::HashSet;

use crate::nft::Owner;
use crate::nft::owner::{COMMENT, Hash, hash};
use crate::valid::Valid;

/// Types of user data that nobody prints. Programs pass it over, so that they take the rule for one of theirs.
const NAMED: u8 = 0x80;
const HASHED: u8 = 0x81;

/// The attachment that a rule is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RuleOwner {
    /// By its names.
    Named(Owner),
    /// By hashes of its names, which are too long for the kernel.
    Hashed { network: Hash, attachment: Hash },
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Hash> {
    let digits = text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    digits.collect::<Option<Vec<_>>>()?.try_into().ok()
}

impl RuleOwner {
    pub(crate) fn of(owner: &Owner) -> Self {
        if owner.to_user_data().is_some() { Self::Named(owner.clone()) } else { Self::hashed(owner) }
    }

    fn hashed(Owner { network, container_id, ifname }: &Owner) -> Self {
        Self::Hashed { network: hash(&[network]), attachment: hash(&[network, container_id, ifname]) }
    }

    /// Returns true if this is an attachment, by its names or by hashes of them.
    pub(crate) fn is(&self, owner: &Owner) -> bool {
        match self {
            Self::Named(named) => named == owner,
            Self::Hashed { .. } => *self == Self::hashed(owner),
        }
    }

    /// A comment for a rule of iptables, of characters that its programs print as they are.
    pub(crate) fn to_text(&self) -> String {
        let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\".contains(&byte));
        match self {
            Self::Named(owner) if !is_plain(&owner.ifname) => Self::hashed(owner).to_text(),
            Self::Named(Owner { network, container_id, ifname }) => format!("{network} {container_id} {ifname}"),
            Self::Hashed { network, attachment } => format!("{} {}", hex(network), hex(attachment)),
        }
    }

    /// The owner that a comment names; `None` if another program wrote it.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        match &text.split(' ').collect::<Vec<_>>()[..] {
            [network, container_id, ifname] => Some(Self::Named(Owner::new(network, container_id, ifname))),
            [network, attachment] => {
                Some(Self::Hashed { network: from_hex(network)?, attachment: from_hex(attachment)? })
            }
            _ => None,
        }
    }

    /// User data for a rule.
    pub(crate) fn to_user_data(&self) -> Vec<u8> {
        match self {
            Self::Named(owner) => {
                let mut data = owner.to_user_data().unwrap_or_default();
                data.first_mut().into_iter().for_each(|kind| *kind = NAMED);
                data
            }
            Self::Hashed { network, attachment } => {
                const LENGTH: u8 = 64;
                [&[HASHED, LENGTH], &network[..], &attachment[..]].concat()
            }
        }
    }

    /// The owner that a rule's user data names; `None` if another program wrote it.
    pub(crate) fn from_user_data(data: &[u8]) -> Option<Self> {
        match data {
            [NAMED, rest @ ..] => Owner::from_user_data(&[&[COMMENT], rest].concat()).map(Self::Named),
            [HASHED, _, rest @ ..] => {
                let (network, attachment) = rest.split_at_checked(size_of::<Hash>())?;
                Some(Self::Hashed { network: network.try_into().ok()?, attachment: attachment.try_into().ok()? })
            }
            _ => None,
        }
    }
}

/// The attachments of a network that are to be kept.
pub(crate) struct Kept<'a> {
    network: &'a str,
    network_hash: Hash,
    valid: &'a Valid,
    hashes: HashSet<Hash>,
}

impl<'a> Kept<'a> {
    pub(crate) fn new(network: &'a str, valid: &'a Valid) -> Self {
        let hashes = valid.iter().map(|valid| hash(&[network, &valid.container_id, &valid.ifname])).collect();
        Self { network, network_hash: hash(&[network]), valid, hashes }
    }

    /// Returns true if an attachment is one of the network, and is not to be kept.
    pub(crate) fn lacks(&self, owner: &RuleOwner) -> bool {
        match owner {
            RuleOwner::Named(owner) => {
                owner.network == self.network && !self.valid.has(&owner.container_id, &owner.ifname)
            }
            RuleOwner::Hashed { network, attachment } => {
                *network == self.network_hash && !self.hashes.contains(attachment)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use libcni::spec::ValidAttachment;

    use super::*;

    fn owner(id: &str) -> RuleOwner {
        RuleOwner::of(&Owner::new("net", id, "eth0"))
    }

    #[test]
    fn an_owner_survives_the_way_through_the_kernel_however_long_its_names_are() {
        for length in [1, 240, 250, 300] {
            let owner = owner(&"c".repeat(length));
            let data = owner.to_user_data();
            assert!(data.len() <= 256, "{length}");
            assert_eq!(RuleOwner::from_user_data(&data), Some(owner.clone()));
            assert_eq!(matches!(owner, RuleOwner::Named(_)), length < 250);
        }
        assert_ne!(owner(&"c".repeat(250)), owner(&"c".repeat(251)));
        for foreign in [&b""[..], b"\0\x0cnet c1 eth0\0", b"\x81\x40short"] {
            assert_eq!(RuleOwner::from_user_data(foreign), None);
        }
    }

    #[test]
    fn an_owner_survives_the_way_through_a_comment() {
        for (id, ifname) in [("c1", "eth0"), (&"c".repeat(300), "eth0"), ("c1", "e\"h'0\\"), ("c1", "\u{e9}")] {
            let owner = Owner::new("net", id, ifname);
            let text = RuleOwner::of(&owner).to_text();
            assert!(text.len() < 256 && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{text}");
            let read = RuleOwner::from_text(&text).unwrap();
            assert!(read.is(&owner) && !read.is(&Owner::new("net", id, "eth1")), "{text}");
        }
        for foreign in ["", "two words", "CNI firewall plugin rules"] {
            assert_eq!(RuleOwner::from_text(foreign), None);
        }
    }

    #[test]
    fn what_is_not_to_be_kept_is_found_however_long_its_names_are() {
        let ids = ["a", "b"].map(|last| "c".repeat(250) + last);
        let valid = [&ids[0][..], "c1"].map(|id| ValidAttachment::new(&id.parse().unwrap(), &"eth0".parse().unwrap()));
        let valid = Valid::new(valid.to_vec());
        let kept = Kept::new("net", &valid);
        assert!(!kept.lacks(&owner(&ids[0])) && !kept.lacks(&owner("c1")));
        assert!(kept.lacks(&owner(&ids[1])) && kept.lacks(&owner("c2")));
        let other = Kept::new("other", &valid);
        assert!(!other.lacks(&owner(&ids[1])) && !other.lacks(&owner("c2")));
    }
}
