//! The names of the reference plugins' chains and rules.

use std::collections::HashSet;

use libcni::spec::ValidAttachment;
use sha2::{Digest, Sha512};

use crate::nft::Owner;
use crate::valid::Valid;

/// The chain that all mapped ports are looked up in.
pub(super) const PORTS: &str = "CNI-HOSTPORT-DNAT";
/// The same for what old versions masqueraded.
pub(super) const PORTS_BACK: &str = "CNI-HOSTPORT-SNAT";
/// The chain that what leaves the host is looked up in.
pub(super) const POSTROUTING: &str = "POSTROUTING";

/// The longest name of a chain.
const CHAIN: usize = 28;
const NFT_HASH: usize = 16;

/// A prefix and digits that stand for a text, as long as there is room for.
pub(crate) fn hash(length: usize, prefix: &str, of: &str) -> String {
    let digest = Sha512::digest(of);
    let hex = digest.iter().map(|byte| format!("{byte:02x}"));
    let mut name = prefix.to_owned();
    name.extend(hex);
    name.truncate(length);
    name
}

fn chain(prefix: &str, owner: &Owner) -> String {
    hash(CHAIN, prefix, &format!("{}{}", owner.network, owner.container_id))
}

/// The chain that masquerades for a container of a network.
pub(super) fn masquerade_chain(owner: &Owner) -> String {
    chain("CNI-", owner)
}

/// The chain that translates destinations for a container of a network, and the one in which old versions masqueraded
/// what went there.
pub(super) fn port_chains(owner: &Owner) -> [String; 2] {
    ["CNI-DN-", "CNI-SN-"].map(|prefix| chain(prefix, owner))
}

/// The beginnings of the comments of iptables rules that masquerade, and of those that map ports.
#[derive(Clone, Copy, Debug)]
pub(super) enum Comment {
    Masquerade,
    Ports,
}

impl Comment {
    fn prefix(self) -> &'static str {
        match self {
            Self::Masquerade => "",
            Self::Ports => "dnat ",
        }
    }

    /// The network and the container that a comment is about, if it is one of this kind, and not cut.
    pub(super) fn read(self, comment: &str) -> Option<(&str, &str)> {
        let rest = comment.strip_prefix(self.prefix())?.strip_prefix("name: \"")?;
        rest.strip_suffix('"')?.split_once("\" id: \"")
    }

    /// The container that a comment is about, if it is one of this network.
    pub(super) fn container<'a>(self, network: &str, comment: &'a str) -> Option<&'a str> {
        self.read(comment).filter(|(of, _)| *of == network).map(|(_, container)| container)
    }

    /// Returns true if a comment is about somebody else: a chain's name does not say where the network's name ends.
    pub(super) fn is_of_another(self, owner: &Owner, comment: &str) -> bool {
        self.read(comment).is_some_and(|of| of != (&*owner.network, &*owner.container_id))
    }
}

/// The beginning of the comments of nftables rules that masquerade for a network.
pub(super) fn nft_network(network: &str) -> String {
    format!("{}-", hash(NFT_HASH, "", network))
}

/// The same for an attachment.
pub(super) fn nft_attachment(owner: &Owner) -> String {
    let attachment = format!("{}:{}", owner.ifname, owner.container_id);
    format!("{}{},", nft_network(&owner.network), hash(NFT_HASH, "", &attachment))
}

/// The beginning of the comments of nftables rules that masquerade for attachments that are to be kept.
pub(super) fn nft_attachments(network: &str, valid: &Valid) -> HashSet<String> {
    let owner = |valid: &ValidAttachment| Owner::new(network, &valid.container_id, &valid.ifname);
    valid.iter().map(|valid| nft_attachment(&owner(valid))).collect()
}

/// The part of such a comment that says which network and which attachment it is about.
pub(super) fn attachment_of(comment: &str) -> Option<&str> {
    comment.split_inclusive(',').next()
}

/// The chains that guard a container's port of a bridge.
pub(super) fn antispoof_chains(owner: &Owner) -> [String; 2] {
    let chain = format!("cni-br-iface-{}-{}", owner.container_id, owner.ifname);
    let of_address = format!("{chain}-mac");
    [chain, of_address]
}

#[cfg(test)]
mod tests {
    use super::*;

    // As seen of the plugins 1.1.1 and 1.9.
    #[test]
    fn names_are_those_of_the_reference_plugins() {
        let owner = Owner::new("a", "cnitool-357cc6fe9c6932998a39", "eth0");
        assert_eq!(masquerade_chain(&owner), "CNI-7955eb846146d3bf355adc59");
        assert_eq!(port_chains(&owner), ["CNI-DN-7955eb846146d3bf355ad", "CNI-SN-7955eb846146d3bf355ad"]);
        assert_eq!(nft_attachment(&owner), "1f40fc92da241694-83f416b32964d079,");
        let comment = "1f40fc92da241694-83f416b32964d079, net: a, if: eth0, id: cnitool-357cc6fe9c6932998a39";
        assert_eq!(attachment_of(comment), Some(&*nft_attachment(&owner)));
    }

    #[test]
    fn comments_say_whose_a_rule_is() {
        let owner = Owner::new("a", "bc", "eth0");
        assert_eq!(Comment::Masquerade.container("a", r#"name: "a" id: "bc""#), Some("bc"));
        assert_eq!(Comment::Ports.container("a", r#"dnat name: "a" id: "bc""#), Some("bc"));
        assert_eq!(Comment::Ports.container("ab", r#"dnat name: "a" id: "bc""#), None);
        assert!(Comment::Ports.is_of_another(&owner, r#"dnat name: "ab" id: "c""#));
        assert!(!Comment::Ports.is_of_another(&owner, r#"dnat name: "a" id: "bc""#));
        // Cut, or somebody's own: the name of the chain has to do.
        assert!(!Comment::Ports.is_of_another(&owner, r#"dnat name: "a" id: "b..."#));
    }
}
