//! Plugins beside a program that changes rules just when they want to.

use nix::libc::{SYS_clock_nanosleep, SYS_sendto};
use serde_json::{Value, json};

use super::killed::{follow, start_paused};
use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("ours::rivals::portmap_tries_again_after_pauses", portmap_tries_again_after_pauses),
    ("ours::rivals::firewall_tries_again_after_pauses", firewall_tries_again_after_pauses),
];

/// Before how many messages of a plugin the rival changes rules. The kernel refuses changes by whoever read the rules
/// before that.
const RIVALRY: u32 = 16;

/// Adds beside a rival, and returns how many pauses the plugin made.
fn pauses_beside_rival(host: &Host, config: &Value) -> u32 {
    let (mut sending, mut pausing) = (0, 0);
    let is_through = follow(&mut start_paused("ADD", config), config, |call| {
        // It stops twice: before and after.
        sending += u32::from(call == SYS_sendto);
        pausing += u32::from(call == SYS_clock_nanosleep);
        if call == SYS_sendto && sending % 2 == 1 && sending < 2 * RIVALRY {
            host.run("nft 'add table ip rival; delete table ip rival'");
        }
        true
    });
    assert!(is_through && sending > 2 * RIVALRY, "{sending}");
    pausing / 2
}

fn portmap_tries_again_after_pauses(host: &Host) {
    let config = json!({"cniVersion": "1.1.0", "name": "net", "type": "portmap",
        "prevResult": {"cniVersion": "1.0.0", "ips": [{"address": "10.77.0.2/24"}]},
        "runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80}]}});
    let pauses = pauses_beside_rival(host, &config);
    assert!(pauses >= 2, "{pauses}");
    assert!(host.run("nft list ruleset").contains("8080"));
}

fn firewall_tries_again_after_pauses(host: &Host) {
    let config = json!({"cniVersion": "1.1.0", "name": "net", "type": "firewall",
        "prevResult": {"cniVersion": "1.0.0", "ips": [{"address": "10.77.0.2/24"}]}});
    let pauses = pauses_beside_rival(host, &config);
    assert!(pauses >= 1, "{pauses}");
    assert!(host.run("iptables-nft -S").contains("10.77.0.2"));
}
