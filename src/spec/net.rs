//! Addresses, routes and resolver settings: what every generation of results shares.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::InvalidField;
use super::fields::{Fields, Shape, serde_by_shape};
use super::object::Object;

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

    /// Whether the address is of IPv4.
    pub fn is_ipv4(&self) -> bool {
        self.addr.is_ipv4()
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

/// A route in the container.
///
/// ```
/// use libcni::spec::Route;
///
/// let route = Route::new("0.0.0.0/0".parse()?).via([10, 1, 0, 1].into());
/// assert_eq!(serde_json::to_string(&route)?, r#"{"dst":"0.0.0.0/0","gw":"10.1.0.1"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Numbers are signed and 64 bits wide because plugins written in Go print what their `int` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The destination.
    pub dst: IpNet,
    /// The next hop; the address's gateway, if any, when absent.
    pub gw: Option<IpAddr>,
    /// The route's MTU in bytes.
    pub mtu: Option<i64>,
    /// The largest TCP segment to announce, in bytes.
    pub advmss: Option<i64>,
    /// The metric: lower is preferred.
    pub priority: Option<i64>,
    /// The routing table.
    pub table: Option<i64>,
    /// The scope, by the kernel's numbers (0 is global, 253 link).
    pub scope: Option<i64>,
    /// Keys that the specification does not know.
    pub extra: Object,
}

impl Route {
    /// A route to a destination.
    pub fn new(dst: IpNet) -> Self {
        Self { dst, gw: None, mtu: None, advmss: None, priority: None, table: None, scope: None, extra: Object::new() }
    }

    /// The same route through a next hop.
    pub fn via(self, gw: IpAddr) -> Self {
        let gw = Some(gw);
        Self { gw, ..self }
    }
}

impl Shape for Route {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        let nonzero = |number: &i64| *number != 0;
        Ok(Self {
            dst: fields.require("dst")?,
            gw: fields.take_parsed("gw")?,
            mtu: fields.take("mtu")?.filter(nonzero),
            advmss: fields.take("advmss")?.filter(nonzero),
            priority: fields.take("priority")?.filter(nonzero),
            // 0 is a table and a scope of its own.
            table: fields.take("table")?,
            scope: fields.take("scope")?,
            extra: fields.rest(),
        })
    }

    fn write(&self, object: &mut Object) {
        object.set("dst", &self.dst);
        object.set_some("gw", &self.gw);
        object.set_some("mtu", &self.mtu);
        object.set_some("advmss", &self.advmss);
        object.set_some("priority", &self.priority);
        object.set_some("table", &self.table);
        object.set_some("scope", &self.scope);
        object.append_missing(&self.extra);
    }
}

/// Settings for the container's resolver. None of the texts is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dns {
    /// Addresses of name servers, the preferred one first.
    pub nameservers: Vec<String>,
    /// The local domain.
    pub domain: Option<String>,
    /// Domains to search for short names.
    pub search: Vec<String>,
    /// Options for the resolver.
    pub options: Vec<String>,
    /// Keys that the specification does not know.
    pub extra: Object,
}

impl Dns {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Shape for Dns {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            nameservers: fields.take_or_default("nameservers")?,
            domain: fields.take_text("domain")?,
            search: fields.take_or_default("search")?,
            options: fields.take_or_default("options")?,
            extra: fields.rest(),
        })
    }

    fn write(&self, object: &mut Object) {
        object.set_filled("nameservers", &self.nameservers);
        object.set_some("domain", &self.domain);
        object.set_filled("search", &self.search);
        object.set_filled("options", &self.options);
        object.append_missing(&self.extra);
    }
}

serde_by_shape!(Route, Dns);

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

    #[test]
    fn numbers_beyond_two_to_the_53_survive_in_routes() {
        let text = r#"{"dst":"0.0.0.0/0","priority":9007199254740993,"weight":1e400}"#;
        let route: Route = serde_json::from_str(text).unwrap();
        assert_eq!(route.priority, Some(9007199254740993));
        assert_eq!(serde_json::to_string(&route).unwrap(), text);
    }
}
