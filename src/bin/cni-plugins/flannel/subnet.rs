//! The file that flanneld writes: the network, the node's part of it, and what its packets have room for.

use std::path::Path;

use libcni::plugin::{Answer, Failure};
use libcni::spec::{ErrorCode, IpNet};

use crate::text;

/// The content of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subnet {
    /// All networks of containers, of all nodes.
    pub(crate) networks: Vec<IpNet>,
    /// The node's own, one of each family at most.
    pub(crate) subnets: Vec<IpNet>,
    pub(crate) mtu: u32,
    /// True if flanneld masquerades, so that no plugin has to.
    pub(crate) is_masqueraded: bool,
}

impl Subnet {
    pub(crate) fn read(path: &Path) -> Answer<Self> {
        let text = text::read(path).map_err(|error| {
            let msg = format!("flannel: cannot read `subnetFile` {}, which flanneld writes", path.display());
            let reply = libcni::spec::ErrorReply::new(ErrorCode::IO, msg);
            reply.with_details(format!("{error}: look at the log of this node's flannel pod"))
        })?;
        Self::parse(&text).map_err(|what| Failure::internal(format!("flannel: `subnetFile` {} {what}", path.display())))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let value = |key: &str| {
            let mut values = text.lines().filter_map(|line| line.trim().split_once('='));
            values.rfind(|(other, _)| *other == key).map(|(_, value)| value.trim())
        };
        let nets = |key: &str| -> Result<Vec<IpNet>, String> {
            let parse = |net: &str| net.trim().parse::<IpNet>().map_err(|e| format!("has `{key}` {net}: {e}"));
            let mut nets = Vec::new();
            for net in value(key).filter(|list| !list.is_empty()).into_iter().flat_map(|list| list.split(',')) {
                let net = parse(net)?.network();
                if !nets.contains(&net) {
                    nets.push(net);
                }
            }
            Ok(nets)
        };
        let networks = [nets("FLANNEL_NETWORK")?, nets("FLANNEL_IPV6_NETWORK")?].concat();
        let first = |nets: Vec<IpNet>| nets.into_iter().take(1);
        let subnets: Vec<_> = first(nets("FLANNEL_SUBNET")?).chain(first(nets("FLANNEL_IPV6_SUBNET")?)).collect();
        let (mtu, masquerades) = (value("FLANNEL_MTU"), value("FLANNEL_IPMASQ"));
        let missing: Vec<_> = [
            ("FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK", networks.is_empty()),
            ("FLANNEL_SUBNET, FLANNEL_IPV6_SUBNET", subnets.is_empty()),
            ("FLANNEL_MTU", mtu.is_none()),
            ("FLANNEL_IPMASQ", masquerades.is_none()),
        ]
        .into_iter()
        .filter_map(|(keys, is_missing)| is_missing.then_some(keys))
        .collect();
        if !missing.is_empty() {
            return Err(format!("is missing {}", missing.join(", ")));
        }
        let mtu = mtu.unwrap_or_default();
        let mtu = mtu.parse().map_err(|_| format!("has `FLANNEL_MTU` {mtu}, which is not a number"))?;
        Ok(Self { networks, subnets, mtu, is_masqueraded: masquerades == Some("true") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_flanneld_is_read() {
        let text = "FLANNEL_NETWORK=10.1.0.0/16,10.2.0.0/16,10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\n\
                    FLANNEL_IPV6_NETWORK=fd00::/48\nFLANNEL_IPV6_SUBNET=fd00:0:0:1::1/64\nFLANNEL_MTU=1472\n\
                    FLANNEL_IPMASQ=true\nOTHER\n";
        let subnet = Subnet::parse(text).unwrap();
        let texts = |nets: &[IpNet]| nets.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(&subnet.networks), ["10.1.0.0/16", "10.2.0.0/16", "fd00::/48"]);
        assert_eq!(texts(&subnet.subnets), ["10.1.17.0/24", "fd00:0:0:1::/64"]);
        assert_eq!((subnet.mtu, subnet.is_masqueraded), (1472, true));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let error = Subnet::parse("FLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=1472").unwrap_err();
        assert_eq!(error, "is missing FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK, FLANNEL_IPMASQ");
        let wrong = "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=big\nFLANNEL_IPMASQ=true";
        assert_eq!(Subnet::parse(wrong).unwrap_err(), "has `FLANNEL_MTU` big, which is not a number");
        assert!(Subnet::parse("FLANNEL_NETWORK=10.1/16").unwrap_err().starts_with("has `FLANNEL_NETWORK` 10.1/16"));
    }
}
