//! The bridge.

use libcni::link::{Handle, Link, LinkError, Request, Switch};
use libcni::plugin::{Answer, Failure};
use libcni::spec::ErrorCode;
use nix::errno::Errno;

use crate::bridge::config::Config;
use crate::bridge::gateway;
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

/// Makes the bridge, and lets it keep the hardware address that it begins with: it would change whenever a port comes
/// or goes, and containers would lose their gateway until they ask for it again.
fn make_bridge(host: &mut Handle, config: &Config) -> Answer<Link> {
    let name = config.bridge.as_str();
    let add = Request::add_bridge(name, config.mtu(), config.filters_vlans());
    let missing = || Failure::internal(format!("no answer about link `{name}`"));
    let bridge = match host.ask([add, Request::get_link(name)]) {
        Ok([_, found]) => found.into_link().ok_or_else(missing)?,
        // Another ADD was faster. The address is for whoever made the bridge: by now it may be that of a port.
        Err(e) if e.is(Errno::EEXIST) => return host.link(name)?.ok_or_else(missing),
        Err(e) => return Err(or_without_vlans(e, config)),
    };
    gateway::pin(host, &bridge)?;
    // A new bridge takes itself to be connected; setting what it has makes it count its ports.
    const DEFAULT_PRIORITY: u16 = 0x8000;
    host.ask([Request::set_bridge_priority(name, DEFAULT_PRIORITY)])?;
    Ok(bridge)
}

/// Says what is missing for VLANs, when it is that.
fn or_without_vlans(error: LinkError, config: &Config) -> Failure {
    if config.filters_vlans() && error.is(Errno::EOPNOTSUPP) {
        let msg = "the kernel has no VLAN filtering for bridges (CONFIG_BRIDGE_VLAN_FILTERING), which VLANs need";
        return Failure::new(ErrorCode::UNSUPPORTED_FIELD, msg);
    }
    error.into()
}
