//! Which links of the host have nothing but containers behind them.

use libcni::link::{Handle, Link, LinkError, Way};

/// The prefix length of a way to one address.
const ONE_ADDRESS: u8 = 32;

/// Returns true if nobody but containers is behind the link that a way leaves through. A link by which the host is on
/// a network of others may be a way to containers, too: as a macvlan's parent, or as a port of their bridge.
pub(crate) fn is_way_to_containers(host: &mut Handle, way: &Way) -> Result<bool, LinkError> {
    Ok(is_among(&host.links()?, way))
}

fn is_among(links: &[Link], way: &Way) -> bool {
    let at = |index: Option<u32>| links.iter().find(|link| Some(link.index) == index);
    let Some(link) = at(Some(way.link)) else { return false };
    match link.kind.as_deref() {
        Some("bridge") => has_only_containers(links, link),
        // The gateway of a VLAN is on the host with both of its ends.
        Some("veth") if link.netns_id.is_none() => {
            let bridge = at(at(link.peer).and_then(|port| port.master));
            bridge.is_some_and(|bridge| has_only_containers(links, bridge))
        }
        // A host that is a container itself has such a link to its neighbours.
        _ => is_end_of_container(link) && way.prefix == ONE_ADDRESS,
    }
}

fn is_end_of_container(link: &Link) -> bool {
    matches!(link.kind.as_deref(), Some("veth" | "netkit" | "tun"))
}

fn has_only_containers(links: &[Link], bridge: &Link) -> bool {
    let is_port = |link: &&Link| link.master == Some(bridge.index);
    let has_no_neighbour = |link: &Link| is_end_of_container(link) || link.kind.as_deref() == Some("dummy");
    bridge.kind.as_deref() == Some("bridge") && links.iter().filter(is_port).all(has_no_neighbour)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, kind: Option<&str>, set: impl FnOnce(&mut Link)) -> Link {
        let mut link = Link::new(index, format!("link{index}"));
        link.kind = kind.map(str::to_owned);
        set(&mut link);
        link
    }

    fn is_of_containers(links: &[Link], prefix: u8) -> bool {
        let mut way = Way::default();
        (way.link, way.prefix) = (1, prefix);
        is_among(links, &way)
    }

    #[test]
    fn a_bridge_of_containers_has_no_other_port() {
        let bridge = link(1, Some("bridge"), |_| {});
        let port = |index, kind| link(index, kind, |port| port.master = Some(1));
        let mut links = vec![bridge, port(2, Some("veth")), port(3, Some("tun")), link(9, None, |_| {})];
        assert!(is_of_containers(&links, 24));
        for uplink in [None, Some("bond"), Some("vlan"), Some("vxlan"), Some("macvlan")] {
            links.push(port(4, uplink));
            assert!(!is_of_containers(&links, 24), "{uplink:?}");
            links.pop();
        }
    }

    #[test]
    fn the_gateway_of_a_vlan_is_as_its_bridge() {
        let gateway = link(1, Some("veth"), |gateway| gateway.peer = Some(2));
        let port = link(2, Some("veth"), |port| (port.peer, port.master) = (Some(1), Some(3)));
        let mut links = vec![gateway, port, link(3, Some("bridge"), |_| {})];
        assert!(is_of_containers(&links, 24));
        links.push(link(4, None, |uplink| uplink.master = Some(3)));
        assert!(!is_of_containers(&links, 24));
    }

    #[test]
    fn a_pair_of_veths_leads_to_one_address() {
        let pair = link(1, Some("veth"), |end| (end.peer, end.netns_id) = (Some(2), Some(0)));
        assert!(is_of_containers(std::slice::from_ref(&pair), 32));
        assert!(!is_of_containers(&[pair], 24));
        for uplink in [None, Some("macvlan"), Some("ipvlan"), Some("vlan"), Some("wireguard")] {
            assert!(!is_of_containers(&[link(1, uplink, |_| {})], 24), "{uplink:?}");
            assert!(!is_of_containers(&[link(1, uplink, |_| {})], 32), "{uplink:?}");
        }
    }
}
