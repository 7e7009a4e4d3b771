//! The result of ADD: what IPAM said, with interfaces and gateways.

use std::net::IpAddr;
use std::path::Path;

use libcni::result::AddResult;
use libcni::result::v100::{Body, Interface, Ip};
use libcni::spec::{IpNet, Route};

use crate::bridge::config::Config;
use crate::chained::on_host;
use libcni::link::Link;

/// The index of the container's interface in the result.
const CONTAINER: i64 = 2;

/// The result of IPAM, with the gateways and routes that the configuration adds.
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
    fn a_default_route_of_ipam_is_not_doubled() {
        let config = Config { is_gateway: true, is_default_gateway: true, ..Config::default() };
        let said = ipam(r#"{"cniVersion":"1.0.0","ips":[{"address":"10.1.2.9/24"}],"routes":[{"dst":"0.0.0.0/0"}]}"#);
        assert_eq!(from_ipam(Some(&said), &config).routes.len(), 1);
    }
}
