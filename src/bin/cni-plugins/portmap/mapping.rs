//! From the ports that the runtime asks for and the addresses that the container has to what is mapped where.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use libcni::plugin::{Answer, AttachmentCall};
use libcni::result::v100::{Body, Ip};
use libcni::spec::IpNet;
use libcni::spec::capability::PortMapping;

use crate::invalid::invalid;
use crate::nft::family::Family;
use crate::reachable::must_be_reachable;
use crate::takeover;

/// A protocol that has ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

impl Protocol {
    /// The protocol of a name, in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let known = [("tcp", Self::Tcp), ("udp", Self::Udp), ("sctp", Self::Sctp)];
        known.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, protocol)| protocol)
    }

    fn read(name: &str) -> Answer<Self> {
        Self::named(name).ok_or_else(|| {
            invalid(format!("invalid `protocol` `{name}` in `portMappings`: it is `tcp`, `udp` or `sctp`"))
        })
    }

    /// The protocol of a number.
    pub(crate) fn of_number(number: u8) -> Option<Self> {
        [Self::Tcp, Self::Udp, Self::Sctp].into_iter().find(|protocol| protocol.number() == number)
    }

    /// Its number in the header of IP.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

/// The destination of connections: a port of one address of the host, or of all that the family has (the unspecified
/// one).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostPort {
    pub(crate) address: IpAddr,
    pub(crate) protocol: Protocol,
    pub(crate) port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", SocketAddr::new(self.address, self.port), self.protocol)
    }
}

impl From<HostPort> for takeover::Port {
    fn from(host: HostPort) -> Self {
        Self { address: host.address, protocol: host.protocol.number(), number: host.port }
    }
}

/// A port of the host that leads to the container, in one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) host: HostPort,
    /// The container's address, with the prefix length of its network.
    pub(crate) container: IpNet,
    pub(crate) container_port: u16,
}

impl Mapping {
    pub(crate) fn family(&self) -> Family {
        Family::of(self.container.addr())
    }
}

/// The mappings that a call asks for, each port once.
///
/// # Errors
/// Code 7: a mapping is invalid, two contradict each other, or one leads to no container.
pub(crate) fn read(call: &AttachmentCall, body: &Body) -> Answer<Vec<Mapping>> {
    let asked: Vec<PortMapping> = call.config.capability("portMappings")?.unwrap_or_default();
    let mappings = mappings(&asked, &addresses(body, call.ifname.as_str()))?;
    // Whoever gave them: with `ips` it may have been whoever wrote the pod.
    mappings.iter().try_for_each(|mapping| must_be_reachable("portmap", mapping.container))?;
    Ok(mappings)
}

/// The first address of each family that the container's interface has.
fn addresses(body: &Body, ifname: &str) -> Vec<IpNet> {
    let of_container = |ip: &&Ip| {
        let index = ip.interface.and_then(|index| usize::try_from(index).ok());
        // An address of no interface in particular is the container's: old results have no others.
        let interface = index.and_then(|index| body.interfaces.get(index));
        interface.is_none_or(|interface| interface.name == ifname && interface.sandbox.is_some())
    };
    let first = |family| {
        let mut addresses = body.ips.iter().filter(of_container).map(|ip| ip.address.to_canonical());
        addresses.find(|address| Family::of(address.addr()) == family)
    };
    Family::ALL.into_iter().filter_map(first).collect()
}

fn mappings(asked: &[PortMapping], addresses: &[IpNet]) -> Answer<Vec<Mapping>> {
    let mut mappings = Mappings::default();
    for asked in asked {
        let protocol = Protocol::read(asked.protocol.as_str())?;
        for (name, port) in [("hostPort", asked.host_port), ("containerPort", asked.container_port)] {
            if port == 0 {
                return Err(invalid(format!("invalid `{name}` 0 in `portMappings`")));
            }
        }
        for container in addresses {
            let any = Family::of(container.addr()).unspecified();
            let address = asked.host_ip.map_or(any, |address| address.to_canonical());
            let host = HostPort { address, protocol, port: asked.host_port };
            let mapping = Mapping { host, container: *container, container_port: asked.container_port };
            // An address of the other family, be it the unspecified one, leaves this family out.
            if Family::of(address) == mapping.family() {
                mappings.push(mapping)?;
            }
        }
    }
    Ok(mappings.in_order)
}

/// Mappings as they were asked for, each port of the host once.
#[derive(Default)]
struct Mappings {
    in_order: Vec<Mapping>,
    places: BTreeMap<HostPort, usize>,
}

impl Mappings {
    fn push(&mut self, mapping: Mapping) -> Answer {
        let next = self.in_order.len();
        let other = self.in_order.get(*self.places.entry(mapping.host).or_insert(next));
        match other {
            None => self.in_order.push(mapping),
            Some(same) if *same == mapping => {}
            Some(other) => {
                let [one, two] = [other.container_port, mapping.container_port];
                return Err(invalid(format!("`portMappings` leads {} to both ports {one} and {two}", mapping.host)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use libcni::result::AddResult;

    use super::*;

    fn body(json: &str) -> Body {
        AddResult::parse(&format!(r#"{{"cniVersion":"1.0.0",{json}}}"#)).unwrap().latest()
    }

    fn read(asked: &str, addresses: &[&str]) -> Result<Vec<String>, String> {
        let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let mappings = mappings(&serde_json::from_str::<Vec<_>>(asked).unwrap(), &addresses);
        let mappings = mappings.map_err(|error| error.into_reply().to_string())?;
        let to = |m: &Mapping| format!("{} {}", m.host, SocketAddr::new(m.container.addr(), m.container_port));
        Ok(mappings.iter().map(to).collect())
    }

    const DUAL_STACK: [&str; 2] = ["10.1.0.2/16", "fd00::2/64"];

    #[test]
    fn a_mapping_is_for_every_family_unless_its_address_says_one() {
        let asked = r#"[{"hostPort":80,"containerPort":8,"protocol":"TCP"}]"#;
        assert_eq!(read(asked, &DUAL_STACK).unwrap(), ["0.0.0.0:80/tcp 10.1.0.2:8", "[::]:80/tcp [fd00::2]:8"]);
        assert_eq!(read(asked, &DUAL_STACK[1..]).unwrap(), ["[::]:80/tcp [fd00::2]:8"]);
        for (address, mapped) in [
            ("0.0.0.0", "0.0.0.0:80/udp 10.1.0.2:8"),
            ("192.0.2.1", "192.0.2.1:80/udp 10.1.0.2:8"),
            ("::ffff:192.0.2.1", "192.0.2.1:80/udp 10.1.0.2:8"),
            ("::", "[::]:80/udp [fd00::2]:8"),
            ("fd00::1", "[fd00::1]:80/udp [fd00::2]:8"),
        ] {
            let asked = format!(r#"[{{"hostPort":80,"containerPort":8,"protocol":"udp","hostIP":"{address}"}}]"#);
            assert_eq!(read(&asked, &DUAL_STACK).unwrap(), [mapped]);
        }
    }

    #[test]
    fn a_port_can_be_asked_for_twice_but_not_for_two_things() {
        let asked = |port| {
            format!(r#"[{{"hostPort":80,"containerPort":8}},{{"hostPort":80,"containerPort":{port},"hostIP":""}}]"#)
        };
        assert_eq!(read(&asked(8), &DUAL_STACK[..1]).unwrap(), ["0.0.0.0:80/tcp 10.1.0.2:8"]);
        let error = read(&asked(9), &DUAL_STACK[..1]).unwrap_err();
        assert_eq!(error, "`portMappings` leads 0.0.0.0:80/tcp to both ports 8 and 9");
    }

    #[test]
    fn ports_and_protocols_are_checked() {
        for (asked, message) in [
            (r#"[{"hostPort":0,"containerPort":8}]"#, "invalid `hostPort` 0 in `portMappings`"),
            (r#"[{"hostPort":80,"containerPort":0}]"#, "invalid `containerPort` 0 in `portMappings`"),
        ] {
            assert_eq!(read(asked, &DUAL_STACK).unwrap_err(), message);
        }
    }

    #[test]
    fn only_addresses_of_the_containers_interface_count() {
        let body = body(
            r#""interfaces":[{"name":"cni0"},{"name":"eth0"},{"name":"eth0","sandbox":"/n"},{"name":"net1","sandbox":"/n"}],
            "ips":[{"interface":0,"address":"10.0.0.1/8"},{"interface":1,"address":"10.0.0.2/8"},
                   {"interface":3,"address":"10.0.0.3/8"},{"interface":2,"address":"10.0.0.4/8"},
                   {"interface":2,"address":"10.0.0.5/8"},{"address":"fd00::6/64"}]"#,
        );
        let addresses: Vec<_> = addresses(&body, "eth0").iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["10.0.0.4/8", "fd00::6/64"]);
    }

    #[test]
    fn an_ipv4_address_in_the_form_of_ipv6_is_one_of_ipv4() {
        let body = body(r#""ips":[{"address":"::ffff:10.0.0.4/120"},{"address":"fd00::6/120"}]"#);
        let addresses: Vec<_> = addresses(&body, "eth0").iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["10.0.0.4/24", "fd00::6/120"]);
    }
}
