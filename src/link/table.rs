//! All addresses and routes of a namespace.

use std::net::IpAddr;

use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteScope, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::address::of_message;
use super::message::Message;
use super::{Address, Handle, LinkError, Request};
use crate::spec::IpNet;

/// A route that is in a table of the kernel.
///
/// ```no_run
/// use libcni::link::Handle;
///
/// let mut host = Handle::here()?;
/// for route in host.routes()?.iter().filter(|route| route.table == 254) {
///     println!("{} via {:?}", route.dst, route.gw);
/// }
/// # Ok::<(), libcni::link::LinkError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct TableRoute {
    /// The destination.
    pub dst: IpNet,
    /// The gateway; `None` where the destination is on the link, or where there are several ways.
    pub gw: Option<IpAddr>,
    /// The index of the link that packets leave through.
    pub link: Option<u32>,
    /// The number of the table: 254 is `main`.
    pub table: u32,
    /// The priority, which `ip route` calls the metric; less comes first.
    pub priority: u32,
}

impl Request {
    /// Removes a route from its table.
    pub fn delete_route(route: &TableRoute) -> Self {
        let mut message = RouteMessage::default();
        message.header.address_family = family(route.dst.addr());
        message.header.destination_prefix_length = route.dst.prefix();
        // Of whatever scope.
        message.header.scope = RouteScope::NoWhere;
        message.attributes.push(RouteAttribute::Destination(RouteAddress::from(route.dst.addr())));
        message.attributes.extend(route.link.map(RouteAttribute::Oif));
        message.attributes.push(RouteAttribute::Table(route.table));
        message.attributes.push(RouteAttribute::Priority(route.priority));
        Self::new(format!("remove the route to {}", route.dst), RouteNetlinkMessage::DelRoute(message), 0)
    }
}

impl Handle {
    /// Lists the addresses of all links.
    ///
    /// # Errors
    /// The kernel refuses, or can't be asked.
    pub fn all_addresses(&mut self) -> Result<Vec<Address>, LinkError> {
        let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        self.list("list the addresses", request, |addresses: &mut Vec<_>, item| {
            addresses.extend(of_message(item));
        })
    }

    /// Lists the unicast routes of both families and all tables. The kernel itself makes some of them with every
    /// address.
    ///
    /// # Errors
    /// The kernel refuses, or can't be asked.
    pub fn routes(&mut self) -> Result<Vec<TableRoute>, LinkError> {
        let mut routes = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut all = RouteMessage::default();
            all.header.address_family = family;
            let request = RouteNetlinkMessage::GetRoute(all);
            routes.extend(self.list("list the routes", request, |of_family: &mut Vec<_>, item| {
                of_family.extend(TableRoute::of(&item));
            })?);
        }
        Ok(routes)
    }

    /// Returns the first route to everywhere, of IPv4 or else of IPv6; `None` where there is none. However many other
    /// routes there are, they take no memory.
    ///
    /// # Errors
    /// The kernel refuses, or can't be asked.
    pub fn default_route(&mut self) -> Result<Option<TableRoute>, LinkError> {
        let to_everywhere = |item| TableRoute::of(&item).filter(|route| route.dst.prefix() == 0);
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut all = RouteMessage::default();
            all.header.address_family = family;
            let found = self.first("find the default route", RouteNetlinkMessage::GetRoute(all), to_everywhere)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

impl TableRoute {
    fn of(answer: &Message) -> Option<Self> {
        let Message::Route(message) = answer else { return None };
        let RouteHeader { address_family, destination_prefix_length, kind, table, .. } = message.header;
        let anywhere = if address_family == AddressFamily::Inet { IpAddr::from([0; 4]) } else { [0; 16].into() };
        let dst = IpNet::new(anywhere, destination_prefix_length)?;
        let route = Self { dst, gw: None, link: None, table: table.into(), priority: 0 };
        (kind == RouteType::Unicast).then(|| message.attributes.iter().fold(route, Self::with))
    }

    fn with(self, attribute: &RouteAttribute) -> Self {
        match attribute {
            RouteAttribute::Destination(dst) => {
                let dst = ip(dst).and_then(|dst| IpNet::new(dst, self.dst.prefix()));
                Self { dst: dst.unwrap_or(self.dst), ..self }
            }
            RouteAttribute::Gateway(gw) => Self { gw: ip(gw), ..self },
            RouteAttribute::Oif(index) => Self { link: Some(*index), ..self },
            RouteAttribute::Table(table) => Self { table: *table, ..self },
            RouteAttribute::Priority(priority) => Self { priority: *priority, ..self },
            _ => self,
        }
    }
}

fn family(ip: IpAddr) -> AddressFamily {
    if ip.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(ip) => Some((*ip).into()),
        RouteAddress::Inet6(ip) => Some((*ip).into()),
        _ => None,
    }
}
