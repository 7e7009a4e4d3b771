//! ADD.

use std::fs::File;
use std::path::Path;
use std::thread;

use libcni::plugin::{Answer, AttachmentCall, Delegated, Failure};
use libcni::result::AddResult;
use libcni::result::v100::Body;
use libcni::spec::ErrorCode;

use crate::bridge::config::{self, Config};
use crate::bridge::container::Inside;
use crate::bridge::host::{self, NewPort};
use crate::bridge::{Names, antispoof, join, remove, result};
use crate::nft::masquerade;
use libcni::link::{Handle, Link};

/// The links of a new attachment.
struct Links {
    bridge: Link,
    port: Link,
    inside: Link,
}

/// What is being added, and where.
struct Adding<'a> {
    call: &'a AttachmentCall,
    config: Config,
    names: Names,
    netns: &'a Path,
    host: Handle,
    inside: Inside<'a>,
}

pub(crate) fn add(call: &AttachmentCall) -> Answer<AddResult> {
    let config = Config::read(call)?;
    let netns = call.require_netns()?;
    let ipam_type = call.config.ipam_type()?;
    let previous = call.config.prev_result()?;
    let inside = Inside::new(netns, call.ifname.as_str())?;
    let mut adding = Adding { call, config, names: Names::of(call), netns, host: Handle::here()?, inside };
    let (bridge, port) = adding.make_port()?;
    // Only now, when the attachment can't be there already: taking back an address asked for once more would free the
    // one that is in use. And some IPAM plugins ask for it through the container's interface.
    let added = adding.complete(bridge, port, ipam_type.as_deref());
    // The first error is what the runtime must hear.
    let own = added.inspect_err(|_| drop(remove::undo(&mut adding.host, &adding.names)))?;
    Ok(result::after(previous, own).into())
}

impl<'a> Adding<'a> {
    /// The bridge and its new port. After an error there is no such port, or another attachment's as it was.
    fn make_port(&mut self) -> Answer<(Link, Link)> {
        let (names, ifname) = (&self.names, self.call.ifname.as_str());
        let mac = config::requested_mac(self.call)?;
        let netns = &File::open(self.netns).map_err(|e| cannot_open(self.netns, &e))?;
        let bridge = host::ensure_bridge(&mut self.host, &self.config)?;
        let port = NewPort { name: &names.port, alias: &names.alias, ifname, mac, netns };
        let port = host::add_port(&mut self.host, &bridge, &self.config, &port)?;
        Ok((bridge, port))
    }

    fn complete(&mut self, bridge: Link, port: Link, ipam_type: Option<&str>) -> Answer<Body> {
        let call: &'a AttachmentCall = self.call;
        let links = Links { bridge, port, inside: self.inside.link(call.ifname.as_str())? };
        // An IPAM plugin that refuses since it knows the attachment would have DEL free the address in use.
        let ipam = ipam_type.map(|plugin| call.delegate(plugin).without_undo().add()).transpose()?;
        self.finish(&links, ipam)
    }

    /// Addresses, routes, gateways and rules for links that are there.
    fn finish(&mut self, links: &Links, ipam: Option<Delegated<'_>>) -> Answer<Body> {
        let mut body = result::from_ipam(ipam.as_ref().map(Delegated::result), &self.config);
        if ipam.is_some() && body.ips.is_empty() {
            return Err(Failure::internal("the IPAM plugin returned no address"));
        }
        thread::scope(|scope| {
            let has_rules = self.config.ip_masq || self.config.macspoofchk;
            let rules = has_rules.then(|| scope.spawn(|| add_rules(&self.config, &self.names, links, &body)));
            if self.config.is_gateway {
                let gateways = result::gateways(&body);
                host::ensure_gateways(&mut self.host, &links.bridge, &gateways, self.config.force_address)?;
            }
            if !self.config.disable_container_interface {
                self.inside.configure(&links.inside, &self.config, &body)?;
            }
            rules.map_or(Ok(()), join)
        })?;
        body.interfaces = result::interfaces(&links.bridge, &links.port, &links.inside, self.netns);
        ipam.map(Delegated::keep);
        Ok(body)
    }
}

fn add_rules(config: &Config, names: &Names, links: &Links, body: &Body) -> Answer {
    if config.ip_masq {
        let addresses: Vec<_> = body.ips.iter().map(|ip| ip.address).collect();
        masquerade::add(&names.owner, &addresses)?;
    }
    if config.macspoofchk {
        let mac = config::parse_mac(&links.inside.mac)?;
        antispoof::add(&names.owner, antispoof::Port { name: &links.port.name, mac })?;
    }
    Ok(())
}

fn cannot_open(netns: &Path, error: &std::io::Error) -> Failure {
    Failure::new(ErrorCode::INVALID_NETNS, format!("cannot open network namespace {}: {error}", netns.display()))
}
