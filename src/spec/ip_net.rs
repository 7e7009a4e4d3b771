//! Addresses and networks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An address with the length of its network's prefix, such as `10.1.0.5/16`. Host bits are kept.
///
/// ```
/// use libcni::spec::IpNet;
///
/// let net: IpNet = "10.1.0.5/16".parse()?;
/// assert_eq!((net.addr().to_string(), net.prefix()), ("10.1.0.5".to_owned(), 16));
/// assert!("10.1.0.5".parse::<IpNet>().is_err());
/// # Ok::<(), libcni::spec::InvalidIpNet>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpNet {
    addr: IpAddr,
    prefix: u8,
}

/// A text is not an address with a prefix length.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid address `{text}`: it needs the form ADDRESS/PREFIX-LENGTH")]
pub struct InvalidIpNet {
    text: String,
}

impl IpNet {
    /// An address and a prefix length in bits; `None` when the length does not fit the family.
    pub fn new(addr: IpAddr, prefix: u8) -> Option<Self> {
        let longest = if addr.is_ipv4() { 32 } else { 128 };
        (prefix <= longest).then_some(Self { addr, prefix })
    }

    /// The address, host bits included.
    pub fn addr(&self) -> IpAddr {
        self.addr
    }

    /// The length of the prefix in bits.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Returns true if the address is of IPv4.
    pub fn is_ipv4(&self) -> bool {
        self.addr.is_ipv4()
    }

    /// Returns the network of the address: the same prefix, with the host bits cleared.
    ///
    /// ```
    /// # use libcni::spec::IpNet;
    /// assert_eq!("10.1.0.5/16".parse::<IpNet>()?.network().to_string(), "10.1.0.0/16");
    /// # Ok::<(), libcni::spec::InvalidIpNet>(())
    /// ```
    #[must_use]
    pub fn network(&self) -> Self {
        Self { addr: self.with_host_bits(0), ..*self }
    }

    /// Returns the same address in the form of its family: one of IPv4 that is written as one of IPv6 becomes one of
    /// IPv4.
    ///
    /// ```
    /// # use libcni::spec::IpNet;
    /// assert_eq!("::ffff:10.1.0.5/112".parse::<IpNet>()?.to_canonical().to_string(), "10.1.0.5/16");
    /// assert_eq!("fd00::5/112".parse::<IpNet>()?.to_canonical().to_string(), "fd00::5/112");
    /// # Ok::<(), libcni::spec::InvalidIpNet>(())
    /// ```
    #[must_use]
    pub fn to_canonical(&self) -> Self {
        const MAPPED: u8 = 96;
        let mapped = |prefix| Self::new(self.addr.to_canonical(), prefix);
        self.prefix.checked_sub(MAPPED).and_then(mapped).filter(Self::is_ipv4).unwrap_or(*self)
    }

    /// Returns the last address of the network, which is the broadcast address for IPv4.
    pub fn last(&self) -> IpAddr {
        self.with_host_bits(u128::MAX)
    }

    /// Returns the address after that of the network itself, which is by convention its gateway; the network's own
    /// address where the network has no other one.
    ///
    /// ```
    /// # use libcni::spec::IpNet;
    /// assert_eq!("10.1.0.5/16".parse::<IpNet>()?.first_host().to_string(), "10.1.0.1");
    /// # Ok::<(), libcni::spec::InvalidIpNet>(())
    /// ```
    pub fn first_host(&self) -> IpAddr {
        self.with_host_bits(1)
    }

    /// Returns whether an address is in the network.
    ///
    /// ```
    /// # use libcni::spec::IpNet;
    /// let net: IpNet = "10.1.0.5/16".parse()?;
    /// assert!(net.contains([10, 1, 255, 255].into()));
    /// assert!(!net.contains([10, 2, 0, 1].into()));
    /// # Ok::<(), libcni::spec::InvalidIpNet>(())
    /// ```
    pub fn contains(&self, addr: IpAddr) -> bool {
        Self::new(addr, self.prefix).is_some_and(|other| self.overlaps(&other))
    }

    /// Returns whether two networks have an address in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        let prefix = self.prefix.min(other.prefix);
        let cut = |net: &Self| Self { prefix, ..*net }.network();
        self.is_ipv4() == other.is_ipv4() && cut(self) == cut(other)
    }

    /// The address of the network, with these host bits.
    fn with_host_bits(&self, host: u128) -> IpAddr {
        match self.addr {
            IpAddr::V4(addr) => {
                let mask = u32::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
                // The lower half is what an IPv4 address has.
                Ipv4Addr::from_bits((addr.to_bits() & !mask) | (host as u32 & mask)).into()
            }
            IpAddr::V6(addr) => {
                let mask = u128::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
                Ipv6Addr::from_bits((addr.to_bits() & !mask) | (host & mask)).into()
            }
        }
    }
}

impl FromStr for IpNet {
    type Err = InvalidIpNet;

    fn from_str(text: &str) -> Result<Self, InvalidIpNet> {
        let parse = || {
            let (addr, prefix) = text.split_once('/')?;
            let digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
            let prefix = prefix.parse().ok().filter(|_| digits)?;
            Self::new(addr.parse().ok()?, prefix)
        };
        parse().ok_or_else(|| InvalidIpNet { text: text.to_owned() })
    }
}

impl fmt::Display for IpNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.prefix)
    }
}

impl Serialize for IpNet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IpNet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_bits_are_kept() {
        let net: IpNet = "10.1.2.3/8".parse().unwrap();
        assert_eq!(net.to_string(), "10.1.2.3/8");
        assert!(net.is_ipv4());
    }

    #[test]
    fn prefix_lengths_are_plain_digits_in_range() {
        for bad in [
            "10.0.0.1",
            "10.0.0.1/",
            "10.0.0.1/33",
            "10.0.0.1/+8",
            "10.0.0.1/-1",
            "::1/129",
            "10.0.0.1/8/8",
            "10.0.0.1/1000",
        ] {
            assert!(bad.parse::<IpNet>().is_err(), "{bad}");
        }
    }

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn host_bits_are_cleared_whatever_the_prefix() {
        for (text, network, last) in [
            ("10.1.2.3/8", "10.0.0.0/8", "10.255.255.255"),
            ("10.1.2.3/0", "0.0.0.0/0", "255.255.255.255"),
            ("10.1.2.3/32", "10.1.2.3/32", "10.1.2.3"),
            ("fd00::1:2/64", "fd00::/64", "fd00::ffff:ffff:ffff:ffff"),
            ("::1/0", "::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("fd00::1/128", "fd00::1/128", "fd00::1"),
        ] {
            assert_eq!((net(text).network(), net(text).last().to_string()), (net(network), last.to_owned()), "{text}");
        }
        assert_eq!(net("10.1.2.3/32").first_host().to_string(), "10.1.2.3");
    }

    #[test]
    fn networks_overlap_when_one_holds_the_other() {
        assert!(net("10.1.0.1/16").overlaps(&net("10.1.2.1/24")));
        assert!(!net("10.1.1.1/24").overlaps(&net("10.1.2.1/24")));
        assert!(!net("10.1.1.1/24").overlaps(&net("fd00::1/64")));
        assert!(net("0.0.0.0/0").contains([10, 0, 0, 1].into()));
    }
}
