//! One range of addresses: what the configuration says of it, checked and completed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libcni::spec::IpNet;
use serde::{Deserialize, Deserializer};

/// A range as it is written in a configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RangeConfig {
    pub(crate) subnet: Option<IpNet>,
    #[serde(deserialize_with = "address")]
    pub(crate) range_start: Option<IpAddr>,
    #[serde(deserialize_with = "address")]
    pub(crate) range_end: Option<IpAddr>,
    #[serde(deserialize_with = "address")]
    pub(crate) gateway: Option<IpAddr>,
}

/// An address; `""` counts as absent, as it does in Go.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IpAddr>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty());
    let parse = |text: String| text.parse().map_err(|e| serde::de::Error::custom(format!("`{text}`: {e}")));
    let address: Option<IpAddr> = text.map(parse).transpose()?;
    Ok(address.map(|address| address.to_canonical()))
}

/// A range or a set of ranges that nothing can be allocated from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidRange {
    #[error("the range set is empty")]
    EmptySet,
    #[error("a range has no `subnet`")]
    NoSubnet,
    #[error("subnet {0} is too small to allocate from")]
    TooSmall(IpNet),
    #[error("subnet {subnet} has host bits set: the network with this prefix is {network}")]
    HostBits { subnet: IpNet, network: IpNet },
    #[error("{key} {address} is not in subnet {subnet}")]
    Outside { key: &'static str, address: IpAddr, subnet: IpNet },
    #[error("rangeStart {first} of subnet {subnet} is after rangeEnd {last}")]
    Reversed { subnet: IpNet, first: IpAddr, last: IpAddr },
    #[error("ranges {} and {} of one set are of different address families", .0[0], .0[1])]
    MixedFamilies(Box<[Range; 2]>),
    #[error("ranges {} and {} overlap", .0[0], .0[1])]
    Overlap(Box<[Range; 2]>),
}

/// Addresses of one subnet from the first to the last, both included, without the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    subnet: IpNet,
    pub(crate) first: IpAddr,
    pub(crate) last: IpAddr,
    pub(crate) gateway: IpAddr,
}

impl Range {
    pub(crate) fn new(config: &RangeConfig) -> Result<Self, InvalidRange> {
        let subnet = config.subnet.ok_or(InvalidRange::NoSubnet)?.to_canonical();
        let (network, broadcast) = bounds(subnet)?;
        // IPv6 has no broadcast address: the last one is as good as any other.
        let last = if subnet.is_ipv4() { step(broadcast, -1) } else { broadcast };
        let first = inside("rangeStart", config.range_start, subnet)?.unwrap_or(step(network, 1));
        let last = inside("rangeEnd", config.range_end, subnet)?.unwrap_or(last);
        if first > last {
            return Err(InvalidRange::Reversed { subnet, first, last });
        }
        // May be outside the subnet: routed networks have such gateways.
        let gateway = config.gateway.unwrap_or(step(network, 1));
        Ok(Self { subnet, first, last, gateway })
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        (self.first..=self.last).contains(&address)
    }

    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    pub(crate) fn is_ipv4(&self) -> bool {
        self.subnet.is_ipv4()
    }

    /// An address of the range with the prefix of its subnet.
    pub(crate) fn with_prefix(&self, address: IpAddr) -> IpNet {
        IpNet::new(address, self.subnet.prefix()).expect("a prefix fits every address of its family")
    }

    /// The gateway with the prefix of its subnet; `None` when it is of the other family.
    pub(crate) fn gateway_in_subnet(&self) -> Option<IpNet> {
        let is_same_family = self.gateway.is_ipv4() == self.is_ipv4();
        IpNet::new(self.gateway, self.subnet.prefix()).filter(|_| is_same_family)
    }

    /// The addresses from `from` to `to`, both included, without the gateway.
    pub(crate) fn addresses(&self, from: IpAddr, to: IpAddr) -> impl Iterator<Item = IpAddr> + use<> {
        let gateway = self.gateway;
        (bits(from)..=bits(to)).map(move |bits| of_family(from, bits)).filter(move |address| *address != gateway)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// The first and the last address of a subnet that is large enough to hold more than these two.
fn bounds(subnet: IpNet) -> Result<(IpAddr, IpAddr), InvalidRange> {
    let width = if subnet.is_ipv4() { 32 } else { 128 };
    if width - subnet.prefix() < 2 {
        return Err(InvalidRange::TooSmall(subnet));
    }
    let network = subnet.network();
    if network != subnet {
        return Err(InvalidRange::HostBits { subnet, network });
    }
    Ok((network.addr(), subnet.last()))
}

fn inside(key: &'static str, address: Option<IpAddr>, subnet: IpNet) -> Result<Option<IpAddr>, InvalidRange> {
    let Some(address) = address else { return Ok(None) };
    let (network, broadcast) = bounds(subnet)?;
    if (network..=broadcast).contains(&address) {
        return Ok(Some(address));
    }
    Err(InvalidRange::Outside { key, address, subnet })
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The address with these bits, of the family of `like`.
fn of_family(like: IpAddr, bits: u128) -> IpAddr {
    match like {
        IpAddr::V4(_) => Ipv4Addr::from_bits(bits as u32).into(),
        IpAddr::V6(_) => Ipv6Addr::from_bits(bits).into(),
    }
}

fn step(address: IpAddr, by: i8) -> IpAddr {
    of_family(address, bits(address).wrapping_add_signed(by.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(json: &str) -> Result<Range, InvalidRange> {
        Range::new(&serde_json::from_str(json).unwrap())
    }

    #[track_caller]
    fn refused(json: &str, message: &str) {
        assert_eq!(range(json).unwrap_err().to_string(), message);
    }

    #[test]
    fn a_range_is_the_subnet_without_network_and_broadcast_address() {
        let v4 = range(r#"{"subnet":"10.1.0.0/16","gateway":""}"#).unwrap();
        assert_eq!((v4.to_string().as_str(), v4.gateway.to_string()), ("10.1.0.1-10.1.255.254", "10.1.0.1".into()));
        let v6 = range(r#"{"subnet":"fd00::/112","gateway":"fe80::1"}"#).unwrap();
        assert_eq!((v6.to_string().as_str(), v6.gateway.to_string()), ("fd00::1-fd00::ffff", "fe80::1".into()));
        let mapped = range(r#"{"subnet":"::ffff:10.1.0.0/112"}"#).unwrap();
        assert_eq!(
            (mapped.to_string().as_str(), mapped.with_prefix(mapped.first).prefix()),
            ("10.1.0.1-10.1.255.254", 16)
        );
        let all = range(r#"{"subnet":"::/0"}"#).unwrap();
        assert_eq!(all.last, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn unusable_ranges_are_refused_with_their_values() {
        refused(r"{}", "a range has no `subnet`");
        refused(r#"{"subnet":"10.0.0.0/31"}"#, "subnet 10.0.0.0/31 is too small to allocate from");
        refused(r#"{"subnet":"fd00::1/128"}"#, "subnet fd00::1/128 is too small to allocate from");
        refused(
            r#"{"subnet":"10.0.0.5/24"}"#,
            "subnet 10.0.0.5/24 has host bits set: the network with this prefix is 10.0.0.0/24",
        );
        refused(
            r#"{"subnet":"10.0.0.0/24","rangeStart":"10.0.1.1"}"#,
            "rangeStart 10.0.1.1 is not in subnet 10.0.0.0/24",
        );
        refused(r#"{"subnet":"10.0.0.0/24","rangeEnd":"fd00::1"}"#, "rangeEnd fd00::1 is not in subnet 10.0.0.0/24");
        refused(
            r#"{"subnet":"10.0.0.0/24","rangeStart":"10.0.0.9","rangeEnd":"10.0.0.5"}"#,
            "rangeStart 10.0.0.9 of subnet 10.0.0.0/24 is after rangeEnd 10.0.0.5",
        );
    }

    #[test]
    fn an_address_that_is_none_is_quoted() {
        let error = serde_json::from_str::<RangeConfig>(r#"{"gateway":"10.0.0.300"}"#).unwrap_err();
        assert!(error.to_string().contains("`10.0.0.300`"), "{error}");
    }
}
