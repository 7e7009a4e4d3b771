//! `macspoofchk`: a container sends with its own hardware address, or not at all.

use std::sync::LazyLock;

use libcni::plugin::{Answer, Failure};
use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::{InetHookNumber, MetaKey, Operator, Register};

use crate::mac;
use crate::nft::Owner;
use crate::nft::expression::{self, Side};
use crate::nft::owned::{Chain, Change, Entry, Hook, Layout, Map, PlaceBuf};
use crate::nft::reading::Look;

// A frame's port is looked up in a map, which leads to a chain that knows the address behind the port.
static LAYOUT: Layout = Layout {
    table: "libcni_macspoofchk",
    family: NetfilterProtoFamily::Bridge,
    maps: &[PORTS],
    chains: &CHAINS,
    chains_with_turns: Vec::new,
};
static CHAINS: LazyLock<Vec<Chain>> = LazyLock::new(chains);

const PORTS: Map = Map { name: "ports", key_type: 41, key_length: INTERFACE_NAME };
const INTERFACE_NAME: u32 = 16;
/// Before anything else looks at a frame.
const FIRST: i32 = -300;

fn chains() -> Vec<Chain> {
    let hook = Hook { kind: "filter", number: InetHookNumber::PreRouting, priority: FIRST };
    let look_up = vec![expression::meta(MetaKey::Iifname, Register::Reg1), expression::verdict_of(PORTS.name)];
    vec![Chain::base("prerouting", hook, vec![look_up])]
}

/// A port of a bridge, and the only address that may be behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port<'a> {
    pub(crate) name: &'a str,
    pub(crate) mac: [u8; 6],
}

impl Port<'_> {
    fn chain(&self) -> Chain {
        let rule = vec![
            expression::hardware_address(Side::Source, Register::Reg1),
            expression::compare(Register::Reg1, Operator::NotEqual, &self.mac),
            expression::drop_packet(),
        ];
        Chain::inner(format!("port-{}", self.name), vec![rule])
    }

    fn entry(&self, owner: &Owner) -> Entry {
        let (map, key) = place(self.name);
        Entry { map, key, chain: self.chain().name, owner: Some(owner.clone()) }
    }
}

/// Where the element of a port is.
fn place(port: &str) -> PlaceBuf {
    let mut key = port.as_bytes().to_vec();
    key.resize(INTERFACE_NAME as usize, 0);
    (PORTS.name, key)
}

/// Drops frames that come from a port with another address than its own.
pub(crate) fn add(owner: &Owner, port: Port<'_>) -> Answer {
    LAYOUT.change_where(&Look::At(vec![place(port.name)]), |_| {
        Ok(Change { add: vec![port.entry(owner)], own_chains: vec![port.chain()], ..Change::default() })
    })?;
    Ok(())
}

/// Lets go of an attachment's port, and says whether there was one. It is found sooner if it has this name.
pub(crate) fn remove(owner: &Owner, port: &str) -> Answer<bool> {
    Ok(!LAYOUT.remove_of(owner, vec![place(port)])?.is_empty())
}

/// Says whether everything is as [`add`] left it.
pub(crate) fn check(owner: &Owner, port: Port<'_>) -> Answer {
    let (entries, rules) = LAYOUT.contents_where(&Look::At(vec![place(port.name)]))?;
    let is_complete = |chain: &Chain| chain.is_complete(&rules);
    if entries.contains(&port.entry(owner)) && CHAINS.iter().all(is_complete) && is_guarded(port)? {
        return Ok(());
    }
    Err(Failure::internal(format!(
        "table `{}` does not guard port `{}` of {owner}, whose hardware address is {}",
        LAYOUT.table,
        port.name,
        mac::format(port.mac)
    )))
}

/// Returns true if a port's own chain has its one rule, with its address.
fn is_guarded(port: Port<'_>) -> Answer<bool> {
    let listed = LAYOUT.rules_of(&port.chain().name)?;
    let [rule] = &listed[..] else { return Ok(false) };
    Ok(expression::comparisons(rule) == [(Operator::NotEqual, &port.mac[..])])
}

/// Lets go of the ports of those attachments of a network that are not to be kept.
pub(crate) fn retain(network: &str, keep: impl Fn(&Owner) -> bool) -> Answer {
    let is_stale = |owner: &Owner| owner.network == network && !keep(owner);
    LAYOUT.remove(|entry| entry.owner.as_ref().is_some_and(is_stale)).map(drop)
}

/// Says whether this kernel could guard ports.
pub(crate) fn rehearse() -> Answer {
    LAYOUT.rehearse()
}
