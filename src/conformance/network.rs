//! Pairs of interfaces, for the networks that checks are made on.

use std::os::fd::AsFd;
use std::path::Path;

use crate::link::{Handle, LinkError, Request, Veth};
use crate::netns::Namespace;

/// The namespace of the calling thread.
const OWN: &str = "/proc/thread-self/ns/net";

/// A pair of interfaces to make.
pub(super) struct Ends<'a> {
    /// The name of the end here.
    pub(super) name: &'a str,
    /// The name of the other end.
    pub(super) peer: &'a str,
    pub(super) peer_mac: Option<[u8; 6]>,
    pub(super) mtu: Option<u32>,
}

/// Makes a pair of interfaces: one here, which is up, and one in another namespace.
pub(super) fn add_pair(network: &mut Handle, ends: &Ends<'_>, netns: &Path) -> Result<(), LinkError> {
    let netns = Namespace::open(netns)?;
    let Ends { name, peer, peer_mac, mtu } = *ends;
    let veth = Veth { name, mac: None, bridge: None, is_up: true, mtu, peer, peer_mac, netns: netns.as_fd() };
    network.ask([Request::add_veth(&veth)])?;
    Ok(())
}

/// Makes a pair of interfaces that are both here, and up.
pub(super) fn add_pair_here(network: &mut Handle, name: &str, peer: &str) -> Result<(), LinkError> {
    add_pair(network, &Ends { name, peer, peer_mac: None, mtu: None }, Path::new(OWN))?;
    network.ask([Request::bring_up(peer)])?;
    Ok(())
}
