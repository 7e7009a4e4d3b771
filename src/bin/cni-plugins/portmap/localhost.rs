//! Lets connections from 127.0.0.1 out of the host, and none in.
//!
//! The kernel drops packets of loopback addresses on any interface but `lo`, also before masquerading could give them
//! another one, unless the interface has `route_localnet`. There is nothing like it for ::1. With that, whoever is
//! behind the interface could reach what listens on the host's loopback addresses only, were it not for the `guard` of
//! our table: so that is there first, and as long as any link has the setting, whoever made it.
//!
//! The value that we set is a 2. It counts for the kernel as the 1 of others does, and says whose it is as long as the
//! link lives, even when somebody flushed all tables.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;

use libcni::link::{Handle, LinkError, Request, Way};
use libcni::plugin::Answer;
use nix::errno::Errno;

use crate::portmap::containers_link::is_way_to_containers;

/// The setting, when it is ours.
const OURS: u32 = 2;

/// The widest network that can be one of containers. A way to more than that is a way to everywhere.
const WIDEST: u8 = 8;

/// The setting of all links at once.
const ALL: &str = "/proc/sys/net/ipv4/conf/all/route_localnet";

/// The way to a container; `None` when the host has no other one than to the rest of the world. The reference plugin
/// opens that, too.
fn way_to(host: &mut Handle, container: IpAddr) -> Result<Option<Way>, LinkError> {
    let is_near = |way: &Way| way.prefix >= WIDEST && !way.has_gateway;
    Ok(host.way_to(container)?.filter(is_near))
}

/// Opens the link that a container is on, if nobody but containers is. The guard must be there.
pub(crate) fn open(container: IpAddr) -> Result<(), LinkError> {
    let mut host = Handle::here()?;
    match way_to(&mut host, container)? {
        Some(way) if host.route_localnet(way.link)? == Some(0) && is_way_to_containers(&mut host, &way)? => {
            host.ask([Request::set_route_localnet(way.link, OURS)]).map(drop)
        }
        _ => Ok(()),
    }
}

/// Sets links that were there a moment ago: the kernel takes those of a deleted namespace down in its own time.
fn set_if_there(host: &mut Handle, links: impl Iterator<Item = u32>, value: u32) -> Result<(), LinkError> {
    let requests = links.map(|link| Request::set_route_localnet(link, value).fine_with(&[Errno::ENODEV as i32]));
    host.ask_all(requests.collect()).map(drop)
}

/// Says whether the link that a container is on is open, or there is none to open.
pub(crate) fn is_open(container: IpAddr) -> Result<bool, LinkError> {
    let mut host = Handle::here()?;
    let Some(way) = way_to(&mut host, container)? else { return Ok(true) };
    let is_open = host.route_localnet(way.link)? != Some(0) || is_open_for_all();
    Ok(is_open || !is_way_to_containers(&mut host, &way)?)
}

fn is_open_for_all() -> bool {
    fs::read_to_string(ALL).is_ok_and(|value| value.trim() != "0")
}

/// Closes the links that we opened, except those of the containers that have ports now.
pub(crate) fn close(with_ports: impl Fn() -> Answer<Vec<IpAddr>>) -> Answer {
    let mut host = Handle::here()?;
    let open = host.links_that_route_localnet()?.into_iter().filter(|open| open.value == OURS);
    let ours: Vec<_> = open.map(|open| open.link).collect();
    if ours.is_empty() {
        return Ok(());
    }
    let needed = needed(&mut host, &ours, &with_ports()?)?;
    let closed: Vec<_> = ours.into_iter().filter(|link| !needed.contains(link)).collect();
    set_if_there(&mut host, closed.iter().copied(), 0)?;
    // A plugin that mapped a port meanwhile may have found the link open, and left it so.
    let needed = self::needed(&mut host, &closed, &with_ports()?)?;
    Ok(set_if_there(&mut host, needed.into_iter(), OURS)?)
}

/// Those of the links that lead to the containers, and to nobody else.
fn needed(host: &mut Handle, links: &[u32], containers: &[IpAddr]) -> Result<BTreeSet<u32>, LinkError> {
    let mut needed = BTreeSet::new();
    for container in containers {
        let way = way_to(host, *container)?.filter(|way| links.contains(&way.link) && !needed.contains(&way.link));
        if let Some(way) = way
            && is_way_to_containers(host, &way)?
        {
            needed.insert(way.link);
        }
    }
    Ok(needed)
}

/// Returns true if a link of the host is open, whoever opened it: then it must be guarded.
pub(crate) fn must_be_guarded() -> Result<bool, LinkError> {
    Ok(is_open_for_all() || !Handle::here()?.links_that_route_localnet()?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_went_meanwhile_is_fine() {
        let mut host = Handle::here().unwrap();
        // Where the kernel refuses a user, it does so before it looks for the link.
        let allowed = set_if_there(&mut host, [u32::from(u16::MAX) * 1000].into_iter(), 0);
        assert!(allowed.is_ok() || allowed.is_err_and(|error| error.is(Errno::EPERM as i32)));
    }
}
