//! A rule of the reference plugins, as far as it matters here, wherever it was read.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// A port of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    /// The address; the unspecified one for all of its family.
    pub(crate) address: IpAddr,
    /// The number of the protocol.
    pub(crate) protocol: u8,
    pub(crate) number: u16,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            6 => "tcp",
            17 => "udp",
            132 => "sctp",
            _ => "?",
        };
        write!(f, "{}/{protocol}", SocketAddr::new(self.address, self.number))
    }
}

/// The rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rule {
    /// Where it is.
    pub(super) place: Place,
    /// The chain that it leads to.
    pub(super) to: Option<String>,
    /// True if it translates destinations.
    pub(super) translates: bool,
    pub(super) comment: Option<String>,
    /// The number of the only protocol that it is for.
    pub(super) protocol: Option<u8>,
    /// The only address that it is for packets from.
    pub(super) source: Option<IpAddr>,
    /// The only address that it is for packets to.
    pub(super) destination: Option<IpAddr>,
    /// The only destination ports that it is for; none for all.
    pub(super) ports: Vec<u16>,
}

/// Where a rule is in its chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The kernel's number.
    Handle(u64),
    /// The text that `iptables-legacy-save` prints behind the name of the chain.
    Words(String),
}

impl Default for Place {
    fn default() -> Self {
        Self::Handle(0)
    }
}

impl Rule {
    /// Returns true if it is for connections to a port, of some address of the host.
    pub(super) fn is_for(&self, port: Port) -> bool {
        let is_protocol = self.protocol.is_none_or(|only| only == port.protocol);
        is_protocol && (self.ports.is_empty() || self.ports.contains(&port.number))
    }

    pub(super) fn leads_to(&self, chain: &str) -> bool {
        self.to.as_deref() == Some(chain)
    }
}
