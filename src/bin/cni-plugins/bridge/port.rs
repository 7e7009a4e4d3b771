//! The container's port of the bridge: the host's end of a pair of veths.

use std::os::fd::AsFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

use libcni::link::{Handle, Link, LinkError, Port, Request, Veth};
use libcni::netns::Namespace;
use libcni::plugin::{Answer, Failure};
use nix::errno::Errno;

use crate::bridge::antispoof;
use crate::bridge::config::Config;
use crate::mac::{self, Mac};
use crate::names::Names;
use crate::sysctl::Ipv6Settings;

/// The parts of the port.
pub(crate) struct NewPort<'a> {
    pub(crate) names: &'a Names,
    pub(crate) ifname: &'a str,
    /// The hardware address of the container's end.
    pub(crate) mac: Mac,
    pub(crate) netns: &'a Namespace,
}

/// Makes the pair of veths, one end as port of the bridge, the other in the container; returns the host's end. After an
/// error there is none, or another attachment's as it was.
pub(crate) fn add(
    host: &mut Handle,
    settings: &Ipv6Settings,
    bridge: &Link,
    config: &Config,
    port: &NewPort<'_>,
) -> Answer<Link> {
    let veth = Veth::new(&port.names.port, port.ifname, port.netns.as_fd())
        .mac(mac::random_for_port())
        .bridge(bridge.index)
        .is_up(false)
        .mtu(config.mtu())
        .peer_mac(port.mac);
    host.ask([Request::add_veth(&veth)]).map_err(|error| or_in_the_way(host, port, error))?;
    let finished = finish(host, settings, bridge, config, port);
    finished.inspect_err(|_| drop(host.ask([Request::delete_link(&port.names.port)])))
}

/// The kernel's error when one end is there already. The host's end goes with the container's, so it is there only
/// as long as the other end is in some namespace, where it may be in use.
fn or_in_the_way(host: &mut Handle, port: &NewPort<'_>, error: LinkError) -> Failure {
    if !error.is(Errno::EEXIST as i32) {
        return error.into();
    }
    match host.link(&port.names.port) {
        Ok(Some(_)) => Failure::internal(format!(
            "interface `{}` of this container is on this network already, in another network namespace (its port on \
             the host is `{}`): DEL comes before another ADD",
            port.ifname, port.names.port
        )),
        _ => error.into(),
    }
}

/// Sets up the port before the first frame comes through it.
fn finish(
    host: &mut Handle,
    settings: &Ipv6Settings,
    bridge: &Link,
    config: &Config,
    port: &NewPort<'_>,
) -> Answer<Link> {
    let name = &port.names.port;
    let [_, found] = host.ask([Request::set_alias(name, &port.names.alias), Request::get_link(name)])?;
    let link = found.into_link().unwrap_or_default();
    settings.ensure(name, "accept_ra", "0")?;
    if config.macspoofchk {
        antispoof::add(&port.names.owner, antispoof::Port { name, mac: port.mac })?;
    }
    let mut requests = config.vlans()?.requests(bridge, link.index, config.preserve_default_vlan);
    requests.push(Request::set_up(link.index));
    if config.hairpin_mode || config.port_isolation {
        let port = Port::default().hairpin(config.hairpin_mode).isolated(config.port_isolation);
        requests.push(Request::set_port(name, port));
    }
    host.ask_all(requests)?;
    Ok(link)
}

/// How long the kernel may take to notice that both ends of the pair are up.
const PATIENCE: Duration = Duration::from_millis(2550);

/// Waits until frames pass through a port, unless the container's end is to stay down; returns the bridge and it as
/// they are then.
pub(crate) fn settle(host: &mut Handle, port: &str, config: &Config) -> Answer<(Link, Link)> {
    let (began, mut pause) = (Instant::now(), Duration::from_micros(100));
    loop {
        let [port, bridge] = host.ask([Request::get_link(port), Request::get_link(&config.bridge)])?;
        let (port, bridge) = (port.into_link().unwrap_or_default(), bridge.into_link().unwrap_or_default());
        if port.is_operational || config.disable_container_interface {
            return Ok((bridge, port));
        }
        if began.elapsed() > PATIENCE {
            let msg = format!("port `{}` of bridge `{}` does not come up", port.name, bridge.name);
            return Err(Failure::internal(msg));
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
