//! CHECK: what ADD made is there, and as its result says.

use libcni::link::{Handle, Link};
use libcni::netns::Namespace;
use libcni::plugin::{Answer, AttachmentCall, Failure};
use libcni::result::v100::{Body, Interface};

use crate::inside::routes;
use crate::mac;
use crate::names::Names;
use crate::nft::masquerade;
use crate::ptp::add;
use crate::ptp::config::{Config, ipam_type};
use crate::{chained, host_end, takeover};

pub(crate) fn check(call: &AttachmentCall) -> Answer {
    let config = Config::read(call)?;
    let ifname = call.ifname.as_str();
    let body = chained::of_interface(call.config.require_prev_result()?.latest(), ifname);
    call.delegate(&ipam_type(call)?).check()?;
    let netns = Namespace::open(call.require_netns()?)?;
    let mut inside = netns.run(Handle::here)??;
    let mut host = Handle::here()?;
    let link = container(&mut inside, ifname, &body)?;
    let no_pair =
        || different(format!("interface `{ifname}` is not an end of a pair of veths with an end on the host"));
    let port = host_end::of_inside(&mut host, &netns, &mut inside, ifname)?.ok_or_else(no_pair)?;
    check_routes(&mut inside, &link, &routes(&body))?;
    check_host(&mut host, &port, &body)?;
    let owner = Names::of(call).owner;
    for ip in body.ips.iter().filter(|_| config.ip_masq) {
        // The reference plugin may have added the container.
        if let Err(missing) = masquerade::check(&owner, ip.address)
            && !takeover::masquerade::is_there(&owner, ip.address)?
        {
            return Err(missing);
        }
    }
    Ok(())
}

fn different(what: String) -> Failure {
    Failure::internal(format!("CHECK: ptp: {what}"))
}

/// The container's end: hardware address and addresses.
fn container(inside: &mut Handle, ifname: &str, body: &Body) -> Answer<Link> {
    let link = inside.link(ifname)?.ok_or_else(|| different(format!("interface `{ifname}` is gone")))?;
    let is_inside = |interface: &&Interface| {
        interface.name == ifname && interface.sandbox.as_deref().is_some_and(|sandbox| !sandbox.is_empty())
    };
    let recorded = body.interfaces.iter().find(is_inside).and_then(|interface| interface.mac.as_deref());
    if let Some(mac) = recorded.filter(|mac| !mac.is_empty() && !link.has_mac(mac)) {
        return Err(different(format!("interface `{ifname}` has hardware address {}, not {mac}", mac::shown(&link))));
    }
    if !link.is_up {
        return Err(different(format!("interface `{ifname}` is down")));
    }
    let addresses: Vec<_> = inside.addresses(link.index)?.into_iter().map(|address| address.address).collect();
    match body.ips.iter().find(|ip| !addresses.contains(&ip.address)) {
        Some(ip) => Err(different(format!("interface `{ifname}` has lost address {}", ip.address))),
        None => Ok(link),
    }
}

fn check_routes(handle: &mut Handle, link: &Link, routes: &[libcni::spec::Route]) -> Answer {
    match handle.missing_routes(link.index, routes)?.first() {
        Some(route) => Err(different(format!("the route to {} by `{}` is gone", route.dst, link.name))),
        None => Ok(()),
    }
}

fn check_host(host: &mut Handle, port: &Link, body: &Body) -> Answer {
    if !port.is_up {
        return Err(different(format!("link `{}` is down", port.name)));
    }
    let addresses: Vec<_> = host.addresses(port.index)?.into_iter().map(|address| address.address).collect();
    if let Some(gateway) = add::gateways(body).iter().find(|gateway| !addresses.contains(gateway)) {
        return Err(different(format!("link `{}` has lost the gateway's address {gateway}", port.name)));
    }
    check_routes(host, port, &add::routes(body))
}
