//! The container's side: addresses, routes, the interface up.

use std::fs;
use std::path::Path;

use libcni::plugin::netns::run_in;
use libcni::plugin::{Answer, Failure};
use libcni::result::v100::Body;

use crate::config::Config;
use crate::route::{Handle, Link, Request};

/// Configures the container's end with what the result says, and returns it.
pub(crate) fn configure(netns: &Path, ifname: &str, config: &Config, body: &Body) -> Answer<Link> {
    run_in(netns, || configure_here(ifname, config, body))?
}

fn configure_here(ifname: &str, config: &Config, body: &Body) -> Answer<Link> {
    let mut inside = Handle::host()?;
    let link = inside.link(ifname)?;
    let link = link.ok_or_else(|| Failure::internal(format!("interface `{ifname}` is not in the namespace")))?;
    if config.disable_container_interface {
        return Ok(link);
    }
    set_sysctls(ifname, body)?;
    let addresses = body.ips.iter().map(|ip| Request::add_address(link.index, ip.address, config.enabledad));
    // Addresses before the interface is up, so that the kernel announces them when it comes up.
    let requests = addresses.chain([Request::set_up(link.index)]);
    let routes = body.routes.iter().map(|route| Request::add_route(link.index, &resolved(route, body)));
    inside.ask_all(requests.chain(routes).collect())?;
    Ok(link)
}

/// The route with a next hop: its own, or the gateway of its family.
fn resolved(route: &libcni::spec::Route, body: &Body) -> libcni::spec::Route {
    let same_family = |ip: &&libcni::result::v100::Ip| ip.address.is_ipv4() == route.dst.is_ipv4();
    let gateway = body.ips.iter().filter(same_family).find_map(|ip| ip.gateway);
    libcni::spec::Route { gw: route.gw.or(gateway), ..route.clone() }
}

/// Makes the kernel announce new addresses, so that neighbours forget who had them before; and lets the interface
/// have IPv6 addresses, where containers are made without.
fn set_sysctls(ifname: &str, body: &Body) -> Answer {
    set(&format!("/proc/sys/net/ipv4/conf/{ifname}/arp_notify"), "1")?;
    if body.ips.iter().any(|ip| !ip.address.is_ipv4()) {
        set(&format!("/proc/sys/net/ipv6/conf/{ifname}/disable_ipv6"), "0")?;
        set(&format!("/proc/sys/net/ipv6/conf/{ifname}/ndisc_notify"), "1")?;
    }
    Ok(())
}

fn set(path: &str, value: &str) -> Answer {
    fs::write(path, value).map_err(|e| Failure::internal(format!("cannot set {path}: {e}")))
}

/// Deletes the container's interface, and with it the host's end; fine when interface or namespace is gone.
pub(crate) fn delete(netns: &Path, ifname: &str) -> Answer {
    match Handle::inside(netns) {
        Ok(inside) => {
            inside?.ask([Request::delete_link(ifname)])?;
            Ok(())
        }
        Err(error) if error.is_gone() => Ok(()),
        Err(error) => Err(error.into()),
    }
}
