//! `bridge`: connects containers to a bridge on the host. Keys as those of the reference plugin of the same name.

mod antispoof;
mod check;
mod config;
mod container;
mod host;
#[path = "../shared/nft/mod.rs"]
mod nft;
mod result;
#[path = "../shared/route/mod.rs"]
mod route;

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::thread::{self, ScopedJoinHandle};

use libcni::plugin::{Answer, AttachmentCall, Call, Delegated, Failure, Plugin, run};
use libcni::result::AddResult;
use libcni::result::v100::Body;
use libcni::spec::ErrorCode;

use self::config::Config;
use self::host::NewPort;
use self::nft::Owner;
use self::nft::masquerade;
use self::route::{Handle, Link, Request};

struct Bridge;

/// What an attachment is called on the host.
struct Names {
    port: String,
    alias: String,
    owner: Owner,
}

impl Names {
    fn of(call: &AttachmentCall) -> Self {
        let (network, id, ifname) = (call.config.name().as_str(), call.container_id.as_str(), call.ifname.as_str());
        Self {
            port: config::host_name(network, id, ifname),
            alias: config::alias(network, id, ifname),
            owner: Owner::new(network, id, ifname),
        }
    }
}

/// The links of a new attachment on the host.
struct Links {
    bridge: Link,
    port: Link,
}

impl Plugin for Bridge {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let config = Config::read(call)?;
        let names = Names::of(call);
        let netns = call.require_netns()?;
        let ipam_type = call.config.ipam_type()?;
        let previous = call.config.prev_result()?;
        let namespace = File::open(netns).map_err(|e| cannot_open(netns, &e))?;
        // Before an address is asked for: IPAM would give up the one that the first ADD got.
        host::refuse_second(netns, call.ifname.as_str())?;
        let mut host = Handle::host()?;
        // The IPAM plugin is a process of its own: the links are made while it works.
        let (links, ipam) = thread::scope(|scope| {
            let ipam = scope.spawn(|| ipam_type.as_deref().map(|plugin| call.delegate(plugin).add()).transpose());
            let links = make_links(&mut host, call, &config, &names, &namespace);
            (links, join(ipam))
        });
        let links = links?;
        let attached = ipam.and_then(|ipam| finish(call, &config, &names, netns, &links, ipam));
        // The first error is what the runtime must hear.
        let own = attached.inspect_err(|_| drop(undo(&mut host, &names)))?;
        Ok(result::after(previous, own).into())
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        let names = Names::of(call);
        let ipam_type = call.config.ipam_type()?;
        thread::scope(|scope| {
            // Each waits for the kernel to free what was in use; at the same time, they wait once. Whether there are
            // rules the configuration may say otherwise now than at ADD.
            let masquerade = scope.spawn(|| masquerade::remove(&names.owner));
            let antispoof = scope.spawn(|| antispoof::remove(&names.owner));
            let link = delete_link(call, &names);
            let rules = join(masquerade).and(join(antispoof));
            // Last, so that nobody else gets the address while it is in use here.
            let ipam = ipam_type.as_deref().map_or(Ok(()), |plugin| call.delegate(plugin).del());
            link.and(rules).and(ipam)
        })
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let config = Config::read(call)?;
        let names = Names::of(call);
        let body = result::of_interface(call.config.require_prev_result()?.latest(), call.ifname.as_str());
        if let Some(plugin) = call.config.ipam_type()? {
            call.delegate(&plugin).check()?;
        }
        check::host(&config, &body, &names.port)?;
        check::container(call.require_netns()?, call.ifname.as_str(), &config, &body)?;
        check::rules(&config, &body, call.ifname.as_str(), &names)
    }

    fn gc(&self, call: &Call) -> Answer {
        let ipam = call.config.ipam_type()?.map_or(Ok(()), |plugin| call.delegate(&plugin).gc());
        let Some(valid) = call.config.valid_attachments()? else { return ipam };
        let network = call.config.name().as_str();
        let is_valid = |id: &str, ifname: &str| valid.iter().any(|v| v.container_id == id && v.ifname == ifname);
        masquerade::retain(network, |owner| is_valid(&owner.container_id, &owner.ifname))?;
        antispoof::retain(network, |owner| is_valid(&owner.container_id, &owner.ifname))?;
        let aliases: Vec<_> = valid.iter().map(|v| config::alias(network, &v.container_id, &v.ifname)).collect();
        delete_stale_ports(network, &aliases)?;
        ipam
    }

    fn status(&self, call: &Call) -> Answer {
        Config::read(call)?;
        call.config.ipam_type()?.map_or(Ok(()), |plugin| call.delegate(&plugin).status())
    }

    fn about(&self) -> Option<String> {
        Some("CNI bridge plugin of libcni".to_owned())
    }
}

/// What a thread returned; its panic is ours.
fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn cannot_open(netns: &Path, error: &std::io::Error) -> Failure {
    Failure::new(ErrorCode::INVALID_NETNS, format!("cannot open network namespace {}: {error}", netns.display()))
}

fn make_links(host: &mut Handle, call: &AttachmentCall, config: &Config, names: &Names, netns: &File) -> Answer<Links> {
    let mac = config::requested_mac(call)?;
    let bridge = host::ensure_bridge(host, config)?;
    let port = NewPort { name: &names.port, alias: &names.alias, ifname: call.ifname.as_str(), mac, netns };
    let port = host::add_port(host, &bridge, config, &port)?;
    Ok(Links { bridge, port })
}

/// Addresses, routes, gateways and masquerading for links that are there.
fn finish(
    call: &AttachmentCall,
    config: &Config,
    names: &Names,
    netns: &Path,
    links: &Links,
    ipam: Option<Delegated<'_>>,
) -> Answer<Body> {
    let mut body = result::from_ipam(ipam.as_ref().map(Delegated::result), config);
    if ipam.is_some() && body.ips.is_empty() {
        return Err(Failure::internal("the IPAM plugin returned no address"));
    }
    // The container and the host are configured at the same time.
    let inside = thread::scope(|scope| {
        let inside = scope.spawn(|| container::configure(netns, call.ifname.as_str(), config, &body));
        let outside = configure_host(config, names, &links.bridge, &body);
        outside.and(join(inside))
    })?;
    if config.macspoofchk {
        antispoof::add(&names.owner, antispoof::Port { name: &links.port.name, mac: config::parse_mac(&inside.mac)? })?;
    }
    body.interfaces = result::interfaces(&links.bridge, &links.port, &inside, netns);
    ipam.map(Delegated::keep);
    Ok(body)
}

fn configure_host(config: &Config, names: &Names, bridge: &Link, body: &Body) -> Answer {
    if config.is_gateway {
        host::ensure_gateways(&mut Handle::host()?, bridge, &result::gateways(body), config.force_address)?;
    }
    if config.ip_masq {
        let addresses: Vec<_> = body.ips.iter().map(|ip| ip.address).collect();
        masquerade::add(&names.owner, &addresses)?;
    }
    Ok(())
}

fn undo(host: &mut Handle, names: &Names) -> Answer {
    let rules = masquerade::remove(&names.owner).and(antispoof::remove(&names.owner));
    host.ask([Request::delete_link(&names.port)])?;
    rules
}

/// Deletes the pair of veths by the name of the host's end, or, where another implementation chose it, by that of
/// the container's.
fn delete_link(call: &AttachmentCall, names: &Names) -> Answer {
    let mut host = Handle::host()?;
    if host.link(&names.port)?.is_some() {
        host.ask([Request::delete_link(&names.port)])?;
        return Ok(());
    }
    call.netns().map_or(Ok(()), |netns| container::delete(netns, call.ifname.as_str()))
}

fn delete_stale_ports(network: &str, valid: &[String]) -> Answer {
    let mut host = Handle::host()?;
    let prefix = config::alias_prefix(network);
    let is_stale = |alias: &String| alias.starts_with(&prefix) && !valid.contains(alias);
    let stale: Vec<_> = host.links()?.into_iter().filter(|link| link.alias.as_ref().is_some_and(is_stale)).collect();
    host.ask_all(stale.iter().map(|link| Request::delete_link(&link.name)).collect())?;
    Ok(())
}

fn main() -> ExitCode {
    run(Bridge)
}
