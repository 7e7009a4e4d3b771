//! Pairs of interfaces, for the networks that checks are made on.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use crate::Chain;
use crate::link::{Handle, LinkError, Request, Veth};

/// The namespace of the calling thread.
const OWN: &str = "/proc/thread-self/ns/net";

/// The network is not as it was to be.
#[derive(Debug, thiserror::Error)]
pub(super) enum NetworkError {
    #[error("{}", Chain(.0))]
    Link(#[from] LinkError),
    #[error("cannot open the network namespace {netns}: {source}")]
    Open { netns: String, source: io::Error },
}

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
pub(super) fn add_pair(network: &mut Handle, ends: &Ends<'_>, netns: &Path) -> Result<(), NetworkError> {
    let open = |source| NetworkError::Open { netns: netns.display().to_string(), source };
    let netns = File::open(netns).map_err(open)?;
    let Ends { name, peer, peer_mac, mtu } = *ends;
    let veth = Veth { name, mac: None, bridge: None, is_up: true, mtu, peer, peer_mac, netns: netns.as_fd() };
    network.ask([Request::add_veth(&veth)])?;
    Ok(())
}

/// Makes a pair of interfaces that are both here, and up.
pub(super) fn add_pair_here(network: &mut Handle, name: &str, peer: &str) -> Result<(), NetworkError> {
    add_pair(network, &Ends { name, peer, peer_mac: None, mtu: None }, Path::new(OWN))?;
    network.ask([Request::bring_up(peer)])?;
    Ok(())
}
