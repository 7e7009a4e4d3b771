//! The bridge.

use libcni::link::{Bridge, Handle, Link, LinkError, Request, Switch};
use libcni::plugin::{Answer, Failure};
use libcni::spec::ErrorCode;
use nix::errno::Errno;

use crate::bridge::config::Config;
use crate::mac;
use crate::sysctl::Ipv6Settings;

/// The bridge, made and set up as configured.
pub(crate) fn ensure_bridge(host: &mut Handle, settings: &Ipv6Settings, config: &Config) -> Answer<Link> {
    let name = config.bridge.as_str();
    let bridge = match host.link(name)? {
        Some(bridge) => bridge,
        None => make_bridge(host, config)?,
    };
    if bridge.kind.as_deref() != Some("bridge") {
        let msg = format!("link `{name}` exists but is not a bridge");
        return Err(Failure::new(ErrorCode::INVALID_NETWORK_CONFIG, msg));
    }
    // Before it has a port: one router advertisement of a container would be the host's way to the world.
    settings.ensure(name, "accept_ra", "0")?;
    if !bridge.is_up {
        host.ask([Request::set_up(bridge.index)])?;
    }
    if config.filters_vlans() && !bridge.filters_vlans {
        // Somebody made it without. Ports that are there stay in its default VLAN, and reach each other as before.
        host.ask([Request::filter_vlans(name)]).map_err(|e| or_without_vlans(e, config))?;
    }
    if config.promisc_mode && !bridge.is_promiscuous {
        host.ask([Request::set_promiscuous(bridge.index, Switch::On)])?;
    }
    Ok(bridge)
}

/// Makes the bridge with a hardware address that it keeps from its first moment: it would change whenever a port comes
/// or goes, and containers would lose their gateway until they ask for it again.
fn make_bridge(host: &mut Handle, config: &Config) -> Answer<Link> {
    let (name, mac) = (config.bridge.as_str(), mac::random());
    let new = Bridge::new(name).mac(mac).mtu(config.mtu()).filters_vlans(config.filters_vlans());
    // Another ADD at the same time may have been faster.
    let add = Request::add_bridge(&new).fine_with(&[Errno::EEXIST as i32]);
    let [_, found] = host.ask([add, Request::get_link(name)]).map_err(|e| or_without_vlans(e, config))?;
    let bridge = found.into_link().ok_or_else(|| Failure::internal(format!("no answer about link `{name}`")))?;
    if config.disable_container_interface && mac::of(&bridge) == Some(mac) {
        // The kernel gives it one with its first port that is up; this ADD brings none.
        let add = |address| Request::add_address(bridge.index, address, false);
        let fine = &[Errno::EEXIST as i32, Errno::EACCES as i32, Errno::EOPNOTSUPP as i32];
        host.ask_all(mac::link_local(mac).into_iter().map(|address| add(address).fine_with(fine)).collect())?;
    }
    Ok(bridge)
}

/// Says what is missing for VLANs, when it is that.
fn or_without_vlans(error: LinkError, config: &Config) -> Failure {
    if config.filters_vlans() && error.is(Errno::EOPNOTSUPP as i32) {
        let msg = "the kernel has no VLAN filtering for bridges (CONFIG_BRIDGE_VLAN_FILTERING), which VLANs need";
        return Failure::new(ErrorCode::UNSUPPORTED_FIELD, msg);
    }
    error.into()
}
