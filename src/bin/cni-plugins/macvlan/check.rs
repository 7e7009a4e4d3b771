//! CHECK: the interface is there, and as its result says.

use libcni::link::{Handle, Link};
use libcni::plugin::{Answer, AttachmentCall, Failure};
use libcni::result::v100::Interface;

use crate::chained;
use crate::inside::routes;
use crate::mac;
use crate::macvlan::config::Config;

pub(crate) fn check(call: &AttachmentCall) -> Answer {
    let config = Config::read(call)?;
    let ifname = call.ifname.as_str();
    let body = chained::of_interface(call.config.require_prev_result()?.latest(), ifname);
    if let Some(plugin) = call.config.ipam_type()? {
        call.delegate(&plugin).check()?;
    }
    let netns = call.require_netns()?;
    let mut inside = Handle::inside(netns)?;
    let is_inside = |interface: &&Interface| {
        interface.name == ifname && interface.sandbox.as_deref().is_some_and(|sandbox| !sandbox.is_empty())
    };
    // Old results have no interfaces.
    let recorded = body.interfaces.iter().find(is_inside);
    if let Some(sandbox) = recorded.and_then(|recorded| recorded.sandbox.as_deref())
        && !netns.as_os_str().eq(sandbox)
    {
        let msg = format!("interface `{ifname}` was added to {sandbox}, and is looked for in {}", netns.display());
        return Err(different(msg));
    }
    let link = inside.link(ifname)?.ok_or_else(|| different(format!("interface `{ifname}` is gone")))?;
    if link.kind.as_deref() != Some("macvlan") {
        return Err(different(format!("interface `{ifname}` is not a macvlan")));
    }
    if link.macvlan_mode != Some(config.mode) {
        let found = link.macvlan_mode;
        return Err(different(format!("interface `{ifname}` has mode {found:?}, not {:?}", config.mode)));
    }
    // The default route may have another link by now.
    if config.master.is_some() {
        check_master(&mut inside, &link, &config)?;
    }
    let mac = recorded.and_then(|interface| interface.mac.as_deref()).filter(|mac| !mac.is_empty());
    if let Some(mac) = mac.filter(|mac| !link.has_mac(mac)) {
        return Err(different(format!("interface `{ifname}` has hardware address {}, not {mac}", mac::shown(&link))));
    }
    if !link.is_up {
        return Err(different(format!("interface `{ifname}` is down")));
    }
    let addresses: Vec<_> = inside.addresses(link.index)?.into_iter().map(|address| address.address).collect();
    if let Some(ip) = body.ips.iter().find(|ip| !addresses.contains(&ip.address)) {
        return Err(different(format!("interface `{ifname}` has lost address {}", ip.address)));
    }
    match inside.missing_routes(link.index, &routes(&body))?.first() {
        Some(route) => Err(different(format!("the route to {} is gone", route.dst))),
        None => Ok(()),
    }
}

fn check_master(inside: &mut Handle, link: &Link, config: &Config) -> Answer {
    let master = if config.link_in_container { config.master(inside)? } else { config.master(&mut Handle::here()?)? };
    if link.peer == Some(master.index) {
        return Ok(());
    }
    Err(different(format!("interface `{}` is not on top of `{}`", link.name, master.name)))
}

fn different(what: String) -> Failure {
    Failure::internal(format!("CHECK: macvlan: {what}"))
}
