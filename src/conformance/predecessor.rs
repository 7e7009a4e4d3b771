//! Stands in for the plugins before a chained one: makes the interfaces, addresses and routes of a previous result,
//! with gateways that answer.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use super::container::Container;
use super::finding::{Verdict, not_applicable};
use super::network::add_pair;
use super::previous::{Pair, is_inside, made_up, moved, pairs};
use crate::link::{Handle, Link, Request};
use crate::result::AddResult;
use crate::result::v100::{Body, Ip};
use crate::spec::{IpNet, Route};

/// Adds an interface to a container, and says so as a plugin does.
pub(super) fn add(container: &Container<'_>, ifname: &str) -> Verdict<AddResult> {
    let body = match &container.bench.subject.previous {
        Some(given) => moved(given.latest(), container.number),
        None => moved(made_up(ifname), container.number),
    };
    let mut predecessor = Predecessor { container, host: Handle::here()?, body };
    predecessor.make(ifname)?;
    Ok(predecessor.body.into())
}

struct Predecessor<'c> {
    container: &'c Container<'c>,
    host: Handle,
    /// The result, which becomes true.
    body: Body,
}

impl Predecessor<'_> {
    fn make(&mut self, ifname: &str) -> Verdict {
        for interface in self.body.interfaces.iter_mut().filter(|interface| is_inside(interface)) {
            interface.sandbox = Some(self.container.netns.clone());
        }
        let pairs = pairs(&mut self.body, self.container.number, ifname);
        self.make_bridges(&pairs)?;
        pairs.iter().try_for_each(|pair| self.make_pair(pair))?;
        if let Some(first) = pairs.first() {
            self.body.routes.iter().try_for_each(|route| self.add_route(&pairs, first, route))?;
        }
        self.say_what_is_there()
    }

    /// Interfaces on the host that are not an end of a pair: all containers share them.
    fn make_bridges(&mut self, pairs: &[Pair]) -> Verdict {
        let is_alone = |name: &str| pairs.iter().all(|pair| pair.outside != name);
        let outside = self.body.interfaces.iter().filter(|interface| !is_inside(interface));
        for name in outside.map(|interface| interface.name.clone()).filter(|name| is_alone(name)) {
            if self.host.link(&name)?.is_none() {
                self.host.ask([Request::add_link(&name, "bridge"), Request::bring_up(&name)])?;
            }
        }
        Ok(())
    }

    fn make_pair(&mut self, pair: &Pair) -> Verdict {
        let no_veth = |error| not_applicable(format!("this kernel makes no veth interfaces: {error}"));
        add_pair(&mut self.host, &pair.ends(), Path::new(&self.container.netns)).map_err(no_veth)?;
        let outside = self.host.link(&pair.outside)?.unwrap_or_default();
        let ips: Vec<_> = pair.addresses.iter().map(|index| self.body.ips[*index].clone()).collect();
        self.container.inside(|network| {
            let inside = network.link(&pair.inside)?.unwrap_or_default();
            network.ask([Request::bring_up("lo"), Request::set_up(inside.index)])?;
            let add = |ip: &Ip| Request::add_address(inside.index, ip.address, false);
            network.ask_all(ips.iter().map(add).collect())
        })?;
        self.answer(&outside, &ips)
    }

    /// Gives the gateways of some addresses to the other end, and the host the way back.
    fn answer(&mut self, outside: &Link, ips: &[Ip]) -> Verdict {
        let routed = self.body.routes.iter().filter_map(|route| route.gw);
        let gateways: BTreeSet<IpAddr> = ips.iter().filter_map(|ip| ip.gateway).chain(routed).collect();
        let of_same_family = |ip: IpAddr| ips.iter().any(|other| other.address.is_ipv4() == ip.is_ipv4());
        let mut requests = Vec::new();
        for gateway in gateways.into_iter().filter(|gateway| of_same_family(*gateway)) {
            requests.push(Request::add_address(outside.index, alone(gateway), false));
        }
        for ip in ips {
            requests.push(Request::add_route(outside.index, &Route::new(alone(ip.address.addr()))));
        }
        self.host.ask_all(requests)?;
        Ok(())
    }

    /// Adds a route out of the interface whose network has the gateway.
    fn add_route(&self, pairs: &[Pair], first: &Pair, route: &Route) -> Verdict {
        let reaches = |pair: &&Pair| {
            let mut nets = pair.addresses.iter().map(|index| self.body.ips[*index].address);
            route.gw.is_some_and(|gw| nets.any(|net| net.contains(gw)))
        };
        let inside = &pairs.iter().find(reaches).unwrap_or(first).inside;
        self.container.inside(|network| {
            let link = network.link(inside)?.unwrap_or_default();
            network.ask([Request::add_route(link.index, route)])
        })?;
        Ok(())
    }

    /// Puts into the result what only the kernel knows.
    fn say_what_is_there(&mut self) -> Verdict {
        let (inside, outside) = (self.container.view()?.links, self.host.links()?);
        for interface in &mut self.body.interfaces {
            let links = if is_inside(interface) { &inside } else { &outside };
            if let Some(link) = links.iter().find(|link| link.name == interface.name) {
                interface.mac = link.mac.clone();
                interface.mtu = interface.mtu.map(|_| link.mtu.into());
            }
        }
        Ok(())
    }
}

/// The network of nothing but one address.
fn alone(ip: IpAddr) -> IpNet {
    IpNet::new(ip, if ip.is_ipv4() { 32 } else { 128 }).expect("the length of an address")
}
