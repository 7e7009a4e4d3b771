//! The result of ADD: what IPAM said, with interfaces and gateways.

use std::net::IpAddr;
use std::path::Path;

use libcni::result::AddResult;
use libcni::result::v100::{Body, Interface, Ip};
use libcni::spec::{IpNet, Route};

use crate::bridge::config::Config;
use libcni::link::Link;

/// The index of the container's interface in the result.
const CONTAINER: i64 = 2;

/// What IPAM said, with the gateways and routes that the configuration adds.
pub(crate) fn from_ipam(ipam: Option<&AddResult>, config: &Config) -> Body {
    let mut body = ipam.map(AddResult::latest).unwrap_or_default();
    make_canonical(&mut body);
    for ip in &mut body.ips {
        ip.interface = Some(CONTAINER);
        if config.is_gateway && ip.gateway.is_none() {
            ip.gateway = Some(ip.address.first_host());
        }
    }
    if config.is_default_gateway {
        add_default_routes(&mut body);
    }
    if let Some(dns) = config.dns.as_ref().filter(|dns| !dns.is_empty()) {
        body.dns = dns.clone();
    }
    body
}

/// To the kernel an IPv4 address that is written as one of IPv6 is one of IPv6, which leads nowhere.
fn make_canonical(body: &mut Body) {
    let address = |address: &mut Option<IpAddr>| *address = address.map(|address| address.to_canonical());
    for ip in &mut body.ips {
        ip.address = ip.address.to_canonical();
        address(&mut ip.gateway);
    }
    for route in &mut body.routes {
        route.dst = route.dst.to_canonical();
        address(&mut route.gw);
    }
}

/// The table that packets are routed by unless there are rules for others.
const MAIN: i64 = 254;

fn add_default_routes(body: &mut Body) {
    for ip in body.ips.clone() {
        let default = IpNet::new(unspecified(ip.address.addr()), 0);
        let (Some(dst), Some(gateway)) = (default, ip.gateway) else { continue };
        if !body.routes.iter().any(|route| route.dst == dst && route.table.is_none_or(|table| table == MAIN)) {
            body.routes.push(Route::new(dst).via(gateway));
        }
    }
}

fn unspecified(family_of: IpAddr) -> IpAddr {
    match family_of {
        IpAddr::V4(_) => IpAddr::from([0; 4]),
        IpAddr::V6(_) => IpAddr::from([0; 16]),
    }
}

/// The gateways with the prefixes of their networks: addresses for the bridge.
pub(crate) fn gateways(body: &Body) -> Vec<IpNet> {
    let gateway = |ip: &Ip| IpNet::new(ip.gateway?, ip.address.prefix());
    body.ips.iter().filter_map(gateway).collect()
}

/// The interfaces in the order that indexes count on: bridge, host's end, container's end.
pub(crate) fn interfaces([bridge, port]: [&Link; 2], inside: &Link, netns: &Path) -> Vec<Interface> {
    vec![on_host(bridge), on_host(port), on_host(inside).sandbox(netns.to_string_lossy())]
}

/// An interface of the host.
pub(crate) fn on_host(link: &Link) -> Interface {
    Interface::new(link.name.clone()).mac(link.mac.clone()).mtu(link.mtu.into())
}

/// The answer: what the plugins before this one said, and then what this one has to say. The reference plugin answers
/// with its own part alone. What plugins behind it would notice is `lo`: its addresses are those of every container,
/// and `firewall` makes rules for each address of the result.
pub(crate) fn after(previous: Option<AddResult>, own: Body) -> Body {
    let Some(mut body) = previous.as_ref().map(AddResult::latest) else { return own };
    leave_out_loopback(&mut body);
    let before = i64::try_from(body.interfaces.len()).unwrap_or_default();
    body.interfaces.extend(own.interfaces);
    body.ips.extend(own.ips.into_iter().map(|mut ip| {
        ip.interface = ip.interface.map(|index| index + before);
        ip
    }));
    body.routes.extend(own.routes);
    if !own.dns.is_empty() {
        body.dns = own.dns;
    }
    body
}

fn leave_out_loopback(body: &mut Body) {
    let is_lo: Vec<_> = body.interfaces.iter().map(|interface| interface.name == "lo").collect();
    let at = |index: i64| usize::try_from(index).ok();
    let of_lo = |ip: &Ip| ip.interface.and_then(at).and_then(|index| is_lo.get(index).copied());
    body.ips.retain(|ip| !of_lo(ip).unwrap_or_else(|| ip.address.addr().is_loopback()));
    body.interfaces.retain(|interface| interface.name != "lo");
    for ip in &mut body.ips {
        let before = ip.interface.and_then(at).map(|index| is_lo.iter().take(index).filter(|is_lo| **is_lo).count());
        ip.interface = ip.interface.zip(before).and_then(|(index, before)| Some(index - i64::try_from(before).ok()?));
    }
}

/// A whole result without the addresses of other interfaces: what this plugin has to check.
pub(crate) fn of_interface(mut body: Body, ifname: &str) -> Body {
    let named = |index| body.interfaces.get(usize::try_from(index).ok()?).map(|i| i.name == ifname);
    body.ips.retain(|ip| ip.interface.and_then(named).unwrap_or(true));
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ipam(text: &str) -> AddResult {
        AddResult::parse(text).unwrap()
    }

    #[test]
    fn a_gateway_that_ipam_leaves_out_is_the_first_address() {
        let config = Config { is_gateway: true, ..Config::default() };
        let said = ipam(r#"{"cniVersion":"1.0.0","ips":[{"address":"10.1.2.9/24"},{"address":"fd00::9/64"}]}"#);
        let body = from_ipam(Some(&said), &config);
        let gateways: Vec<_> = gateways(&body).iter().map(ToString::to_string).collect();
        assert_eq!(gateways, ["10.1.2.1/24", "fd00::1/64"]);
    }

    #[test]
    fn what_other_plugins_said_stays_and_indexes_still_fit() {
        let previous = r#"{"cniVersion":"1.0.0","interfaces":[{"name":"eth9","sandbox":"/n"}],
            "ips":[{"interface":0,"address":"192.0.2.1/24"}],"x":1}"#;
        let eth0 = Interface::new("eth0").sandbox("/n".to_owned());
        let ip = Ip::new("10.1.2.9/24".parse().unwrap()).interface(0);
        let own = Body::default().interfaces(vec![eth0]).ips(vec![ip]);
        let body = after(Some(ipam(previous)), own);
        assert_eq!(body.ips.iter().map(|ip| ip.interface).collect::<Vec<_>>(), [Some(0), Some(1)]);
        assert!(body.extra.get("x").is_some());
        let checked = of_interface(body, "eth0");
        assert_eq!(checked.ips.iter().map(|ip| ip.address.to_string()).collect::<Vec<_>>(), ["10.1.2.9/24"]);
    }

    #[test]
    fn what_loopback_said_is_left_out() {
        let previous = r#"{"cniVersion":"1.0.0",
            "interfaces":[{"name":"lo","sandbox":"/n"},{"name":"eth9","sandbox":"/n"},{"name":"lo","sandbox":"/m"}],
            "ips":[{"interface":0,"address":"127.0.0.1/8"},{"interface":1,"address":"192.0.2.1/24"},
                {"interface":2,"address":"::1/128"},{"address":"127.0.0.1/8"},{"address":"192.0.2.2/24"}]}"#;
        let eth0 = Interface::new("eth0");
        let ip = Ip::new("10.1.2.9/24".parse().unwrap()).interface(0);
        let own = Body::default().interfaces(vec![eth0]).ips(vec![ip]);
        let body = after(Some(ipam(previous)), own);
        let names: Vec<_> = body.interfaces.iter().map(|interface| interface.name.as_str()).collect();
        assert_eq!(names, ["eth9", "eth0"]);
        let ips: Vec<_> = body.ips.iter().map(|ip| (ip.address.to_string(), ip.interface)).collect();
        let expected = [("192.0.2.1/24", Some(0)), ("192.0.2.2/24", None), ("10.1.2.9/24", Some(1))];
        assert_eq!(ips, expected.map(|(address, index)| (address.to_owned(), index)));
    }

    #[test]
    fn a_default_route_of_ipam_is_not_doubled() {
        let config = Config { is_gateway: true, is_default_gateway: true, ..Config::default() };
        let said = ipam(r#"{"cniVersion":"1.0.0","ips":[{"address":"10.1.2.9/24"}],"routes":[{"dst":"0.0.0.0/0"}]}"#);
        assert_eq!(from_ipam(Some(&said), &config).routes.len(), 1);
    }
}
