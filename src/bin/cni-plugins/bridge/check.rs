//! CHECK: what ADD made is there, and as its result says.

use libcni::link::{Handle, Link};
use libcni::plugin::{Answer, AttachmentCall, Failure};
use libcni::result::v100::{Body, Interface};
use libcni::spec::{IpNet, Route};

use crate::bridge::antispoof::{self, Port};
use crate::bridge::config::Config;
use crate::bridge::recorded::{Recorded, may_have};
use crate::bridge::{result, vlan_gateway};
use crate::chained;
use crate::inside::routes;
use crate::mac;
use crate::names::Names;
use crate::nft::masquerade;
use crate::takeover;

/// The settings that are to be as they were.
struct Expected<'a> {
    config: Config,
    names: Names,
    ifname: &'a str,
    body: &'a Body,
    recorded: Recorded<'a>,
}

pub(crate) fn check(call: &AttachmentCall) -> Answer {
    let config = Config::read(call)?;
    let ifname = call.ifname.as_str();
    let body = &chained::of_interface(call.config.require_prev_result()?.latest(), ifname);
    if let Some(plugin) = call.config.ipam_type()? {
        call.delegate(&plugin).check()?;
    }
    let recorded = Recorded::of(body, &config.bridge, ifname);
    let expected = Expected { config, names: Names::of(call), ifname, body, recorded };
    let port = expected.host()?;
    expected.container(&mut Handle::inside(call.require_netns()?)?, &port)?;
    expected.rules()
}

fn different(what: impl std::fmt::Display) -> Failure {
    Failure::internal(format!("CHECK: {what}"))
}

impl Expected<'_> {
    /// The host's side; returns the port.
    fn host(&self) -> Answer<Link> {
        let config = &self.config;
        let mut host = Handle::here()?;
        let bridge =
            host.link(&config.bridge)?.ok_or_else(|| different(format!("bridge `{}` is gone", config.bridge)))?;
        if bridge.kind.as_deref() != Some("bridge") || !bridge.is_up {
            return Err(different(format!("`{}` is not a bridge that is up", config.bridge)));
        }
        if config.promisc_mode && !bridge.is_promiscuous {
            return Err(different(format!("bridge `{}` is not promiscuous", config.bridge)));
        }
        hardware_address(&bridge, self.recorded.bridge)?;
        self.gateway(&mut host, &bridge)?;
        self.port(&mut host, &bridge)
    }

    /// The addresses of the gateway, which the bridge has, or an interface for the VLAN.
    fn gateway(&self, host: &mut Handle, bridge: &Link) -> Answer {
        let gateways = result::gateways(self.body);
        if !self.config.is_gateway || gateways.is_empty() {
            return Ok(());
        }
        let of_vlan = self.config.gateway_vlan().map(|vlan| {
            let name = vlan_gateway::name(&bridge.name, vlan);
            host.link(&name)?.ok_or_else(|| different(format!("the gateway of VLAN {vlan}, `{name}`, is gone")))
        });
        let of_vlan = of_vlan.transpose()?;
        let link = of_vlan.as_ref().unwrap_or(bridge);
        let addresses = addresses(host, link)?;
        match gateways.iter().find(|gateway| !addresses.contains(gateway)) {
            Some(gateway) => Err(different(format!("`{}` has lost address {gateway}", link.name))),
            None => Ok(()),
        }
    }

    /// The host's end.
    fn port(&self, host: &mut Handle, bridge: &Link) -> Answer<Link> {
        // Another implementation may have called it otherwise.
        let port = self.recorded.port.map_or(&self.names.port, |port| &port.name);
        let Some(port) = host.link(port)? else {
            return Err(different(format!("the port of the container at bridge `{}` is gone", bridge.name)));
        };
        if port.master != Some(bridge.index) {
            return Err(different(format!("`{}` is not a port of bridge `{}`", port.name, bridge.name)));
        }
        hardware_address(&port, self.recorded.port)?;
        Ok(port)
    }

    /// The container's side: the other end of the port, its hardware address, addresses and routes.
    fn container(&self, inside: &mut Handle, port: &Link) -> Answer {
        let Self { ifname, body, .. } = *self;
        let link = inside.link(ifname)?.ok_or_else(|| different(format!("interface `{ifname}` is gone")))?;
        if link.peer != Some(port.index) || port.peer != Some(link.index) {
            return Err(different(format!("interface `{ifname}` is not the other end of port `{}`", port.name)));
        }
        hardware_address(&link, self.recorded.inside)?;
        if !link.is_up && !self.config.disable_container_interface {
            return Err(different(format!("interface `{ifname}` is down")));
        }
        let addresses = addresses(inside, &link)?;
        for ip in &body.ips {
            if !addresses.contains(&ip.address) {
                return Err(different(format!("interface `{ifname}` has lost address {}", ip.address)));
            }
        }
        match inside.missing_routes(link.index, &routes(body))?.first() {
            Some(route) => Err(different(format!("the route to {}{} is gone", route.dst, via(route)))),
            None => Ok(()),
        }
    }

    /// The rules on the host.
    fn rules(&self) -> Answer {
        let Self { config, names, .. } = self;
        for ip in self.body.ips.iter().filter(|_| config.ip_masq) {
            // The reference plugin may have added the container.
            let by_others = || takeover::masquerade::is_there(&names.owner, ip.address);
            masquerade::check(&names.owner, ip.address).or_else(|missing| accepted(by_others()?, missing))?;
        }
        let mac = self.recorded.inside.and_then(|interface| interface.mac.as_deref());
        match mac.filter(|_| config.macspoofchk) {
            Some(mac) => {
                let port = Port { name: &names.port, mac: mac::parse(mac)? };
                let by_others = || takeover::antispoof::is_there(&names.owner);
                antispoof::check(&names.owner, port).or_else(|missing| accepted(by_others()?, missing))
            }
            None => Ok(()),
        }
    }
}

fn accepted(is_there: bool, missing: Failure) -> Answer {
    if is_there { Ok(()) } else { Err(missing) }
}

fn hardware_address(link: &Link, recorded: Option<&Interface>) -> Answer {
    match recorded {
        Some(recorded) if !may_have(recorded, link) => {
            let expected = recorded.mac.as_deref().unwrap_or_default();
            Err(different(format!("`{}` has hardware address {}, not {expected}", link.name, mac::shown(link))))
        }
        _ => Ok(()),
    }
}

fn via(route: &Route) -> String {
    route.gw.map(|gw| format!(" via {gw}")).unwrap_or_default()
}

fn addresses(handle: &mut Handle, link: &Link) -> Answer<Vec<IpNet>> {
    Ok(handle.addresses(link.index)?.into_iter().map(|address| address.address).collect())
}
