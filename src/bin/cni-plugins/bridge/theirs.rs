//! Interfaces that the reference plugin made: which one is an attachment's, and its end.

use libcni::link::{Handle, Link, Request};
use libcni::plugin::{Answer, AttachmentCall};
use libcni::result::AddResult;
use libcni::spec::IfName;
use serde::Deserialize;

use crate::bridge::config::DEFAULT_BRIDGE;
use crate::bridge::recorded::{Recorded, may_have};
use crate::host_end;

/// Deletes the interface of an attachment that has no port of ours, if the reference plugin made it for this network.
/// Another one of that name is somebody else's: another network's, or a person's.
pub(crate) fn delete(host: &mut Handle, call: &AttachmentCall) -> Answer {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Key {
        bridge: Option<String>,
    }
    // Works even if the rest of the configuration is invalid.
    let key: Key = call.config.typed().unwrap_or_default();
    let name = key.bridge.unwrap_or_else(|| DEFAULT_BRIDGE.to_owned());
    // No bridge has a name that no link can have.
    let bridge = if IfName::new(&*name).is_ok() { host.link(&name)? } else { None };
    let body = call.config.prev_result().ok().flatten().as_ref().map(AddResult::latest).unwrap_or_default();
    let recorded = Recorded::of(&body, &name, call.ifname.as_str());
    let port = match host_end::of(host, call)? {
        // The container may live on without a path to its namespace.
        None => recorded.port.map(|port| host.link(&port.name)).transpose()?.flatten(),
        port => port,
    };
    let port = port.filter(|port| !host_end::is_of_other(port, call));
    match port {
        Some(port) if is_of(&port, bridge.as_ref(), recorded) => {
            host.ask([Request::delete_link(&port.name)])?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Returns true if the record says so of a port; without one, if it looks as the reference plugin's ports of the bridge
/// do.
fn is_of(port: &Link, bridge: Option<&Link>, recorded: Recorded<'_>) -> bool {
    match recorded.port {
        Some(known) => known.name == port.name && may_have(known, port),
        None => {
            bridge.is_some_and(|bridge| port.master == Some(bridge.index))
                && host_end::is_named_by_reference(&port.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use libcni::result::v100::Body;

    use super::*;

    fn is_of_bridge(port: &Link, body: &Body) -> bool {
        let bridge = Link::new(7, "cni0");
        is_of(port, Some(&bridge), Recorded::of(body, "cni0", "eth0"))
    }

    fn port(name: &str, master: u32) -> Link {
        let mut port = Link::new(0, name);
        (port.master, port.mac) = (Some(master), Some("02:00:00:00:00:01".to_owned()));
        port
    }

    #[test]
    fn without_a_record_a_port_of_the_bridge_is_known_by_its_name() {
        assert!(is_of_bridge(&port("veth01ab45ef", 7), &Body::default()));
        for other in [port("veth01ab45ef", 8), port("veth0", 7), port("veth01ab45ef67", 7), port("mine", 7)] {
            assert!(!is_of_bridge(&other, &Body::default()), "{other:?}");
        }
    }

    #[test]
    fn a_record_says_which_port_it_is() {
        let text = r#"{"cniVersion":"1.0.0","interfaces":[{"name":"cni0"},
            {"name":"veth01ab45ef","mac":"02:00:00:00:00:01"},{"name":"eth0","sandbox":"/n"}]}"#;
        let body = AddResult::parse(text).unwrap().latest();
        assert!(is_of_bridge(&port("veth01ab45ef", 8), &body));
        assert!(!is_of_bridge(&port("veth01ab45ee", 7), &body));
        let mut other_mac = port("veth01ab45ef", 7);
        other_mac.mac = Some("02:00:00:00:00:02".to_owned());
        assert!(!is_of_bridge(&other_mac, &body));
    }
}
