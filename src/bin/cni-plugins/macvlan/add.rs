//! ADD.

use std::os::fd::AsFd;

use libcni::link::{Handle, Link, Macvlan, MacvlanMode, Request};
use libcni::netns::Namespace;
use libcni::plugin::{Answer, AttachmentCall, Delegated, Failure};
use libcni::result::AddResult;
use libcni::result::v100::Body;

use crate::chained::{self, on_host};
use crate::inside::{Duplicates, Inside};
use crate::mac;
use crate::macvlan::config::Config;
use crate::names::{Names, temporary_name};

pub(crate) fn add(call: &AttachmentCall) -> Answer<AddResult> {
    let config = Config::read(call)?;
    let ipam_type = call.config.ipam_type()?;
    let previous = call.config.prev_result()?;
    let netns = Namespace::open(call.require_netns()?)?;
    let ifname = call.ifname.as_str();
    let mut inside = Inside::new(&netns, ifname)?;
    let mut container = netns.run(Handle::here)??;
    let link = make(&mut container, &netns, call, &config)?;
    // Only now, when the attachment can't be there already: taking back an address asked for once more would free the
    // one that is in use.
    let added = complete(&mut inside, &link, call, &config, ipam_type.as_deref());
    // The first error is what the runtime must hear.
    let mut own = added.inspect_err(|_| drop(container.ask([Request::delete_link(ifname)])))?;
    own.interfaces = vec![on_host(&link).sandbox(netns.path().to_string_lossy())];
    Ok(chained::after(previous, own).into())
}

/// Makes the interface, which is down, and returns it with the hardware address that it was made with: whoever waits
/// inside can change it.
fn make(container: &mut Handle, netns: &Namespace, call: &AttachmentCall, config: &Config) -> Answer<Link> {
    let (names, ifname) = (Names::of(call), call.ifname.as_str());
    let chosen = config.mac(call)?.unwrap_or_else(mac::random);
    // The kernel refuses a name that a link of the host has, although the new one goes elsewhere.
    let name = temporary_name(&names.port);
    let master;
    if config.link_in_container {
        master = config.master(container)?;
        container.ask([Request::add_macvlan(&macvlan(&name, &master, config)?.mac(Some(chosen)))])?;
    } else {
        let mut host = Handle::here()?;
        master = config.master(&mut host)?;
        let macvlan = macvlan(&name, &master, config)?.mac(Some(chosen)).netns(netns.as_fd());
        host.ask([Request::add_macvlan(&macvlan)])?;
    }
    let found = rename(container, &name, &names.alias, ifname);
    let mut link = found.inspect_err(|_| drop(container.ask([Request::delete_link(&name)])))?;
    // A link that passes everything through has the address of the one below.
    link.mac = if config.mode == MacvlanMode::Passthru { master.mac } else { Some(mac::format(chosen)) };
    Ok(link)
}

fn macvlan<'a>(name: &'a str, master: &Link, config: &Config) -> Answer<Macvlan<'a>> {
    let macvlan = Macvlan::new(name, master.index).mode(config.mode).mtu(config.mtu(master)?);
    Ok(macvlan.broadcast_queue(config.broadcast_queue))
}

/// Gives the interface its name. It says whose it is before it has that: a DEL believes what the interface says, and
/// asks the record otherwise, which may be that of an earlier one.
fn rename(container: &mut Handle, name: &str, alias: &str, ifname: &str) -> Answer<Link> {
    let [_, found] = container.ask([Request::set_alias(name, alias), Request::get_link(name)])?;
    let missing = || Failure::internal(format!("macvlan: link `{name}` is not in the container"));
    let mut link = found.into_link().ok_or_else(missing)?;
    container.ask([Request::rename(link.index, ifname)])?;
    link.name = ifname.to_owned();
    Ok(link)
}

/// Addresses and routes.
fn complete(
    inside: &mut Inside,
    link: &Link,
    call: &AttachmentCall,
    config: &Config,
    ipam_type: Option<&str>,
) -> Answer<Body> {
    // An IPAM plugin that refuses since it knows the attachment would have DEL free the address in use.
    let ipam = ipam_type.map(|plugin| call.delegate(plugin).without_undo().add()).transpose()?;
    let mut body = ipam.as_ref().map(|ipam| ipam.result().latest()).unwrap_or_default();
    if ipam.is_some() && body.ips.is_empty() {
        return Err(Failure::internal("macvlan: the IPAM plugin returned no address"));
    }
    body.ips.iter_mut().for_each(|ip| ip.interface = Some(0));
    if !config.dns.is_empty() {
        body.dns = config.dns.clone();
    }
    // Neighbours may be anybody's.
    inside.configure(link, Duplicates::DetectByDefault, &body)?;
    inside.settle(&link.name, &body)?;
    ipam.map(Delegated::keep);
    Ok(body)
}
