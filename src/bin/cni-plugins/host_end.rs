//! The host's end of a container's interface, where that is a pair of veths.

use std::collections::HashSet;
use std::os::fd::AsFd;

use libcni::link::{Handle, Link, LinkError, Request};
use libcni::netns::Namespace;
use libcni::plugin::{Answer, AttachmentCall};
use libcni::result::v100::{Body, Interface};
use nix::errno::Errno;

use crate::names::{ALIAS, Names, alias, alias_prefix};
use crate::valid::Valid;

/// Takes the host's end down, and with it the container's off the network; false when it is not there.
pub(crate) fn take_down(host: &mut Handle, names: &Names) -> Result<bool, LinkError> {
    // Names of ports are short: another attachment may have the same.
    let is_own = |port: &Link| port.alias.as_ref().is_none_or(|alias| *alias == names.alias);
    let Some(port) = host.link(&names.port)?.filter(is_own) else { return Ok(false) };
    match host.ask([Request::set_down(port.index)]) {
        Ok(_) => Ok(true),
        Err(error) if error.is(Errno::ENODEV as i32) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(crate) fn delete(host: &mut Handle, port: &str) -> Result<(), LinkError> {
    host.ask([Request::delete_link(port)]).map(drop)
}

/// The host's end of an attachment's interface; `None` if there is no container, or no such end.
pub(crate) fn of(host: &mut Handle, call: &AttachmentCall) -> Answer<Option<Link>> {
    let Some(netns) = call.netns() else { return Ok(None) };
    let entered = Namespace::open(netns).and_then(|netns| Ok((netns.run(Handle::here)?, netns)));
    match entered {
        Err(error) if error.is_gone() => Ok(None),
        entered => {
            let (inside, netns) = entered?;
            of_inside(host, &netns, &mut inside?, call.ifname.as_str())
        }
    }
}

/// The host's end of a container's interface; `None` if it is not a pair of veths, or its other end is elsewhere.
///
/// The container may have made an interface of this name itself, and chosen its index and that of its peer. Who has the
/// other end of a link of the host, only the host's side of it says for certain.
pub(crate) fn of_inside(
    host: &mut Handle,
    netns: &Namespace,
    inside: &mut Handle,
    ifname: &str,
) -> Answer<Option<Link>> {
    let Some((link, peer)) = inside.link(ifname)?.and_then(|link| link.peer.map(|peer| (link, peer))) else {
        return Ok(None);
    };
    let is_pair = |port: &Link| [&link, port].iter().all(|end| end.kind.as_deref() == Some("veth"));
    let port = host.link_at(peer)?.filter(|port| is_pair(port) && port.peer == Some(link.index));
    let Some(port) = port.filter(|port| port.netns_id.is_some()) else { return Ok(None) };
    let id = host.netns_id(netns.as_fd())?;
    Ok((port.netns_id == id).then_some(port))
}

/// Returns true if the alias of a link says that it is another attachment's.
pub(crate) fn is_of_other(link: &Link, call: &AttachmentCall) -> bool {
    let own = alias(call.config.name().as_str(), call.container_id.as_str(), call.ifname.as_str());
    link.alias.as_ref().is_some_and(|alias| alias.starts_with(ALIAS) && *alias != own)
}

/// Returns true if a name is one of those that the reference plugins make: `veth` and eight digits.
pub(crate) fn is_named_by_reference(name: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.strip_prefix("veth").is_some_and(|digits| digits.len() == 8 && digits.bytes().all(is_digit))
}

/// Returns true if a result has a host's end that a reference plugin made.
pub(crate) fn is_of_reference(body: &Body) -> bool {
    let is_on_host = |interface: &&Interface| interface.sandbox.as_deref().unwrap_or_default().is_empty();
    body.interfaces.iter().filter(is_on_host).any(|interface| is_named_by_reference(&interface.name))
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
