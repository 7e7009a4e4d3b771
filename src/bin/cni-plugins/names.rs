//! The names of attachments on the host.

use libcni::plugin::AttachmentCall;

use crate::nft::{Owner, owner};

/// The name of an attachment on the host.
pub(crate) struct Names {
    pub(crate) port: String,
    pub(crate) alias: String,
    pub(crate) owner: Owner,
}

impl Names {
    pub(crate) fn of(call: &AttachmentCall) -> Self {
        let (network, id, ifname) = (call.config.name().as_str(), call.container_id.as_str(), call.ifname.as_str());
        Self {
            port: host_name(network, id, ifname),
            alias: alias(network, id, ifname),
            owner: Owner::new(network, id, ifname),
        }
    }
}

/// The name of the host's end of an attachment: the same every time, so that DEL finds it without namespace and
/// without previous result.
pub(crate) fn host_name(network: &str, container_id: &str, ifname: &str) -> String {
    format!("veth{}", hash(network, container_id, ifname, 5))
}

/// A text that no other attachment has: some bytes of a hash, two digits each.
pub(crate) fn hash(network: &str, container_id: &str, ifname: &str, bytes: usize) -> String {
    let hash = owner::hash(&[network, container_id, ifname]);
    hash.iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

/// A name for a link that is about to get another one: that of the host's end that the attachment could have.
pub(crate) fn temporary_name(host_name: &str) -> String {
    host_name.replacen("veth", "mac", 1)
}

/// The alias of the host's end, with which `ip link` shows its attachment.
pub(crate) fn alias(network: &str, container_id: &str, ifname: &str) -> String {
    let alias = format!("{}{container_id}/{ifname}", alias_prefix(network));
    // The kernel takes 255 bytes, and the last one is the text's end. Names are ASCII.
    alias.chars().take(254).collect()
}

/// The beginning of the aliases of all ports.
pub(crate) const ALIAS: &str = "cni:";

/// The beginning of the aliases of a network's ports.
pub(crate) fn alias_prefix(network: &str) -> String {
    format!("{ALIAS}{network}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_end_has_a_name_that_fits() {
        let name = host_name("net", "c1", "eth0");
        assert!(name.len() <= 15, "{name}");
        assert_ne!(name, host_name("net", "c1", "eth1"));
        assert_eq!(name, host_name("net", "c1", "eth0"));
    }
}
