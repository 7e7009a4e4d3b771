//! ADD.

use libcni::link::{Handle, Link};
use libcni::netns::Namespace;
use libcni::plugin::{Answer, AttachmentCall, Delegated, Failure};
use libcni::result::AddResult;
use libcni::result::v100::Body;

use crate::bridge::config::Config;
use crate::bridge::gateway::{self, Others};
use crate::bridge::port::{self, NewPort};
use crate::bridge::{host, remove, result, vlan_gateway};
use crate::chained;
use crate::host_local;
use crate::inside::{Duplicates, Inside};
use crate::mac::{self, Mac};
use crate::names::Names;
use crate::nft::{Owner, masquerade};
use crate::sysctl::Ipv6Settings;
use crate::threads::both;

/// The plugin that is added, and where.
struct Adding<'a> {
    call: &'a AttachmentCall,
    config: Config,
    names: Names,
    netns: Namespace,
    /// The hardware address of the container's end: chosen here, since a process that waits inside can change it.
    mac: Mac,
    host: Handle,
    settings: Ipv6Settings,
    inside: Inside,
}

pub(crate) fn add(call: &AttachmentCall) -> Answer<AddResult> {
    let config = Config::read(call)?;
    let netns = call.require_netns()?;
    let ipam_type = call.config.ipam_type()?;
    let previous = call.config.prev_result()?;
    let mac = mac::requested(call)?.unwrap_or_else(mac::random);
    let netns = Namespace::open(netns)?;
    let inside = Inside::new(&netns, call.ifname.as_str())?;
    let (names, host, settings) = (Names::of(call), Handle::here()?, Ipv6Settings::here()?);
    let mut adding = Adding { call, config, names, netns, mac, host, settings, inside };
    let bridge = adding.make_port()?;
    // Only now, when the attachment can't be there already: taking back an address asked for once more would free the
    // one that is in use. And some IPAM plugins ask for it through the container's interface.
    let added = adding.complete(&bridge, ipam_type.as_deref());
    // The first error is what the runtime must hear.
    let own = added.inspect_err(|_| drop(remove::undo(&mut adding.host, &adding.names)))?;
    Ok(chained::after(previous, own).into())
}

impl<'a> Adding<'a> {
    /// Makes the port, and returns the bridge as it was before. After an error there is no such port, or another
    /// attachment's as it was.
    fn make_port(&mut self) -> Answer<Link> {
        let bridge = host::ensure_bridge(&mut self.host, &self.settings, &self.config)?;
        let port = NewPort { names: &self.names, ifname: self.call.ifname.as_str(), mac: self.mac, netns: &self.netns };
        port::add(&mut self.host, &self.settings, &bridge, &self.config, &port)?;
        Ok(bridge)
    }

    /// Addresses, routes, gateways and rules.
    fn complete(&mut self, bridge: &Link, ipam_type: Option<&str>) -> Answer<Body> {
        let call: &'a AttachmentCall = self.call;
        // Found before IPAM is asked: a process that waits inside may have removed it.
        let mut inside = self.inside.link(call.ifname.as_str())?;
        // An IPAM plugin that refuses since it knows the attachment would have DEL free the address in use.
        let ipam = ipam_type.map(|plugin| call.delegate(plugin).without_undo().add()).transpose()?;
        let mut body = result::from_ipam(ipam.as_ref().map(Delegated::result), &self.config);
        if ipam.is_some() && body.ips.is_empty() {
            return Err(Failure::internal("the IPAM plugin returned no address"));
        }
        let gateway = if self.config.ip_masq {
            let owner = self.names.owner.clone();
            let (rules, gateway) = both(|| masquerade(&owner, &body), || self.configure(bridge, &inside, &body));
            rules.and(gateway)?
        } else {
            self.configure(bridge, &inside, &body)?
        };
        let (bridge, port) = self.settle(bridge, &inside, &body)?;
        inside.mac = Some(mac::format(self.mac));
        body.interfaces = result::interfaces([&bridge, &port], &inside, self.netns.path());
        body.interfaces.extend(gateway.iter().map(chained::on_host));
        ipam.map(Delegated::keep);
        Ok(body)
    }

    /// Configures both ends, and returns the interface of the gateway, where it is not the bridge itself.
    fn configure(&mut self, bridge: &Link, inside: &Link, body: &Body) -> Answer<Option<Link>> {
        let gateway = self.make_gateway(bridge, body)?;
        if !self.config.disable_container_interface {
            let duplicates = if self.config.enabledad { Duplicates::Detect } else { Duplicates::Ignore };
            self.inside.configure(inside, duplicates, body)?;
        }
        Ok(gateway)
    }

    /// The addresses of the gateway, and the interface that has them, where it is not the bridge itself.
    fn make_gateway(&mut self, bridge: &Link, body: &Body) -> Answer<Option<Link>> {
        let gateways = result::gateways(body);
        if !self.config.is_gateway || gateways.is_empty() {
            return Ok(None);
        }
        let host = &mut self.host;
        let vlan = self.config.gateway_vlan();
        let of_vlan = vlan.map(|vlan| vlan_gateway::ensure(host, &self.settings, bridge, vlan, &self.config));
        let of_vlan = of_vlan.transpose()?;
        let of_network = || host_local::gateways(&self.call.config);
        let others = Others { of_network: &of_network, force: self.config.force_address };
        gateway::ensure(host, of_vlan.as_ref().unwrap_or(bridge), &gateways, &others)?;
        Ok(of_vlan)
    }

    /// Waits until everything can be used, and returns the bridge and the port as they are then.
    fn settle(&mut self, before: &Link, inside: &Link, body: &Body) -> Answer<(Link, Link)> {
        let (mut bridge, port) = port::settle(&mut self.host, &self.names.port, &self.config)?;
        self.inside.settle(&inside.name, body)?;
        if self.config.is_gateway && bridge.mac == port.mac {
            // Somebody else's bridge, which took the address of its only port.
            bridge.mac = Some(gateway::pin(&mut self.host, before)?);
        }
        Ok((bridge, port))
    }
}

fn masquerade(owner: &Owner, body: &Body) -> Answer {
    let addresses: Vec<_> = body.ips.iter().map(|ip| ip.address).collect();
    masquerade::add(owner, &addresses)
}
