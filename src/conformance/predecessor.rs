//! Stands in for the plugin before a chained one: a pair of interfaces, an address, a default route.

use std::net::IpAddr;
use std::path::Path;

use crate::result::AddResult;
use crate::result::v100::{Body, Interface, Ip};
use crate::spec::{IpNet, Route};

use super::container::Container;
use super::finding::{Verdict, not_applicable};
use super::network::add_pair;
use crate::link::{Handle, Request};

/// Adds an interface to a container, and says so as a plugin does.
pub(super) fn add(container: &Container<'_>, ifname: &str) -> Verdict<AddResult> {
    let outside = format!("before{}", container.number);
    let mut host = Handle::here()?;
    let no_veth = |error| not_applicable(format!("this kernel makes no veth interfaces: {error}"));
    add_pair(&mut host, &outside, ifname, Path::new(&container.netns)).map_err(no_veth)?;
    let port = host.link(&outside)?.unwrap_or_default();
    let (address, gateway) = addresses(container.number);
    let route = Route::new(anywhere()).via(gateway);
    let inside = container.inside(|network| {
        let link = network.link(ifname)?.unwrap_or_default();
        network.ask([
            Request::bring_up("lo"),
            Request::set_up(link.index),
            Request::add_address(link.index, address, false),
            Request::add_route(link.index, &route),
        ])?;
        Ok(link)
    })?;
    let host = Interface { name: outside, mac: Some(port.mac), ..Interface::default() };
    let own = Interface {
        name: ifname.to_owned(),
        mac: Some(inside.mac),
        sandbox: Some(container.netns.clone()),
        ..Interface::default()
    };
    let ip = Ip { interface: Some(1), gateway: Some(gateway), ..Ip::new(address) };
    Ok(Body { interfaces: vec![host, own], ips: vec![ip], routes: vec![route], ..Body::default() }.into())
}

/// An address that no other container of the host has, and its gateway.
fn addresses(number: usize) -> (IpNet, IpAddr) {
    let last = u8::try_from(number % 250 + 2).expect("less than 252");
    (IpNet::new([10, 99, 0, last].into(), 24).expect("a prefix length"), [10, 99, 0, 1].into())
}

fn anywhere() -> IpNet {
    IpNet::new([0, 0, 0, 0].into(), 0).expect("a prefix length")
}
