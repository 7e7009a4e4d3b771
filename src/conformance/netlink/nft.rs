//! Chains and rules of nftables, which iptables' rules are today as well.

use std::collections::BTreeMap;
use std::io;

use nix::errno::Errno;
use nix::sys::socket::SockProtocol;

use super::message::{Request, attribute, text};

const NFTABLES: u16 = 10 << 8;
const GETCHAIN: u16 = NFTABLES | 4;
const GETRULE: u16 = NFTABLES | 7;

const CHAIN_TABLE: u16 = 1;
const CHAIN_NAME: u16 = 3;
const RULE_TABLE: u16 = 1;
const RULE_CHAIN: u16 = 2;

/// How many rules each chain has. A chain is named with its family and table: `ip nat POSTROUTING`.
pub(crate) fn chains() -> io::Result<BTreeMap<String, usize>> {
    let mut chains = BTreeMap::new();
    for entry in list(GETCHAIN)? {
        chains.entry(name(&entry, CHAIN_TABLE, CHAIN_NAME)).or_default();
    }
    for entry in list(GETRULE)? {
        *chains.entry(name(&entry, RULE_TABLE, RULE_CHAIN)).or_default() += 1;
    }
    Ok(chains)
}

fn list(kind: u16) -> io::Result<Vec<Vec<u8>>> {
    // Any family; version 0.
    let listed = Request::new(SockProtocol::NetlinkNetFilter, kind, &[0; 4]).list();
    match listed.as_ref().map_err(|error| error.raw_os_error().map(Errno::from_raw)) {
        // A kernel without nftables, or without netfilter, has no rules.
        Err(Some(Errno::EINVAL | Errno::EPROTONOSUPPORT)) => Ok(Vec::new()),
        _ => listed,
    }
}

fn name(entry: &[u8], table: u16, chain: u16) -> String {
    let (fixed, attributes) = entry.split_at_checked(4).unwrap_or_default();
    let family = match fixed.first() {
        Some(1) => "inet",
        Some(2) => "ip",
        Some(3) => "arp",
        Some(5) => "netdev",
        Some(7) => "bridge",
        Some(10) => "ip6",
        _ => "?",
    };
    let value = |kind| attribute(attributes, kind).map(text).unwrap_or_default();
    format!("{family} {} {}", value(table), value(chain))
}
