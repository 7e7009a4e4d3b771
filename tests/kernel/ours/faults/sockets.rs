//! The sockets of a verb.

use std::fs;

use serde_json::json;

use super::chained;
use super::injected::Run;
use super::interfaces::{answer, bridge};
use super::verbs::Verbs;
use crate::host::Host;

/// Closing one takes the kernel milliseconds while rules that were deleted are not freed.
pub(super) fn one_netfilter_socket(host: &Host) {
    let bridge = bridge(host);
    let ports =
        json!([{"hostPort": 8080, "containerPort": 80}, {"hostPort": 8080, "containerPort": 80, "protocol": "udp"}]);
    let portmap = chained::config("portmap", json!({"runtimeConfig": {"portMappings": ports}}));
    for config in [bridge, portmap, chained::config("firewall", json!({}))] {
        let Verbs { add, check, del, gc, .. } = Verbs::of_plugin(&config).and_gc(&config);
        assert_eq!(sockets(&add, host), 1, "{config}");
        assert!(del.plain().status.success());
        let added = answer(&add);
        assert_eq!(sockets(&check(&added.to_string()), host), 1, "{config}");
        assert_eq!(sockets(&del, host), 1, "{config}");
        assert_eq!(sockets(&del, host), 1, "{config}");
        assert_eq!(sockets(&gc.unwrap(), host), 1, "{config}");
    }
}

fn sockets(run: &Run, host: &Host) -> usize {
    let output = run.traced(host, None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    fs::read_to_string(host.path("calls")).unwrap().matches("NETLINK_NETFILTER").count()
}
