//! The gateway: its addresses, and forwarding.

use libcni::link::{Handle, Link, Request};
use libcni::plugin::{Answer, Failure};
use libcni::spec::IpNet;
use nix::errno::Errno;

use crate::forwarding::enable_forwarding;
use crate::mac;

/// The effect that a container's gateways may have on other addresses of the bridge.
pub(crate) struct Others<'a> {
    /// The gateways of the network's other subnets stay.
    pub(crate) of_network: &'a dyn Fn() -> Vec<IpNet>,
    /// All others that are in the way are taken away.
    pub(crate) force: bool,
}

/// Gives a link the gateways' addresses, and turns on forwarding for their families.
///
/// # Errors
/// Another address is in the way, and not to be taken away by force. Nothing is changed then.
pub(crate) fn ensure(host: &mut Handle, link: &Link, gateways: &[IpNet], others: &Others<'_>) -> Answer {
    let present: Vec<_> = host.addresses(link.index)?.into_iter().map(|address| address.address).collect();
    let mut in_the_way = in_the_way(&present, gateways);
    if !in_the_way.is_empty() {
        let of_network = (others.of_network)();
        in_the_way.retain(|(other, _)| !of_network.contains(other));
    }
    if let Some((other, gateway)) = in_the_way.first().filter(|_| !others.force) {
        let msg = format!("`{}` already has an IP address different from {gateway}: {other}", link.name);
        return Err(Failure::internal(msg));
    }
    // With an address the kernel takes those of the same network that came after it.
    let is_there = |gateway: &IpNet| present.contains(gateway) && in_the_way.is_empty();
    if !gateways.iter().all(is_there) {
        let remove = in_the_way.iter().map(|(other, _)| Request::delete_address(link.index, *other));
        // Another ADD at the same time may have been faster.
        let add =
            |gateway: &IpNet| Request::add_address(link.index, *gateway, false).fine_with(&[Errno::EEXIST as i32]);
        host.ask_all(remove.chain(gateways.iter().map(add)).collect())?;
        // As it is now: another ADD may have given it one since it was looked at.
        let now = host.link(&link.name)?;
        pin(host, now.as_ref().unwrap_or(link))?;
    }
    gateways.iter().try_for_each(|gateway| enable_forwarding(gateway.addr()))
}

/// Lets a bridge keep the hardware address that it has, and returns it: neighbours of the gateway ask for another one
/// only after a while.
pub(crate) fn pin(host: &mut Handle, bridge: &Link) -> Answer<String> {
    // A bridge that has lost its last port has none.
    let address = mac::of(bridge).filter(|address| *address != [0; 6]).unwrap_or_else(mac::random);
    host.ask([Request::set_mac(bridge.index, address)])?;
    Ok(mac::format(address))
}

/// The addresses that a gateway can't be beside, each with that gateway. IPv4 has one network on a bridge, but for
/// those of one container. As with the reference plugin, those that came after the gateway's own are left alone.
fn in_the_way(present: &[IpNet], gateways: &[IpNet]) -> Vec<(IpNet, IpNet)> {
    let of = |gateway: &IpNet| {
        let before = present.iter().take_while(|other| *other != gateway);
        let others = before.filter(|other| !gateways.contains(other) && collide(**other, *gateway));
        others.map(|other| (*other, *gateway)).collect::<Vec<_>>()
    };
    gateways.iter().flat_map(of).collect()
}

fn collide(a: IpNet, b: IpNet) -> bool {
    a.is_ipv4() && b.is_ipv4() || a.overlaps(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn others(present: &[&str], gateways: &[&str]) -> Vec<String> {
        let parse = |nets: &[&str]| nets.iter().map(|net| net.parse().unwrap()).collect::<Vec<IpNet>>();
        let in_the_way = in_the_way(&parse(present), &parse(gateways));
        in_the_way.iter().map(|(other, _)| other.to_string()).collect()
    }

    #[test]
    fn an_ipv4_gateway_is_alone_but_for_those_of_the_same_container() {
        assert_eq!(others(&["10.1.0.1/24", "fd00::1/64"], &["10.2.0.1/24"]), ["10.1.0.1/24"]);
        assert_eq!(others(&["10.1.0.1/24"], &["10.1.0.1/24", "10.2.0.1/24"]), [""; 0]);
        assert_eq!(others(&["10.1.0.1/16"], &["10.1.0.1/24"]), ["10.1.0.1/16"]);
    }

    #[test]
    fn what_came_after_the_gateway_is_left_alone() {
        assert_eq!(others(&["10.1.0.1/24", "10.2.0.1/24"], &["10.1.0.1/24"]), [""; 0]);
        assert_eq!(others(&["10.2.0.1/24", "10.1.0.1/24"], &["10.1.0.1/24"]), ["10.2.0.1/24"]);
    }

    #[test]
    fn ipv6_networks_can_be_side_by_side_unless_one_holds_the_other() {
        assert_eq!(others(&["fd00:1::1/64", "fe80::1/64"], &["fd00:2::1/64"]), [""; 0]);
        assert_eq!(others(&["fd00:1::1/48"], &["fd00:1:0:2::1/64"]), ["fd00:1::1/48"]);
        assert_eq!(others(&["10.1.0.1/24"], &["fd00:2::1/64"]), [""; 0]);
    }
}
