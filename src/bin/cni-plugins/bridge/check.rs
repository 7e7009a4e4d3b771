//! CHECK: what ADD made is there, and as its result says.

use std::path::Path;

use libcni::netns::run_in;
use libcni::plugin::{Answer, Failure};
use libcni::result::v100::{Body, Interface};
use libcni::spec::{IpNet, Route};

use crate::bridge::antispoof::{self, Port};
use crate::bridge::config::Config;
use crate::bridge::container::routes;
use crate::bridge::result::gateways;
use crate::bridge::{Names, mac};
use crate::nft::masquerade;
use crate::takeover;
use libcni::link::{Handle, Link};

fn different(what: impl std::fmt::Display) -> Failure {
    Failure::internal(format!("CHECK: {what}"))
}

/// The rules on the host.
pub(crate) fn rules(config: &Config, body: &Body, ifname: &str, names: &Names) -> Answer {
    for ip in body.ips.iter().filter(|_| config.ip_masq) {
        // The reference plugin may have added the container.
        let by_others = || takeover::masquerade::is_there(&names.owner, ip.address);
        masquerade::check(&names.owner, ip.address).or_else(|missing| accepted(by_others()?, missing))?;
    }
    let mac = body.interfaces.iter().find(|i| i.sandbox.is_some() && i.name == ifname).and_then(|i| i.mac.as_deref());
    match mac.filter(|_| config.macspoofchk) {
        Some(mac) => {
            let port = Port { name: &names.port, mac: mac::parse(mac)? };
            let by_others = || takeover::antispoof::is_there(&names.owner);
            antispoof::check(&names.owner, port).or_else(|missing| accepted(by_others()?, missing))
        }
        None => Ok(()),
    }
}

fn accepted(is_there: bool, missing: Failure) -> Answer {
    if is_there { Ok(()) } else { Err(missing) }
}

/// The host's side: the bridge, its gateway addresses, the port.
pub(crate) fn host(config: &Config, body: &Body, port: &str) -> Answer {
    let mut host = Handle::here()?;
    let bridge = host.link(&config.bridge)?.ok_or_else(|| different(format!("bridge `{}` is gone", config.bridge)))?;
    if bridge.kind.as_deref() != Some("bridge") || !bridge.is_up {
        return Err(different(format!("`{}` is not a bridge that is up", config.bridge)));
    }
    let addresses = addresses(&mut host, &bridge)?;
    for gateway in gateways(body).iter().filter(|_| config.is_gateway) {
        if !addresses.contains(gateway) {
            return Err(different(format!("bridge `{}` has lost address {gateway}", bridge.name)));
        }
    }
    match host.link(&recorded_port(body, &bridge).unwrap_or(port.to_owned()))? {
        Some(link) if link.master == Some(bridge.index) => Ok(()),
        Some(link) => Err(different(format!("`{}` is no port of bridge `{}`", link.name, bridge.name))),
        None => Err(different(format!("the port of the container at bridge `{}` is gone", bridge.name))),
    }
}

/// The host's end as the result has it, after the bridge: another implementation may have called it otherwise.
fn recorded_port(body: &Body, bridge: &Link) -> Option<String> {
    let mut after_bridge = body.interfaces.iter().skip_while(|i| i.name != bridge.name).skip(1);
    let port = after_bridge.find(|i: &&Interface| i.sandbox.is_none());
    port.map(|interface| interface.name.clone())
}

/// The container's side: the interface, its hardware address, addresses and routes.
pub(crate) fn container(netns: &Path, ifname: &str, config: &Config, body: &Body) -> Answer {
    run_in(netns, || container_here(ifname, config, body))?
}

fn container_here(ifname: &str, config: &Config, body: &Body) -> Answer {
    let mut inside = Handle::here()?;
    let link = inside.link(ifname)?.ok_or_else(|| different(format!("interface `{ifname}` is gone")))?;
    let recorded = body.interfaces.iter().find(|i| i.sandbox.is_some() && i.name == ifname);
    let mac = recorded.and_then(|interface| interface.mac.as_deref());
    if mac.is_some_and(|mac| !mac.eq_ignore_ascii_case(&link.mac)) {
        return Err(different(format!("interface `{ifname}` has hardware address {}, not {mac:?}", link.mac)));
    }
    if !link.is_up && !config.disable_container_interface {
        return Err(different(format!("interface `{ifname}` is down")));
    }
    let addresses = addresses(&mut inside, &link)?;
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

fn via(route: &Route) -> String {
    route.gw.map(|gw| format!(" via {gw}")).unwrap_or_default()
}

fn addresses(handle: &mut Handle, link: &Link) -> Answer<Vec<IpNet>> {
    Ok(handle.addresses(link.index)?.into_iter().map(|address| address.address).collect())
}
