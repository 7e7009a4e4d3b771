//! IPv4 and IPv6: where their headers hold what, and networks as bytes.

use std::net::IpAddr;

use libcni::spec::IpNet;

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// The family of an address.
    pub(crate) fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// Its number in netfilter.
    pub(crate) fn nfproto(self) -> u8 {
        match self {
            Self::V4 => 2,
            Self::V6 => 10,
        }
    }

    /// The length of an address in bytes.
    pub(crate) fn address_length(self) -> u32 {
        match self {
            Self::V4 => 4,
            Self::V6 => 16,
        }
    }

    /// Where the header has the source address.
    pub(crate) fn source_offset(self) -> u32 {
        match self {
            Self::V4 => 12,
            Self::V6 => 8,
        }
    }

    /// Where the header has the destination address.
    pub(crate) fn destination_offset(self) -> u32 {
        self.source_offset() + self.address_length()
    }

    /// The prefix of all multicast addresses.
    pub(crate) fn multicast(self) -> IpNet {
        let (address, prefix): (IpAddr, u8) = match self {
            Self::V4 => ([224, 0, 0, 0].into(), 4),
            Self::V6 => ([0xff00, 0, 0, 0, 0, 0, 0, 0].into(), 8),
        };
        IpNet::new(address, prefix).expect("the prefix fits the family")
    }

    /// The addresses by which a host reaches itself.
    pub(crate) fn loopback(self) -> IpNet {
        let (address, prefix): (IpAddr, u8) = match self {
            Self::V4 => ([127, 0, 0, 0].into(), 8),
            Self::V6 => ([0, 0, 0, 0, 0, 0, 0, 1].into(), 128),
        };
        IpNet::new(address, prefix).expect("the prefix fits the family")
    }

    /// The address that stands for any.
    pub(crate) fn unspecified(self) -> IpAddr {
        match self {
            Self::V4 => [0; 4].into(),
            Self::V6 => [0; 16].into(),
        }
    }
}

/// An address in network byte order.
pub(crate) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The address of octets; `None` when they are neither 4 nor 16.
pub(crate) fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}

/// The mask of a prefix, as long as an address.
pub(crate) fn mask(net: IpNet) -> Vec<u8> {
    let bits = |byte: usize| usize::from(net.prefix()).saturating_sub(byte * 8).min(8);
    (0..octets(net.addr()).len()).map(|byte| (0xff00_u16 >> bits(byte)) as u8).collect()
}

/// The first address of a network: the address without its host bits.
pub(crate) fn network(net: IpNet) -> IpNet {
    let masked: Vec<u8> = octets(net.addr()).iter().zip(mask(net)).map(|(byte, mask)| byte & mask).collect();
    let address = match net.addr() {
        IpAddr::V4(_) => <[u8; 4]>::try_from(masked).map(IpAddr::from),
        IpAddr::V6(_) => <[u8; 16]>::try_from(masked).map(IpAddr::from),
    };
    let address = address.expect("a masked address is as long as the address");
    IpNet::new(address, net.prefix()).expect("the prefix fitted before")
}

/// An address or a network as part of a chain's name: nft wants no colons there.
pub(crate) fn in_name(address: impl ToString) -> String {
    address.to_string().replace(':', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_bits_are_cut_at_any_prefix() {
        for (address, expected) in [
            ("10.22.3.4/16", "10.22.0.0/16"),
            ("10.22.3.4/32", "10.22.3.4/32"),
            ("10.22.3.4/0", "0.0.0.0/0"),
            ("10.22.3.255/25", "10.22.3.128/25"),
            ("fd00:1:2:3::4/60", "fd00:1:2::/60"),
        ] {
            assert_eq!(network(address.parse().unwrap()).to_string(), expected);
        }
    }

    #[test]
    fn names_of_networks_have_no_colon() {
        assert_eq!(in_name("fd00::/64".parse::<IpNet>().unwrap()), "fd00--/64");
    }
}
