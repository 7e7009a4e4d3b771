//! VLANs: which ones a port is in, and the interface that is the gateway of one.

use std::collections::BTreeSet;
use std::fs::File;
use std::ops::RangeInclusive;
use std::os::fd::AsFd;

use libcni::link::{Handle, Link, Request, Veth};
use libcni::plugin::{Answer, Failure};
use libcni::spec::{ErrorCode, IfName};
use nix::errno::Errno;
use serde::Deserialize;

use crate::bridge::config::{self, Config};
use crate::bridge::mac;
use crate::bridge::sysctl::Ipv6Settings;

/// An item of `vlanTrunk`: one VLAN, all from one to another, or both.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Trunk {
    #[serde(rename = "minID")]
    min_id: Option<i64>,
    #[serde(rename = "maxID")]
    max_id: Option<i64>,
    id: Option<i64>,
}

/// The VLANs of a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vlans {
    /// The one that frames without tag belong to.
    untagged: Option<u16>,
    /// Those whose frames have tags.
    tagged: BTreeSet<u16>,
}

impl Vlans {
    pub(crate) fn new(vlan: i64, trunk: &[Trunk]) -> Result<Self, Failure> {
        let mut tagged = BTreeSet::new();
        for item in trunk {
            match (item.min_id, item.max_id) {
                (Some(min), Some(max)) if min <= max => tagged.extend(id("minID", min)?..=id("maxID", max)?),
                (Some(min), Some(max)) => return Err(invalid(format!("`minID` {min} is greater than `maxID` {max}"))),
                (None, None) => {}
                _ => return Err(invalid("`minID` and `maxID` go together".to_owned())),
            }
            tagged.extend(item.id.map(|vlan| id("id", vlan)).transpose()?);
        }
        let untagged = match u16::try_from(vlan) {
            // Frames without tag have to belong somewhere.
            Ok(0) => (!tagged.is_empty()).then_some(1),
            Ok(vlan) if vlan <= LAST => Some(vlan),
            _ => return Err(config::invalid(format!("invalid VLAN ID {vlan} (must be between 0 and {LAST})"))),
        };
        Ok(Self { untagged, tagged })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.untagged.is_none()
    }

    /// Puts a port into these VLANs; what it was in before it leaves, unless that is to be kept.
    pub(crate) fn requests(&self, bridge: &Link, port: u32, keep_default: bool) -> Vec<Request> {
        let leave = bridge.default_vlan.filter(|_| !keep_default && !self.is_empty());
        let leave = leave.map(|vlan| Request::remove_port_vlan(port, vlan).fine_with(&[Errno::ENOENT]));
        let tagged = ranges(&self.tagged).map(|vlans| Request::add_port_vlans(port, &vlans)).collect::<Vec<_>>();
        // Last: the same VLAN may be among those with tags, and frames without belong to it all the same.
        let untagged = self.untagged.map(|vlan| Request::set_port_vlan(port, vlan));
        leave.into_iter().chain(tagged).chain(untagged).collect()
    }
}

const LAST: u16 = 4094;

fn id(key: &str, vlan: i64) -> Result<u16, Failure> {
    let valid = u16::try_from(vlan).ok().filter(|vlan| (1..=LAST).contains(vlan));
    valid.ok_or_else(|| invalid(format!("incorrect `{key}` {vlan}: must be between 1 and {LAST}")))
}

fn invalid(msg: String) -> Failure {
    config::invalid(format!("invalid `vlanTrunk`: {msg}"))
}

/// Numbers that follow each other, as ranges.
fn ranges(vlans: &BTreeSet<u16>) -> impl Iterator<Item = RangeInclusive<u16>> {
    let mut ranges: Vec<RangeInclusive<u16>> = Vec::new();
    for vlan in vlans {
        match ranges.last_mut() {
            Some(last) if *last.end() + 1 == *vlan => *last = *last.start()..=*vlan,
            _ => ranges.push(*vlan..=*vlan),
        }
    }
    ranges.into_iter()
}

/// The name of the interface that is the gateway of a VLAN.
pub(crate) fn gateway_name(bridge: &str, vlan: u16) -> String {
    format!("{bridge}.{vlan}")
}

/// The interface that is the gateway of the network's VLAN: a pair of veths, one end of which is a port of the bridge.
/// It is made when it is not there, and stays as the bridge does.
pub(crate) fn ensure_gateway(
    host: &mut Handle,
    settings: &Ipv6Settings,
    bridge: &Link,
    vlan: u16,
    config: &Config,
) -> Answer<Link> {
    let name = gateway_name(&bridge.name, vlan);
    if IfName::new(&*name).is_err() {
        let msg = format!("the gateway of VLAN {vlan} would be interface `{name}`, whose name is too long");
        return Err(Failure::new(ErrorCode::INVALID_NETWORK_CONFIG, msg));
    }
    if host.link(&name)?.is_none() {
        make_gateway(host, &name, bridge, vlan)?;
    }
    // Containers are its neighbours.
    settings.ensure(&name, "accept_ra", "0")?;
    let missing = || Failure::internal(format!("interface `{name}` is gone"));
    let link = host.link(&name)?.ok_or_else(missing)?;
    let port = link.peer.filter(|_| link.kind.as_deref() == Some("veth")).map(|peer| host.link_at(peer)).transpose()?;
    if let Some(port) = port.flatten().filter(|port| port.peer == Some(link.index)) {
        settings.ensure(&port.name, "accept_ra", "0")?;
        // Whoever made it may not have come to its end.
        let mut requests = vec![Request::set_master(port.index, bridge.index)];
        let vlans = Vlans { untagged: Some(vlan), ..Vlans::default() };
        requests.extend(vlans.requests(bridge, port.index, config.preserve_default_vlan));
        requests.push(Request::set_up(port.index));
        host.ask_all(requests)?;
    }
    host.ask([Request::set_up(link.index)])?;
    Ok(link)
}

fn make_gateway(host: &mut Handle, name: &str, bridge: &Link, vlan: u16) -> Answer {
    const OWN: &str = "/proc/thread-self/ns/net";
    let netns = File::open(OWN).map_err(|e| Failure::internal(format!("cannot open {OWN}: {e}")))?;
    let veth = Veth {
        name,
        mac: None,
        bridge: None,
        is_up: false,
        mtu: Some(bridge.mtu),
        peer: &config::host_name(&bridge.name, "vlan", &vlan.to_string()),
        peer_mac: Some(mac::random_for_port()),
        netns: netns.as_fd(),
    };
    // Another ADD at the same time may have been faster.
    host.ask([Request::add_veth(&veth).fine_with(&[Errno::EEXIST])])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunk(text: &str) -> Vec<Trunk> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn items_of_a_trunk_are_vlans_and_ranges() {
        let vlans = Vlans::new(0, &trunk(r#"[{"id": 101}, {"minID": 200, "maxID": 203}, {"id": 204}]"#)).unwrap();
        assert_eq!(ranges(&vlans.tagged).collect::<Vec<_>>(), [101..=101, 200..=204]);
        assert_eq!(vlans.untagged, Some(1));
        assert_eq!(Vlans::new(100, &[]).unwrap().untagged, Some(100));
        assert!(Vlans::new(0, &trunk("[{}]")).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_vlan_is_refused() {
        for text in [
            r#"[{"id": 0}]"#,
            r#"[{"id": 4095}]"#,
            r#"[{"minID": 5}]"#,
            r#"[{"maxID": 5}]"#,
            r#"[{"minID": 6, "maxID": 5}]"#,
            r#"[{"minID": -1, "maxID": 5}]"#,
            r#"[{"minID": 1, "maxID": 99999}]"#,
        ] {
            assert!(Vlans::new(0, &trunk(text)).is_err(), "{text}");
        }
        assert!(Vlans::new(4095, &[]).is_err());
        assert!(Vlans::new(-1, &[]).is_err());
    }
}
