//! The container's side: addresses, routes, the interface up.

use std::net::IpAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use libcni::link::{Handle, Link, Request};
use libcni::netns::Namespace;
use libcni::plugin::{Answer, Failure};
use libcni::result::v100::{Body, Ip};
use libcni::spec::{ErrorCode, IpNet, Object, Route};

use crate::sysctl::Ipv6Settings;

/// The treatment of neighbours that have an IPv6 address already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duplicates {
    /// An address is used after duplicate address detection only.
    Detect,
    /// The same, unless whoever made the namespace has switched detection off for new interfaces.
    DetectByDefault,
    /// It is used at once.
    Ignore,
}

/// The container's side.
pub(crate) struct Inside {
    handle: Handle,
    settings: Ipv6Settings,
}

impl Inside {
    /// Gets a hold of a namespace that may not have the interface already.
    pub(crate) fn new(netns: &Namespace, ifname: &str) -> Answer<Self> {
        let open = || Answer::Ok(Self { handle: Handle::here()?, settings: Ipv6Settings::here()? });
        let mut inside: Self = netns.run(open)??;
        match inside.handle.link(ifname)? {
            None => Ok(inside),
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
    pub(crate) fn configure(&mut self, link: &Link, duplicates: Duplicates, body: &Body) -> Answer {
        let detect = duplicates != Duplicates::Ignore;
        if !body.ips.is_empty() {
            self.set_up_ipv6(&link.name, duplicates, body)?;
        }
        let addresses = body.ips.iter().map(|ip| Request::add_address(link.index, ip.address, detect)).collect();
        self.bring_up(link, body, addresses, Vec::new())
    }

    /// Does the same where the other end of the link is the gateway, and nobody else is on it: everything goes by way
    /// of the gateway, the addresses of the same network, too.
    pub(crate) fn configure_through_gateways(&mut self, link: &Link, body: &Body) -> Answer {
        self.set_up_ipv6(&link.name, Duplicates::Ignore, body)?;
        let add = |ip: &Ip| Request::add_address_without_route(link.index, ip.address, false);
        let routes = body.ips.iter().flat_map(|ip| {
            let from = |route: Route| Request::add_route_from(link.index, &route, ip.address.addr());
            let gateway = ip.gateway.map(|gateway| from(Route::new(single(gateway))));
            let network = ip.gateway.map(|gateway| from(Route::new(ip.address.network()).via(gateway)));
            [gateway, network]
        });
        self.bring_up(link, body, body.ips.iter().map(add).collect(), routes.flatten().collect())
    }

    fn bring_up(&mut self, link: &Link, body: &Body, addresses: Vec<Request>, first: Vec<Request>) -> Answer {
        let routes = routes(body);
        routes.iter().try_for_each(fits)?;
        // Addresses before the interface is up, so that the kernel announces them when it comes up.
        let announce = (!body.ips.is_empty()).then(|| Request::arp_notify(link.index));
        let requests = announce.into_iter().chain(addresses).chain([Request::set_up(link.index)]).chain(first);
        let routes = routes.iter().map(|route| Request::add_route(link.index, route));
        self.handle.ask_all(requests.chain(routes).collect())?;
        Ok(())
    }

    /// Lets the interface have IPv6 addresses, where containers are made without, and keep them when it is down for a
    /// while; has the kernel announce them, and look for duplicates only when asked, of the link-local address, too.
    fn set_up_ipv6(&self, ifname: &str, duplicates: Duplicates, body: &Body) -> Answer {
        match duplicates {
            Duplicates::Detect => {
                self.settings.prefer(ifname, "enhanced_dad", "1");
                self.settings.prefer(ifname, "accept_dad", "1");
            }
            Duplicates::DetectByDefault => {}
            Duplicates::Ignore => self.settings.prefer(ifname, "accept_dad", "0"),
        }
        if has_ipv6(body) {
            self.settings.require("lo", "disable_ipv6", "0")?;
            self.settings.require(ifname, "disable_ipv6", "0")?;
            self.settings.require(ifname, "keep_addr_on_down", "1")?;
            self.settings.prefer(ifname, "ndisc_notify", "1");
        }
        Ok(())
    }

    /// Waits until the interface's IPv6 addresses can be used.
    ///
    /// # Errors
    /// A neighbour has one of them.
    pub(crate) fn settle(&mut self, ifname: &str, body: &Body) -> Answer {
        let (began, mut pause) = (Instant::now(), Duration::from_micros(100));
        while has_ipv6(body) {
            let link = self.link(ifname)?;
            let addresses = self.handle.addresses(link.index)?;
            if let Some(duplicate) = addresses.iter().find(|address| address.is_duplicate) {
                let msg =
                    format!("address {} is in use by a neighbour (duplicate address detection)", duplicate.address);
                return Err(Failure::internal(msg));
            }
            match addresses.iter().find(|address| address.is_tentative) {
                None => return Ok(()),
                Some(tentative) if began.elapsed() > PATIENCE && link.is_operational => {
                    let msg = format!("duplicate address detection of {} does not end", tentative.address);
                    return Err(Failure::internal(msg));
                }
                Some(_) if began.elapsed() > PATIENCE => return Ok(()),
                Some(_) => sleep(pause),
            }
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// An address as a network of its own.
pub(crate) fn single(address: IpAddr) -> IpNet {
    IpNet::new(address, if address.is_ipv4() { 32 } else { 128 }).expect("the prefix fits the family")
}

/// How long duplicate address detection may take.
const PATIENCE: Duration = Duration::from_secs(5);

fn has_ipv6(body: &Body) -> bool {
    body.ips.iter().any(|ip| !ip.address.is_ipv4())
}

/// The routes as the kernel gets them: each once, with its destination's host bits cleared, and with a next hop, its
/// own or the gateway of its family.
pub(crate) fn routes(body: &Body) -> Vec<Route> {
    let gateway = |route: &Route| {
        let same_family = |ip: &&Ip| ip.address.is_ipv4() == route.dst.is_ipv4();
        body.ips.iter().filter(same_family).find_map(|ip| ip.gateway)
    };
    let mut routes = Vec::new();
    for route in &body.routes {
        let gw = route.gw.or_else(|| gateway(route));
        let mut route = route.clone().extra(Object::new());
        (route.dst, route.gw) = (route.dst.network(), gw);
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
