//! Every system call fails once, or is where the program is killed.
//!
//! By default each call of each verb is tried with one of the errors in turn, the last time that it is made.
//! `scripts/faults.sh` tries all of them.

mod chained;
mod injected;
mod interfaces;
mod sockets;
mod tool;
mod trial;
mod updates;
mod verbs;

use std::process::Command;

use crate::Test;

pub(crate) const UPDATES: &[Test] = updates::TESTS;

pub(crate) const TESTS: &[Test] = &[
    ("ours::faults::bandwidth_survives_them", chained::bandwidth_survives),
    ("ours::faults::bridge_survives_them", interfaces::bridge_survives),
    ("ours::faults::firewall_survives_them", chained::firewall_survives),
    ("ours::faults::flannel_survives_them", interfaces::flannel_survives),
    ("ours::faults::host_local_survives_them", interfaces::host_local_survives),
    ("ours::faults::loopback_survives_them", interfaces::loopback_survives),
    ("ours::faults::macvlan_survives_them", interfaces::macvlan_survives),
    ("ours::faults::portmap_survives_them", chained::portmap_survives),
    ("ours::faults::ptp_survives_them", interfaces::ptp_survives),
    ("ours::faults::static_survives_them", interfaces::static_survives),
    ("ours::faults::tuning_survives_them", chained::tuning_survives),
    ("ours::faults::the_tool_survives_them", tool::tool_survives),
    ("ours::faults::a_process_has_one_netfilter_socket", sockets::one_netfilter_socket),
    ("ours::faults::verbs_read_what_is_their_own", sockets::verbs_read_what_is_their_own),
];

/// Why this machine can't make calls fail, if it can't.
pub(crate) fn missing() -> Option<String> {
    let found = Command::new("strace").args(["-qq", "-o/dev/null", "true"]).output();
    if found.is_ok_and(|output| output.status.success()) { None } else { Some("no strace".to_owned()) }
}
