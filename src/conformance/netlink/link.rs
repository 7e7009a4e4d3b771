//! Network interfaces.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::message::{Request, attribute, list_of, number, terminated, text, words};

const NEWLINK: u16 = 16;
const DELLINK: u16 = 17;
const GETLINK: u16 = 18;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINKINFO: u16 = 18;
const IFLA_NET_NS_FD: u16 = 28;
const INFO_KIND: u16 = 1;
const INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;

const UP: u32 = 1;

/// The index of `lo`, in every namespace.
pub(crate) const LOOPBACK: u32 = 1;

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Link {
    pub(crate) name: String,
    pub(crate) index: u32,
    /// In lower case, with colons; empty where it has none.
    pub(crate) mac: String,
    pub(crate) mtu: u32,
    pub(crate) up: bool,
}

/// Family and type, index, flags, and which of them to change.
fn body(index: u32, flags: u32, change: u32) -> Vec<u8> {
    words(&[0, index, flags, change])
}

pub(crate) fn links() -> io::Result<Vec<Link>> {
    let listed = Request::route(GETLINK, &body(0, 0, 0)).list()?;
    Ok(listed.iter().filter_map(|entry| link(entry)).collect())
}

fn link(entry: &[u8]) -> Option<Link> {
    let (fixed, attributes) = entry.split_at_checked(16)?;
    let mac = attribute(attributes, IFLA_ADDRESS).unwrap_or_default();
    Some(Link {
        name: text(attribute(attributes, IFLA_IFNAME)?),
        index: number(&fixed[4..]),
        mac: mac.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"),
        mtu: attribute(attributes, IFLA_MTU).map_or(0, number),
        up: number(&fixed[8..]) & UP != 0,
    })
}

pub(crate) fn link_named(name: &str) -> io::Result<Link> {
    let found = links()?.into_iter().find(|link| link.name == name);
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no interface `{name}`")))
}

pub(crate) fn set_up(index: u32) -> io::Result<()> {
    Request::route(NEWLINK, &body(index, UP, UP)).carry_out()
}

pub(crate) fn delete_link(index: u32) -> io::Result<()> {
    Request::route(DELLINK, &body(index, 0, 0)).carry_out()
}

/// Makes an interface of a kind that needs to know nothing else.
pub(crate) fn create_link(name: &str, kind: &str) -> io::Result<()> {
    let info = list_of([(INFO_KIND, kind.as_bytes())]);
    Request::route(NEWLINK, &body(0, 0, 0)).with(IFLA_IFNAME, &terminated(name)).with(IFLA_LINKINFO, &info).create()
}

/// Makes a pair of interfaces, the second of them in another namespace where one is given.
pub(crate) fn create_veth(name: &str, peer: &str, peer_netns: Option<BorrowedFd>) -> io::Result<()> {
    let mut end = body(0, 0, 0);
    end.extend(list_of([(IFLA_IFNAME, &terminated(peer))]));
    if let Some(netns) = peer_netns {
        let fd = u32::try_from(netns.as_raw_fd()).map_err(io::Error::other)?;
        end.extend(list_of([(IFLA_NET_NS_FD, &words(&[fd]))]));
    }
    let data = list_of([(VETH_INFO_PEER, &end)]);
    let info = list_of([(INFO_KIND, b"veth"), (INFO_DATA, &data)]);
    Request::route(NEWLINK, &body(0, 0, 0)).with(IFLA_IFNAME, &terminated(name)).with(IFLA_LINKINFO, &info).create()
}
