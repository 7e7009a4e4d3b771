//! The container's side: addresses, routes, the interface up.

use std::fs;
use std::path::Path;

use libcni::netns::run_in;
use libcni::plugin::{Answer, Failure};
use libcni::result::v100::{Body, Ip};
use libcni::spec::{ErrorCode, Object, Route};

use crate::bridge::config::Config;
use libcni::link::{Handle, Link, Request};

/// The container's side, and the link there.
pub(crate) struct Inside<'a> {
    pub(crate) netns: &'a Path,
    pub(crate) handle: Handle,
}

impl<'a> Inside<'a> {
    /// Gets a hold of a namespace that may not have the interface already.
    pub(crate) fn new(netns: &'a Path, ifname: &str) -> Answer<Self> {
        let mut handle = Handle::inside(netns)?;
        match handle.link(ifname)? {
            None => Ok(Self { netns, handle }),
            Some(_) => {
                let msg = format!("interface `{ifname}` is in the container already");
                Err(Failure::new(ErrorCode::INVALID_ENVIRONMENT, msg))
            }
        }
    }

    /// The container's end, once it is there.
    pub(crate) fn link(&mut self, ifname: &str) -> Answer<Link> {
        let missing = || Failure::internal(format!("interface `{ifname}` is not in the namespace"));
        self.handle.link(ifname)?.ok_or_else(missing)
    }

    /// Configures the container's end with what the result says.
    pub(crate) fn configure(&mut self, link: &Link, config: &Config, body: &Body) -> Answer {
        if body.ips.iter().any(|ip| !ip.address.is_ipv4()) {
            run_in(self.netns, || set_sysctls(&link.name))??;
        }
        let addresses = body.ips.iter().map(|ip| Request::add_address(link.index, ip.address, config.enabledad));
        // Addresses before the interface is up, so that the kernel announces them when it comes up.
        let requests =
            [Request::arp_notify(link.index)].into_iter().chain(addresses).chain([Request::set_up(link.index)]);
        let routes = routes(body);
        routes.iter().try_for_each(fits)?;
        let routes = routes.iter().map(|route| Request::add_route(link.index, route));
        self.handle.ask_all(requests.chain(routes).collect())?;
        Ok(())
    }
}

/// The routes as the kernel gets them: each once, with its destination's host bits cleared, and with a next hop, its own
/// or the gateway of its family.
pub(crate) fn routes(body: &Body) -> Vec<Route> {
    let gateway = |route: &Route| {
        let same_family = |ip: &&Ip| ip.address.is_ipv4() == route.dst.is_ipv4();
        body.ips.iter().filter(same_family).find_map(|ip| ip.gateway)
    };
    let mut routes = Vec::new();
    for route in &body.routes {
        let gw = route.gw.or_else(|| gateway(route));
        let route = Route { dst: route.dst.network(), gw, extra: Object::new(), ..route.clone() };
        if !routes.contains(&route) {
            routes.push(route);
        }
    }
    routes
}

/// Says whether the kernel's messages have room for the numbers of a route.
fn fits(route: &Route) -> Answer {
    let numbers = [
        ("mtu", route.mtu, u32::MAX),
        ("advmss", route.advmss, u32::MAX),
        ("priority", route.priority, u32::MAX),
        ("table", route.table, u32::MAX),
        ("scope", route.scope, u8::MAX.into()),
    ];
    for (key, number, most) in numbers {
        if let Some(number) = number.filter(|number| !(0..=i64::from(most)).contains(number)) {
            return Err(Failure::internal(format!("`{key}` of the route to {} can't be {number}", route.dst)));
        }
    }
    Ok(())
}

/// Lets the interface have IPv6 addresses, where containers are made without, and makes the kernel announce them. There
/// is no netlink request for that.
fn set_sysctls(ifname: &str) -> Answer {
    set(&format!("/proc/sys/net/ipv6/conf/{ifname}/disable_ipv6"), "0")?;
    set(&format!("/proc/sys/net/ipv6/conf/{ifname}/ndisc_notify"), "1")
}

fn set(path: &str, value: &str) -> Answer {
    fs::write(path, value).map_err(|e| Failure::internal(format!("cannot set {path}: {e}")))
}

/// Deletes the container's interface, and with it the host's end; fine when interface or namespace is gone.
pub(crate) fn delete(netns: &Path, ifname: &str) -> Answer {
    match Handle::inside(netns) {
        Ok(mut inside) => {
            inside.ask([Request::delete_link(ifname)])?;
            Ok(())
        }
        Err(error) if error.is_gone() => Ok(()),
        Err(error) => Err(error.into()),
    }
}
