//! Routes.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::spec::Route;
use netlink_packet_core::NLM_F_CREATE;
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteMetric, RouteNextHop, RouteProtocol,
    RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::errno::Errno;

use super::message::Message;
use super::{Handle, LinkError, Request};

fn message(index: u32, route: &Route) -> RouteMessage {
    let dst = route.dst.network();
    let mut message = RouteMessage::default();
    message.header.address_family = family_of(route);
    message.header.destination_prefix_length = dst.prefix();
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Boot;
    message.header.kind = RouteType::Unicast;
    let on_link = if dst.is_ipv4() && route.gw.is_none() { RouteScope::Link } else { RouteScope::Universe };
    message.header.scope = route.scope.and_then(|scope| u8::try_from(scope).ok()).map_or(on_link, RouteScope::from);
    message.attributes.push(RouteAttribute::Oif(index));
    if dst.prefix() > 0 {
        message.attributes.push(RouteAttribute::Destination(RouteAddress::from(dst.addr())));
    }
    message.attributes.extend(route.gw.map(|gw| RouteAttribute::Gateway(RouteAddress::from(gw))));
    let number = |n: Option<i64>| n.and_then(|n| u32::try_from(n).ok());
    message.attributes.extend(number(route.priority).map(RouteAttribute::Priority));
    message.attributes.extend(number(route.table).map(RouteAttribute::Table));
    let metrics = [number(route.mtu).map(RouteMetric::Mtu), number(route.advmss).map(RouteMetric::Advmss)];
    let metrics: Vec<_> = metrics.into_iter().flatten().collect();
    if !metrics.is_empty() {
        message.attributes.push(RouteAttribute::Metrics(metrics));
    }
    message
}

impl Request {
    /// Adds a route, beside existing ones to the same destination through other next hops. IPv6 takes turns between
    /// them; of IPv4 routes, the last one that was added is the one in use.
    pub fn add_route(index: u32, route: &Route) -> Self {
        let via = route.gw.map(|gw| format!(" via {gw}")).unwrap_or_default();
        let doing = format!("add the route to {}{via}", route.dst);
        let message = RouteNetlinkMessage::NewRoute(message(index, route));
        Self::new(doing, message, NLM_F_CREATE)
    }
}

impl Request {
    /// Does the same as [`Request::add_route`], and sets the source address of packets that take the route.
    pub fn add_route_from(index: u32, route: &Route, source: IpAddr) -> Self {
        let mut message = message(index, route);
        message.attributes.push(RouteAttribute::PrefSource(RouteAddress::from(source)));
        let doing = format!("add the route to {} from {source}", route.dst);
        Self::new(doing, RouteNetlinkMessage::NewRoute(message), NLM_F_CREATE)
    }
}

/// The route that packets to an address take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Way {
    /// The index of the link that they leave through.
    pub link: u32,
    /// The length of the prefix of the route: 0 for the default route.
    pub prefix: u8,
    /// True if they go to a gateway first: the address is not on the link.
    pub has_gateway: bool,
}

impl Handle {
    /// Returns the route to an address; `None` if there is none.
    ///
    /// # Errors
    /// The kernel could not be asked.
    pub fn way_to(&mut self, address: IpAddr) -> Result<Option<Way>, LinkError> {
        let mut wanted = RouteMessage::default();
        wanted.header.address_family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        wanted.header.destination_prefix_length = if address.is_ipv4() { 32 } else { 128 };
        // The route as it was made, and not what comes of it for this address.
        wanted.header.flags = RouteFlags::FibMatch;
        wanted.attributes.push(RouteAttribute::Destination(RouteAddress::from(address)));
        let get = Request::new(format!("find the route to {address}"), RouteNetlinkMessage::GetRoute(wanted), 0);
        let [answers] = self.ask([get.fine_with(&[Errno::ENETUNREACH as i32, Errno::EHOSTUNREACH as i32])])?;
        Ok(answers.messages.iter().find_map(way))
    }

    /// Those of a link's routes that are not there. Of what a route leaves open (its table, its priority and so on) any
    /// will do.
    pub fn missing_routes<'a>(&mut self, index: u32, routes: &'a [Route]) -> Result<Vec<&'a Route>, LinkError> {
        let mut missing = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let wanted: Vec<_> = routes.iter().filter(|route| family_of(route) == family).collect();
            if !wanted.is_empty() {
                let found = self.find_routes(index, family, &wanted)?;
                missing
                    .extend(wanted.into_iter().enumerate().filter(|(n, _)| !found.contains(n)).map(|(_, route)| route));
            }
        }
        Ok(missing)
    }

    /// The places of those routes that are there.
    fn find_routes(
        &mut self,
        index: u32,
        family: AddressFamily,
        wanted: &[&Route],
    ) -> Result<BTreeSet<usize>, LinkError> {
        let mut all = RouteMessage::default();
        all.header.address_family = family;
        all.attributes.push(RouteAttribute::Oif(index));
        self.list("list the routes", RouteNetlinkMessage::GetRoute(all), |found: &mut BTreeSet<_>, answer| {
            let Message::Route(message) = answer else { return };
            found.extend((0..).zip(wanted).filter(|(_, route)| is_route(&message, index, route)).map(|(n, _)| n));
        })
    }
}

fn way(answer: &Message) -> Option<Way> {
    let Message::Route(message) = answer else { return None };
    let link = message.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Oif(index) => Some(*index),
        _ => None,
    })?;
    let is_gateway =
        |attribute: &RouteAttribute| matches!(attribute, RouteAttribute::Gateway(_) | RouteAttribute::Via(_));
    let has_gateway = message.attributes.iter().any(is_gateway);
    Some(Way { link, prefix: message.header.destination_prefix_length, has_gateway })
}

fn family_of(route: &Route) -> AddressFamily {
    if route.dst.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

/// Returns true if a message of the kernel is about a route as it was asked for.
fn is_route(found: &RouteMessage, index: u32, route: &Route) -> bool {
    let asked = message(index, route);
    let is_there = |attribute: &RouteAttribute| match attribute {
        // One of several next hops has them for itself.
        RouteAttribute::Oif(_) | RouteAttribute::Gateway(_) => true,
        RouteAttribute::Metrics(asked) => {
            let has_all = |found: &[RouteMetric]| asked.iter().all(|metric| found.contains(metric));
            found.attributes.iter().any(|other| matches!(other, RouteAttribute::Metrics(found) if has_all(found)))
        }
        attribute => found.attributes.contains(attribute),
    };
    found.header.destination_prefix_length == asked.header.destination_prefix_length
        && (route.scope.is_none() || !route.dst.is_ipv4() || found.header.scope == asked.header.scope)
        && asked.attributes.iter().all(is_there)
        && goes_through(found, index, route.gw)
}

/// Returns true if a route, or one of its next hops, leaves through a link and goes by a gateway.
fn goes_through(found: &RouteMessage, index: u32, gw: Option<IpAddr>) -> bool {
    let gateway = gw.map(|gw| RouteAttribute::Gateway(RouteAddress::from(gw)));
    let by = |attributes: &[RouteAttribute]| match &gateway {
        Some(gateway) => attributes.contains(gateway),
        None => !attributes.iter().any(|attribute| matches!(attribute, RouteAttribute::Gateway(_))),
    };
    let hop = |hop: &RouteNextHop| hop.interface_index == index && by(&hop.attributes);
    let alone = found.attributes.contains(&RouteAttribute::Oif(index)) && by(&found.attributes);
    alone || found.attributes.iter().any(|a| matches!(a, RouteAttribute::MultiPath(hops) if hops.iter().any(hop)))
}
