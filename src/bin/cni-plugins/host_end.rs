//! The host's end of a container's interface, where that is a pair of veths.

use std::collections::HashSet;

use libcni::link::{Handle, Link, LinkError, Request};
use libcni::plugin::Answer;
use nix::errno::Errno;

use crate::names::{alias, alias_prefix};
use crate::valid::Valid;

/// Takes the host's end down, and with it the container's off the network; false when it is not there.
pub(crate) fn take_down(host: &mut Handle, port: &str) -> Result<bool, LinkError> {
    match host.ask([Request::take_down(port)]) {
        Ok(_) => Ok(true),
        Err(error) if error.is(Errno::ENODEV) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(crate) fn delete(host: &mut Handle, port: &str) -> Result<(), LinkError> {
    host.ask([Request::delete_link(port)]).map(drop)
}

/// The host's end of a container's interface; `None` if it is not a pair of veths, or its other end is elsewhere.
pub(crate) fn of(host: &mut Handle, inside: &mut Handle, ifname: &str) -> Answer<Option<Link>> {
    let Some((link, peer)) = inside.link(ifname)?.and_then(|link| link.peer.map(|peer| (link, peer))) else {
        return Ok(None);
    };
    let is_pair = |port: &Link| [&link, port].iter().all(|end| end.kind.as_deref() == Some("veth"));
    Ok(host.link_at(peer)?.filter(|port| is_pair(port) && port.peer == Some(link.index)))
}

/// Returns true if a name is one of those that the reference plugins make: `veth` and eight digits.
pub(crate) fn is_named_by_reference(name: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.strip_prefix("veth").is_some_and(|digits| digits.len() == 8 && digits.bytes().all(is_digit))
}

/// Deletes the host's ends of those attachments of a network that are not to be kept, by their aliases.
pub(crate) fn delete_stale(network: &str, valid: &Valid) -> Answer {
    let aliases: HashSet<_> = valid.iter().map(|v| alias(network, &v.container_id, &v.ifname)).collect();
    let mut host = Handle::here()?;
    let prefix = alias_prefix(network);
    let is_stale = |alias: &String| alias.starts_with(&prefix) && !aliases.contains(alias);
    let stale: Vec<_> = host.links()?.into_iter().filter(|link| link.alias.as_ref().is_some_and(is_stale)).collect();
    host.ask_all(stale.iter().map(|link| Request::delete_link(&link.name)).collect())?;
    Ok(())
}
