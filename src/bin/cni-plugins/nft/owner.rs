//! Whose an element is, as nf_tables keeps it with the element.

use std::fmt;

use libcni::plugin::AttachmentCall;
use sha2::{Digest, Sha256};

/// An attachment, as the owner of elements in the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The network.
    pub(crate) network: String,
    /// The container.
    pub(crate) container_id: String,
    /// The interface in the container.
    pub(crate) ifname: String,
}

pub(crate) type Hash = [u8; 32];

/// The hash of names, of which none can have a zero in it.
pub(crate) fn hash(names: &[&str]) -> Hash {
    let mut digest = Sha256::new();
    for name in names {
        digest.update(name);
        digest.update([0]);
    }
    digest.finalize().into()
}

/// The type of user data that `nft` prints as a comment.
pub(crate) const COMMENT: u8 = 0;
/// The kernel takes 256 bytes of user data; two of them say type and length, and one ends the text.
const LONGEST_COMMENT: usize = 253;

impl Owner {
    /// An attachment by its names.
    pub(crate) fn new(network: &str, container_id: &str, ifname: &str) -> Self {
        Self { network: network.to_owned(), container_id: container_id.to_owned(), ifname: ifname.to_owned() }
    }

    /// The attachment of a call.
    pub(crate) fn of(call: &AttachmentCall) -> Self {
        Self::new(call.config.name().as_str(), call.container_id.as_str(), call.ifname.as_str())
    }

    /// The names in one line. None of them can have a space in it.
    fn comment(&self) -> String {
        format!("{} {} {}", self.network, self.container_id, self.ifname)
    }

    /// User data for an element; `None` when the names are too long for the kernel.
    pub(crate) fn to_user_data(&self) -> Option<Vec<u8>> {
        let comment = self.comment();
        let length = u8::try_from(comment.len() + 1).ok()?;
        let user_data = [&[COMMENT, length], comment.as_bytes(), &[0]].concat();
        (comment.len() <= LONGEST_COMMENT).then_some(user_data)
    }

    /// The owner that an element's user data names; `None` when it was not written by us.
    pub(crate) fn from_user_data(user_data: &[u8]) -> Option<Self> {
        let [COMMENT, length, rest @ ..] = user_data else { return None };
        let comment = rest.get(..usize::from(*length))?.strip_suffix(&[0])?;
        let mut names = std::str::from_utf8(comment).ok()?.split(' ').map(str::to_owned);
        let owner = Self { network: names.next()?, container_id: names.next()?, ifname: names.next()? };
        names.next().is_none().then_some(owner)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "interface `{}` of container `{}` in network `{}`", self.ifname, self.container_id, self.network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(network: &str) -> Owner {
        Owner::new(network, "c1", "eth0")
    }

    #[test]
    fn an_owner_survives_the_way_through_the_kernel() {
        let user_data = owner("net").to_user_data().unwrap();
        assert_eq!(user_data, b"\0\x0cnet c1 eth0\0");
        assert_eq!(Owner::from_user_data(&user_data), Some(owner("net")));
    }

    #[test]
    fn foreign_user_data_has_no_owner() {
        for foreign in
            [&b""[..], b"\0\x05abc\0", b"\x01\x0cnet c1 eth0\0", b"\0\x0bnet c1 eth0", b"\0\x0ea b c1 eth0\0\0"]
        {
            assert_eq!(Owner::from_user_data(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn names_of_up_to_253_bytes_fit() {
        let rest = " c1 eth0".len();
        assert!(owner(&"n".repeat(253 - rest)).to_user_data().is_some());
        assert!(owner(&"n".repeat(254 - rest)).to_user_data().is_none());
    }
}
