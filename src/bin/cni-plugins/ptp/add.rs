//! ADD.

use std::os::fd::AsFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

use libcni::link::{Handle, Link, Request, Veth};
use libcni::netns::Namespace;
use libcni::plugin::{Answer, AttachmentCall, Delegated, Failure};
use libcni::result::AddResult;
use libcni::result::v100::Body;
use libcni::spec::Route;
use nix::errno::Errno;

use crate::chained::{self, on_host};
use crate::forwarding::enable_forwarding;
use crate::inside::{Inside, single};
use crate::mac::{self, Mac};
use crate::names::Names;
use crate::nft::masquerade;
use crate::ptp::config::{Config, ipam_type};
use crate::ptp::remove;
use crate::sysctl::Ipv6Settings;

pub(crate) fn add(call: &AttachmentCall) -> Answer<AddResult> {
    let config = Config::read(call)?;
    let ipam_type = ipam_type(call)?;
    let previous = call.config.prev_result()?;
    let netns = Namespace::open(call.require_netns()?)?;
    let mut inside = Inside::new(&netns, call.ifname.as_str())?;
    let (names, mut host) = (Names::of(call), Handle::here()?);
    let mac = mac::random();
    make_pair(&mut host, &names, call, &config, (&netns, mac))?;
    // Only now, when the attachment can't be there already: taking back an address asked for once more would free the
    // one that is in use.
    let added = complete(&mut host, &mut inside, &names, call, &config, &ipam_type);
    // The first error is what the runtime must hear.
    let mut own = added.inspect_err(|_| drop(remove::undo(&mut host, &names)))?;
    // As it was chosen: whoever waits inside can change it.
    own.interfaces[1].mac = Some(mac::format(mac));
    own.interfaces[1].sandbox = Some(netns.path().to_string_lossy().into_owned());
    Ok(chained::after(previous, own).into())
}

/// Makes the pair of veths, of which the container's end has a hardware address. After an error there is none, or
/// another attachment's as it was.
fn make_pair(
    host: &mut Handle,
    names: &Names,
    call: &AttachmentCall,
    config: &Config,
    (netns, mac): (&Namespace, Mac),
) -> Answer {
    let veth = Veth::new(&names.port, call.ifname.as_str(), netns.as_fd())
        .mac(mac::random())
        .is_up(false)
        .mtu(config.mtu())
        .peer_mac(mac);
    host.ask([Request::add_veth(&veth)]).map_err(|error| {
        if error.is(Errno::EEXIST as i32) && matches!(host.link(&names.port), Ok(Some(_))) {
            let msg = format!(
                "ptp: interface `{}` of this container is on this network already, in another network namespace (its end \
                 on the host is `{}`): DEL comes before another ADD",
                call.ifname, names.port
            );
            return Failure::internal(msg);
        }
        error.into()
    })?;
    let settings = Ipv6Settings::here()?;
    // A container could be the host's way to the world.
    let set = || settings.ensure(&names.port, "accept_ra", "0");
    let finished = set().and_then(|()| Ok(host.ask([Request::set_alias(&names.port, &names.alias)])?));
    finished.map(drop).inspect_err(|_| drop(host.ask([Request::delete_link(&names.port)])))
}

/// Addresses, routes and rules.
fn complete(
    host: &mut Handle,
    inside: &mut Inside,
    names: &Names,
    call: &AttachmentCall,
    config: &Config,
    ipam_type: &str,
) -> Answer<Body> {
    let link = inside.link(call.ifname.as_str())?;
    let ipam = call.delegate(ipam_type).without_undo().add()?;
    let mut body = ipam.result().latest();
    check_addresses(&body)?;
    body.ips.iter_mut().for_each(|ip| ip.interface = Some(1));
    if let Some(dns) = config.dns(call)? {
        body.dns = dns;
    }
    configure_host(host, names, &body)?;
    inside.configure_through_gateways(&link, &body)?;
    if config.ip_masq {
        let addresses: Vec<_> = body.ips.iter().map(|ip| ip.address).collect();
        masquerade::add(&names.owner, &addresses)?;
    }
    let port = settle(host, &names.port)?;
    inside.settle(&link.name, &body)?;
    body.interfaces = vec![on_host(&port), on_host(&link)];
    Delegated::keep(ipam);
    Ok(body)
}

fn check_addresses(body: &Body) -> Answer {
    if body.ips.is_empty() {
        return Err(Failure::internal("ptp: the IPAM plugin returned no address"));
    }
    match body.ips.iter().find(|ip| ip.gateway.is_none()) {
        Some(ip) => Err(Failure::internal(format!("ptp: the IPAM plugin returned no gateway for {}", ip.address))),
        None => Ok(()),
    }
}

/// Gives the host's end the gateways' addresses, and routes to the container's.
fn configure_host(host: &mut Handle, names: &Names, body: &Body) -> Answer {
    let [found] = host.ask([Request::get_link(&names.port)])?;
    let port = found.into_link().ok_or_else(|| Failure::internal(format!("ptp: link `{}` is gone", names.port)))?;
    let mut requests: Vec<_> =
        gateways(body).iter().map(|gateway| Request::add_address(port.index, *gateway, false)).collect();
    requests.push(Request::set_up(port.index));
    requests.extend(routes(body).iter().map(|route| Request::add_route(port.index, route)));
    host.ask_all(requests)?;
    body.ips.iter().try_for_each(|ip| enable_forwarding(ip.address.addr()))
}

/// The addresses of the host's end, each once.
pub(crate) fn gateways(body: &Body) -> Vec<libcni::spec::IpNet> {
    let mut gateways: Vec<_> = body.ips.iter().filter_map(|ip| ip.gateway).map(single).collect();
    gateways.sort_by_key(|gateway| gateway.addr());
    gateways.dedup();
    gateways
}

/// The host's routes to the container.
pub(crate) fn routes(body: &Body) -> Vec<Route> {
    body.ips.iter().map(|ip| Route::new(single(ip.address.addr()))).collect()
}

/// How long the kernel may take to notice that both ends of the pair are up.
const PATIENCE: Duration = Duration::from_millis(2550);

/// Waits until packets pass through the host's end, and returns it as it is then.
fn settle(host: &mut Handle, name: &str) -> Answer<Link> {
    let (began, mut pause) = (Instant::now(), Duration::from_millis(1));
    loop {
        let [found] = host.ask([Request::get_link(name)])?;
        let gone = || Failure::internal(format!("ptp: link `{name}` is gone"));
        let port = found.into_link().ok_or_else(gone)?;
        if port.is_operational {
            return Ok(port);
        }
        if began.elapsed() > PATIENCE {
            return Err(Failure::internal(format!("ptp: link `{name}` does not come up")));
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
