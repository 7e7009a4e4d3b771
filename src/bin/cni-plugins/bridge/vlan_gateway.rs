//! The interface that is the gateway of a VLAN.

use std::fs::File;
use std::os::fd::AsFd;

use libcni::link::{Handle, Link, Request, Veth};
use libcni::plugin::{Answer, Failure};
use libcni::spec::IfName;
use nix::errno::Errno;

use crate::bridge::config::Config;
use crate::bridge::vlan::Vlans;
use crate::invalid::invalid;
use crate::mac;
use crate::names::host_name;
use crate::sysctl::Ipv6Settings;

/// The name of the interface that is the gateway of a VLAN.
pub(crate) fn name(bridge: &str, vlan: u16) -> String {
    format!("{bridge}.{vlan}")
}

/// The interface that is the gateway of the network's VLAN: a pair of veths, one end of which is a port of the bridge.
/// It is made when it is not there, and stays as the bridge does.
pub(crate) fn ensure(
    host: &mut Handle,
    settings: &Ipv6Settings,
    bridge: &Link,
    vlan: u16,
    config: &Config,
) -> Answer<Link> {
    let name = name(&bridge.name, vlan);
    if IfName::new(&*name).is_err() {
        let msg = format!("the gateway of VLAN {vlan} would be interface `{name}`, whose name is too long");
        return Err(invalid(msg));
    }
    if host.link(&name)?.is_none() {
        make(host, &name, bridge, vlan)?;
    }
    // Containers are its neighbours.
    settings.ensure(&name, "accept_ra", "0")?;
    let missing = || Failure::internal(format!("interface `{name}` is gone"));
    let link = host.link(&name)?.ok_or_else(missing)?;
    let port = link.peer.filter(|_| link.kind.as_deref() == Some("veth")).map(|peer| host.link_at(peer)).transpose()?;
    if let Some(port) = port.flatten().filter(|port| port.peer == Some(link.index)) {
        settings.ensure(&port.name, "accept_ra", "0")?;
        // The ADD that made it may not have finished.
        let mut requests = vec![Request::set_master(port.index, bridge.index)];
        requests.extend(Vlans::untagged(vlan).requests(bridge, port.index, config.preserve_default_vlan));
        requests.push(Request::set_up(port.index));
        host.ask_all(requests)?;
    }
    host.ask([Request::set_up(link.index)])?;
    Ok(link)
}

fn make(host: &mut Handle, name: &str, bridge: &Link, vlan: u16) -> Answer {
    const OWN: &str = "/proc/thread-self/ns/net";
    let netns = File::open(OWN).map_err(|e| Failure::internal(format!("cannot open {OWN}: {e}")))?;
    let peer = host_name(&bridge.name, "vlan", &vlan.to_string());
    let veth =
        Veth::new(name, &peer, netns.as_fd()).is_up(false).mtu(Some(bridge.mtu)).peer_mac(mac::random_for_port());
    // Another ADD at the same time may have been faster.
    host.ask([Request::add_veth(&veth).fine_with(&[Errno::EEXIST as i32])])?;
    Ok(())
}
