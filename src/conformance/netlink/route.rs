//! Routes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::spec::IpNet;

use super::address::{family, ip, octets};
use super::message::{Request, attribute, number, words};

const NEWROUTE: u16 = 24;
const DELROUTE: u16 = 25;
const GETROUTE: u16 = 26;

const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_TABLE: u16 = 15;

const MAIN_TABLE: u8 = 254;
const STATIC: u8 = 4;
const UNICAST: u8 = 1;
const SCOPE_GLOBAL: u8 = 0;
const SCOPE_LINK: u8 = 253;
/// Of a route to delete: any.
const SCOPE_NOWHERE: u8 = 255;

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    pub(crate) dst: IpNet,
    pub(crate) gw: Option<IpAddr>,
    pub(crate) link: Option<u32>,
    pub(crate) table: u32,
    pub(crate) priority: u32,
}

/// The routes for packets that are sent on, those that the kernel made by itself included.
pub(crate) fn routes() -> io::Result<Vec<Route>> {
    let listed = Request::route(GETROUTE, &[0; 12]).list()?;
    Ok(listed.iter().filter_map(|entry| route(entry)).collect())
}

fn route(entry: &[u8]) -> Option<Route> {
    let (fixed, attributes) = entry.split_at_checked(12)?;
    let value = |kind| attribute(attributes, kind);
    let anywhere = || {
        if fixed[0] == family(Ipv4Addr::UNSPECIFIED.into()) {
            IpAddr::from(Ipv4Addr::UNSPECIFIED)
        } else {
            IpAddr::from(Ipv6Addr::UNSPECIFIED)
        }
    };
    let dst = value(RTA_DST).map_or_else(|| Some(anywhere()), ip)?;
    let found = Route {
        dst: IpNet::new(dst, fixed[1])?,
        gw: value(RTA_GATEWAY).and_then(ip),
        link: value(RTA_OIF).map(number),
        table: value(RTA_TABLE).map_or(u32::from(fixed[4]), number),
        priority: value(RTA_PRIORITY).map_or(0, number),
    };
    (fixed[7] == UNICAST).then_some(found)
}

/// Adds a route out of an interface to the main table.
pub(crate) fn add_route(dst: IpNet, gw: Option<IpAddr>, link: u32) -> io::Result<()> {
    let scope = if gw.is_some() { SCOPE_GLOBAL } else { SCOPE_LINK };
    let body = [family(dst.addr()), dst.prefix(), 0, 0, MAIN_TABLE, STATIC, scope, UNICAST, 0, 0, 0, 0];
    let request = Request::route(NEWROUTE, &body).with(RTA_DST, &octets(dst.addr())).with(RTA_OIF, &words(&[link]));
    gw.iter().fold(request, |request, gw| request.with(RTA_GATEWAY, &octets(*gw))).create()
}

pub(crate) fn delete_route(route: &Route) -> io::Result<()> {
    let body = [family(route.dst.addr()), route.dst.prefix(), 0, 0, 0, 0, SCOPE_NOWHERE, 0, 0, 0, 0, 0];
    let request = Request::route(DELROUTE, &body).with(RTA_DST, &octets(route.dst.addr()));
    let request = request.with(RTA_TABLE, &words(&[route.table])).with(RTA_PRIORITY, &words(&[route.priority]));
    request.carry_out()
}
