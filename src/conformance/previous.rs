//! Previous results for a chained plugin, as values: a made-up one, and the things that make a result true.

use std::net::IpAddr;

use super::network::Ends;
use crate::result::v100::{Body, Interface, Ip};
use crate::spec::{IpNet, Route};

/// A pair of interfaces, an address, and a default route.
pub(super) fn made_up(ifname: &str) -> Body {
    let address = IpNet::new([10, 99, 0, 3].into(), 24).expect("a prefix length");
    let gateway = IpAddr::from([10, 99, 0, 1]);
    let host = Interface { name: "before".to_owned(), ..Interface::default() };
    let own = Interface { name: ifname.to_owned(), sandbox: Some("the container".to_owned()), ..Interface::default() };
    let ip = Ip { interface: Some(1), gateway: Some(gateway), ..Ip::new(address) };
    let anywhere = IpNet::new([0, 0, 0, 0].into(), 0).expect("a prefix length");
    let route = Route::new(anywhere).via(gateway);
    Body { interfaces: vec![host, own], ips: vec![ip], routes: vec![route], ..Body::default() }
}

/// The result of another container of the host: with addresses of its own, where the networks have any left.
pub(super) fn moved(mut body: Body, number: usize) -> Body {
    for ip in &mut body.ips {
        ip.address = nth(ip.address, ip.gateway, number.saturating_sub(1));
    }
    body
}

/// The address so many places after one in its network, without the gateway; the one itself where there are no more.
fn nth(first: IpNet, gateway: Option<IpAddr>, places: usize) -> IpNet {
    let is_free = |net: &IpNet| Some(net.addr()) != gateway && net.network() == first.network() && !is_edge(*net);
    let after = (1_u128..).map_while(|step| plus(first, step)).take(2 * places + 2);
    let mut others = std::iter::once(first).chain(after.filter(is_free));
    others.nth(places).unwrap_or(first)
}

/// Returns true if an address is the first or the last of an IPv4 network.
fn is_edge(net: IpNet) -> bool {
    let next = plus(net, 1).is_none_or(|next| next.network() != net.network());
    net.is_ipv4() && (next || net == net.network())
}

fn plus(net: IpNet, step: u128) -> Option<IpNet> {
    let ip = match net.addr() {
        IpAddr::V4(ip) => IpAddr::V4(u32::from(ip).checked_add(step.try_into().ok()?)?.into()),
        IpAddr::V6(ip) => IpAddr::V6(u128::from(ip).checked_add(step)?.into()),
    };
    IpNet::new(ip, net.prefix())
}

/// A pair of interfaces to make.
pub(super) struct Pair {
    /// The name of the end in the container.
    pub(super) inside: String,
    mac: Option<[u8; 6]>,
    mtu: Option<u32>,
    /// The name of the end on the host.
    pub(super) outside: String,
    /// Which addresses of the result the end in the container has.
    pub(super) addresses: Vec<usize>,
}

impl Pair {
    pub(super) fn ends(&self) -> Ends<'_> {
        Ends { name: &self.outside, peer: &self.inside, peer_mac: self.mac, mtu: self.mtu }
    }
}

/// The pairs for a result. The other end of an interface is the last one of the host before it in the list, as plugins
/// say it; it gets a name that no other container's has.
pub(super) fn pairs(body: &mut Body, number: usize, ifname: &str) -> Vec<Pair> {
    let mut outside = None;
    let mut pairs = Vec::new();
    for index in 0..body.interfaces.len() {
        if !is_inside(&body.interfaces[index]) {
            outside = Some(index);
            continue;
        }
        let name = match outside.take() {
            Some(end) => {
                let name = for_container(&body.interfaces[end].name, number);
                body.interfaces[end].name.clone_from(&name);
                name
            }
            None => format!("before{number}-{index}"),
        };
        pairs.push(Pair::of(&body.interfaces[index], name, addresses_of(&body.ips, index, pairs.is_empty())));
    }
    if pairs.is_empty() {
        let unnamed = Interface { name: ifname.to_owned(), ..Interface::default() };
        pairs.push(Pair::of(&unnamed, format!("before{number}"), (0..body.ips.len()).collect()));
    }
    pairs
}

impl Pair {
    fn of(inside: &Interface, outside: String, addresses: Vec<usize>) -> Self {
        let mtu = inside.mtu.and_then(|mtu| mtu.try_into().ok());
        let mac = inside.mac.as_deref().and_then(mac);
        Self { inside: inside.name.clone(), mac, mtu, outside, addresses }
    }
}

/// The places of the addresses that an interface has; the first one has those that say none.
fn addresses_of(ips: &[Ip], interface: usize, is_first: bool) -> Vec<usize> {
    let is_its = |ip: &Ip| match ip.interface {
        Some(index) => usize::try_from(index) == Ok(interface),
        None => is_first,
    };
    ips.iter().enumerate().filter(|(_, ip)| is_its(ip)).map(|(place, _)| place).collect()
}

/// Returns true if an interface is in the container.
pub(super) fn is_inside(interface: &Interface) -> bool {
    interface.sandbox.as_deref().is_some_and(|sandbox| !sandbox.is_empty())
}

/// The longest name of an interface, in bytes.
const LONGEST: usize = 15;

/// A name for the first container as it is, and for others with their number.
fn for_container(name: &str, number: usize) -> String {
    if number == 1 {
        return name.to_owned();
    }
    let number = format!("-{number}");
    let kept: String = name.chars().take(LONGEST.saturating_sub(number.len())).collect();
    kept + &number
}

fn mac(text: &str) -> Option<[u8; 6]> {
    let bytes = text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect::<Option<Vec<_>>>()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_get_addresses_one_after_another_without_gateway_and_edges() {
        let gateway = Some([10, 0, 0, 7].into());
        let nth = |places| nth("10.0.0.5/29".parse().unwrap(), gateway, places).to_string();
        assert_eq!([nth(0), nth(1), nth(2)], ["10.0.0.5/29", "10.0.0.6/29", "10.0.0.5/29"]);
        let v6 = super::nth("fd00::1/64".parse().unwrap(), Some("fd00::2".parse().unwrap()), 1);
        assert_eq!(v6.to_string(), "fd00::3/64");
    }

    #[test]
    fn the_other_end_is_the_last_interface_of_the_host_before_it() {
        let named = |name: &str, sandbox: Option<&str>| Interface {
            name: name.to_owned(),
            sandbox: sandbox.map(str::to_owned),
            ..Interface::default()
        };
        let interfaces = vec![named("cni0", None), named("veth9", None), named("eth0", Some("/x"))];
        let mut body = Body { interfaces, ..Body::default() };
        let pairs = pairs(&mut body, 12, "eth0");
        let ends: Vec<_> = pairs.iter().map(|pair| (pair.outside.as_str(), pair.inside.as_str())).collect();
        assert_eq!(ends, [("veth9-12", "eth0")]);
        assert_eq!(body.interfaces.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(), ["cni0", "veth9-12", "eth0"]);
    }
}
