//! The VLANs that a port is in.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use libcni::link::{Link, Request};
use libcni::plugin::Failure;
use nix::errno::Errno;
use serde::Deserialize;

use crate::invalid::invalid;

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
                (Some(min), Some(max)) => {
                    return Err(invalid_trunk(&format!("`minID` {min} is greater than `maxID` {max}")));
                }
                (None, None) => {}
                _ => return Err(invalid_trunk("`minID` and `maxID` go together")),
            }
            tagged.extend(item.id.map(|vlan| id("id", vlan)).transpose()?);
        }
        let untagged = match u16::try_from(vlan) {
            // Frames without tag have to belong somewhere.
            Ok(0) => (!tagged.is_empty()).then_some(1),
            Ok(vlan) if vlan <= LAST => Some(vlan),
            _ => return Err(invalid(format!("invalid VLAN ID {vlan} (must be between 0 and {LAST})"))),
        };
        Ok(Self { untagged, tagged })
    }

    /// One VLAN, whose frames have no tags.
    pub(crate) fn untagged(vlan: u16) -> Self {
        Self { untagged: Some(vlan), ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.untagged.is_none()
    }

    /// Puts a port into these VLANs; what it was in before it leaves, unless that is to be kept.
    pub(crate) fn requests(&self, bridge: &Link, port: u32, keep_default: bool) -> Vec<Request> {
        let leave = bridge.default_vlan.filter(|_| !keep_default && !self.is_empty());
        let leave = leave.map(|vlan| Request::remove_port_vlan(port, vlan).fine_with(&[Errno::ENOENT as i32]));
        let tagged = ranges(&self.tagged).map(|vlans| Request::add_port_vlans(port, &vlans)).collect::<Vec<_>>();
        // Last: the same VLAN may be among those with tags, and frames without belong to it all the same.
        let untagged = self.untagged.map(|vlan| Request::set_port_vlan(port, vlan));
        leave.into_iter().chain(tagged).chain(untagged).collect()
    }
}

const LAST: u16 = 4094;

fn id(key: &str, vlan: i64) -> Result<u16, Failure> {
    let valid = u16::try_from(vlan).ok().filter(|vlan| (1..=LAST).contains(vlan));
    valid.ok_or_else(|| invalid_trunk(&format!("incorrect `{key}` {vlan}: must be between 1 and {LAST}")))
}

fn invalid_trunk(msg: &str) -> Failure {
    invalid(format!("invalid `vlanTrunk`: {msg}"))
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
