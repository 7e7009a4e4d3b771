//! Stands in for the plugin before a chained one: a pair of interfaces, an address, a default route.

use std::fs::File;
use std::net::IpAddr;
use std::os::fd::AsFd;

use crate::result::AddResult;
use crate::result::v100::{Body, Interface, Ip};
use crate::spec::{IpNet, Route};

use super::container::Container;
use super::finding::{Verdict, not_applicable};
use crate::conformance::netlink::{LOOPBACK, add_address, add_route, create_veth, link_named, set_up};

/// Adds an interface to a container, and says so as a plugin does.
pub(super) fn add(container: &Container<'_>, ifname: &str) -> Verdict<AddResult> {
    let outside = format!("before{}", container.number);
    let netns = File::open(&container.netns)?;
    let no_veth = |error| not_applicable(format!("this kernel makes no veth interfaces: {error}"));
    create_veth(&outside, ifname, Some(netns.as_fd())).map_err(no_veth)?;
    let port = link_named(&outside)?;
    set_up(port.index)?;
    let (address, gateway) = addresses(container.number);
    let inside = container.inside(|| {
        let link = link_named(ifname)?;
        [LOOPBACK, link.index].into_iter().try_for_each(set_up)?;
        add_address(link.index, address)?;
        add_route(anywhere(), Some(gateway), link.index)?;
        link_named(ifname)
    })?;
    let host = Interface { name: outside, mac: Some(port.mac), ..Interface::default() };
    let own = Interface {
        name: ifname.to_owned(),
        mac: Some(inside.mac),
        sandbox: Some(container.netns.clone()),
        ..Interface::default()
    };
    let ip = Ip { interface: Some(1), gateway: Some(gateway), ..Ip::new(address) };
    let routes = vec![Route::new(anywhere()).via(gateway)];
    Ok(Body { interfaces: vec![host, own], ips: vec![ip], routes, ..Body::default() }.into())
}

/// An address that no other container of the host has, and its gateway.
fn addresses(number: usize) -> (IpNet, IpAddr) {
    let last = u8::try_from(number % 250 + 2).expect("less than 252");
    (IpNet::new([10, 99, 0, last].into(), 24).expect("a prefix length"), [10, 99, 0, 1].into())
}

fn anywhere() -> IpNet {
    IpNet::new([0, 0, 0, 0].into(), 0).expect("a prefix length")
}
