//! The host's side: the bridge, its port, its gateway address, forwarding.

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;
use std::os::fd::AsFd;

use libcni::plugin::{Answer, Failure};
use libcni::spec::{ErrorCode, IpNet};
use nix::errno::Errno;

use crate::bridge::config::Config;
use libcni::link::{Handle, Link, LinkError, Port, Request, Veth};

/// The bridge, made and set up as configured.
pub(crate) fn ensure_bridge(host: &mut Handle, config: &Config) -> Answer<Link> {
    let name = config.bridge.as_str();
    let add = Request::add_bridge(name, random_mac(), config.mtu(), config.vlan > 0).fine_with(&[Errno::EEXIST]);
    let [_, found] = host.ask([add, Request::get_link(name)]).map_err(|e| or_without_vlans(e, config))?;
    let bridge = found.into_link().ok_or_else(|| Failure::internal(format!("no answer about link `{name}`")))?;
    if bridge.kind.as_deref() != Some("bridge") {
        let msg = format!("link `{name}` exists but is not a bridge");
        return Err(Failure::new(ErrorCode::INVALID_NETWORK_CONFIG, msg));
    }
    if !bridge.is_up {
        host.ask([Request::set_up(bridge.index)])?;
    }
    if config.vlan > 0 {
        // Somebody may have made it without.
        host.ask([Request::filter_vlans(name)]).map_err(|e| or_without_vlans(e, config))?;
    }
    if config.promisc_mode && !bridge.is_promiscuous {
        host.ask([Request::set_promiscuous(bridge.index)])?;
    }
    Ok(bridge)
}

/// Says what is missing for VLANs, when it is that.
fn or_without_vlans(error: LinkError, config: &Config) -> Failure {
    if config.vlan > 0 && error.is(Errno::EOPNOTSUPP) {
        let msg = "the kernel has no VLAN filtering for bridges (CONFIG_BRIDGE_VLAN_FILTERING), which `vlan` needs";
        return Failure::new(ErrorCode::UNSUPPORTED_FIELD, msg);
    }
    error.into()
}

/// A hardware address for a new bridge. One that the bridge has by itself would change whenever a port comes or goes,
/// and containers would lose their gateway until they ask for it again.
fn random_mac() -> [u8; 6] {
    let random = RandomState::new().build_hasher().finish().to_be_bytes();
    // The lowest bits of the first byte: locally administered, and not a group.
    [random[0] & 0xfc | 0x02, random[1], random[2], random[3], random[4], random[5]]
}

/// What the container's port of the bridge is made of.
pub(crate) struct NewPort<'a> {
    pub(crate) name: &'a str,
    pub(crate) alias: &'a str,
    pub(crate) ifname: &'a str,
    pub(crate) mac: Option<[u8; 6]>,
    pub(crate) netns: &'a File,
}

/// Makes the pair of veths, one end as port of the bridge, the other in the container; returns the host's end.
pub(crate) fn add_port(host: &mut Handle, bridge: &Link, config: &Config, port: &NewPort<'_>) -> Answer<Link> {
    let veth = Veth {
        name: port.name,
        bridge: Some(bridge.index),
        mtu: config.mtu(),
        peer: port.ifname,
        peer_mac: port.mac,
        netns: port.netns.as_fd(),
    };
    host.ask([Request::add_veth(&veth)]).map_err(|error| or_in_the_way(host, port, error))?;
    let finished = finish_port(host, config, port);
    finished.inspect_err(|_| drop(host.ask([Request::delete_link(port.name)])))
}

/// What the kernel means when one end is there already. The host's end goes with the container's, so it is there only
/// as long as the other end is in some namespace, where it may be in use.
fn or_in_the_way(host: &mut Handle, port: &NewPort<'_>, error: LinkError) -> Failure {
    if !error.is(Errno::EEXIST) {
        return error.into();
    }
    match host.link(port.name) {
        Ok(Some(_)) => Failure::internal(format!(
            "interface `{}` of this container is on this network already, in another network namespace (its port on \
             the host is `{}`): DEL comes before another ADD",
            port.ifname, port.name
        )),
        _ => error.into(),
    }
}

fn finish_port(host: &mut Handle, config: &Config, port: &NewPort<'_>) -> Answer<Link> {
    let [_, found] = host.ask([Request::set_alias(port.name, port.alias), Request::get_link(port.name)])?;
    let link = found.into_link().unwrap_or_default();
    let mut requests = Vec::new();
    if config.hairpin_mode || config.port_isolation {
        let port = Port { hairpin: config.hairpin_mode, isolated: config.port_isolation };
        requests.push(Request::set_port(&link.name, port));
    }
    if config.vlan > 0 {
        requests.push(Request::set_port_vlan(link.index, config.vlan));
        if !config.preserve_default_vlan {
            requests.push(Request::remove_port_vlan(link.index, DEFAULT_VLAN));
        }
    }
    host.ask_all(requests)?;
    Ok(link)
}

/// The VLAN that a bridge puts new ports into.
const DEFAULT_VLAN: u16 = 1;

/// Gives the bridge the gateways' addresses, and turns on forwarding for their families.
pub(crate) fn ensure_gateways(host: &mut Handle, bridge: &Link, gateways: &[IpNet], force: bool) -> Answer {
    if gateways.is_empty() {
        return Ok(());
    }
    let present: Vec<_> = host.addresses(bridge.index)?.into_iter().map(|address| address.address).collect();
    for gateway in gateways {
        if !present.contains(gateway) {
            make_room(host, bridge, &present, *gateway, force)?;
            let add = Request::add_address(bridge.index, *gateway, false);
            // Another ADD at the same time may have been faster.
            host.ask([add.fine_with(&[Errno::EEXIST])])?;
        }
        enable_forwarding(gateway.addr())?;
    }
    Ok(())
}

/// An address of the same network, but another one, is in the way.
fn make_room(host: &mut Handle, bridge: &Link, present: &[IpNet], gateway: IpNet, force: bool) -> Answer {
    for other in present.iter().filter(|other| other.overlaps(&gateway)) {
        if !force {
            let msg = format!("bridge `{}` already has address {other}, which is not {gateway}", bridge.name);
            return Err(Failure::internal(msg));
        }
        host.ask([Request::delete_address(bridge.index, *other)])?;
    }
    Ok(())
}

fn enable_forwarding(family_of: IpAddr) -> Answer {
    let path = match family_of {
        IpAddr::V4(_) => "/proc/sys/net/ipv4/ip_forward",
        IpAddr::V6(_) => "/proc/sys/net/ipv6/conf/all/forwarding",
    };
    let failed = |e: std::io::Error| Failure::internal(format!("cannot turn on forwarding ({path}): {e}"));
    // Written only when needed: writing makes the kernel go through all interfaces.
    if fs::read_to_string(path).map_err(failed)?.trim() != "1" {
        fs::write(path, "1").map_err(failed)?;
    }
    Ok(())
}
