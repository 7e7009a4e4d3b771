//! A hostile process in a container, which is root in its network namespace, and names that whoever asks for it chose.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use libcni::{Attachment, Chain};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::json;

use super::{DUAL_STACK, attachment, bridge, ipam, network};
use crate::Test;
use crate::host::Host;
use crate::traffic::{does_not_reach, reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::hostile::a_source_that_it_made_up_is_not_masqueraded", a_made_up_source_is_not_masqueraded),
    ("ours::hostile::a_process_that_waits_inside_chooses_no_hardware_address", waiting_inside_is_of_no_use),
    ("ours::hostile::a_process_that_waits_inside_chooses_no_reported_address", waiting_inside_reports_nothing),
    ("ours::hostile::hundreds_of_addresses_and_routes_can_be_added_and_removed", hundreds_of_addresses_and_routes),
    ("ours::hostile::a_hardware_address_of_a_group_or_of_nobody_is_refused", odd_hardware_addresses_are_refused),
    ("ours::hostile::the_longest_id_can_be_added_and_removed", the_longest_id),
    ("ours::hostile::names_too_long_for_the_kernel_own_rules_of_the_firewall", names_too_long_own_rules),
];

fn a_made_up_source_is_not_masqueraded(host: &Host) {
    let network = bridge(host, json!({"ipMasq": true}));
    host.make_world();
    host.add(&network, "blue");
    serve("world", 80);
    reaches("blue", "192.0.2.9:80", "world", "192.0.2.1");
    host.run(
        "ip -n blue addr flush dev eth0 scope global
        ip -n blue addr add 10.77.0.99/24 dev eth0
        ip -n blue route add default via 10.77.0.1",
    );
    does_not_reach("blue", "192.0.2.9:80");
    // It does leave the host, as what it says.
    host.run("ip -n world route add 10.77.0.99 via 192.0.2.1");
    reaches("blue", "192.0.2.9:80", "world", "10.77.0.99");
    host.del(&network, "blue");
    host.is_clean();
}

const FALSE_MAC: &str = "02:00:00:00:00:99";

/// A process inside that gives `eth0` an address as soon as there is one, and ever again.
fn waits_inside() -> Child {
    let line = format!("yes 'link set dev eth0 address {FALSE_MAC}' | ip -n blue -force -batch - >/dev/null 2>&1");
    Command::new("sh").args(["-c", &line]).stdin(Stdio::null()).process_group(0).spawn().unwrap()
}

fn waiting_inside_is_of_no_use(host: &Host) {
    let network = bridge(host, json!({"macspoofchk": true}));
    host.add(&network, "green");
    serve("green", 80);
    let mut tried = 0;
    for _ in 0..8 {
        let mut inside = waits_inside();
        let added = host.ours().add(&network, &attachment("blue"));
        killpg(Pid::from_raw(inside.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
        inside.wait().unwrap();
        if added.is_ok() {
            tried += 1;
            host.run(&format!("ip -n blue link set eth0 address {FALSE_MAC}"));
            does_not_reach("blue", "10.77.0.2:80");
        }
        host.del(&network, "blue");
    }
    assert!(tried > 0, "no ADD succeeds while a process waits");
    host.del(&network, "green");
    host.is_clean();
}

fn waiting_inside_reports_nothing(host: &Host) {
    host.make_world();
    host.without_duplicate_detection();
    let ptp = json!({"type": "ptp", "ipam": ipam(host, DUAL_STACK)});
    let macvlan = json!({"type": "macvlan", "master": "world", "ipam": ipam(host, DUAL_STACK)});
    for plugin in [ptp, macvlan] {
        let network = network(plugin.clone(), "1.1.0");
        for _ in 0..6 {
            let mut inside = waits_inside();
            let added = host.ours().add(&network, &attachment("blue"));
            killpg(Pid::from_raw(inside.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
            inside.wait().unwrap();
            if let Ok(result) = added {
                let said = result.latest().container_interface("eth0").unwrap().mac.clone();
                assert_ne!(said.as_deref(), Some(FALSE_MAC), "{plugin}");
            }
            // Nothing that is inside can be trusted to be what it was, and DEL of macvlan has nothing else to go by.
            host.run("ip -n blue link del eth0 2>/dev/null || true");
            host.del(&network, "blue");
        }
    }
    host.run("ip link del world");
    host.is_clean();
}

/// More than the answers of the kernel have room in a socket.
fn hundreds_of_addresses_and_routes(host: &Host) {
    let addresses: Vec<_> = (0..600)
        .map(|n| json!({"address": format!("10.77.{}.{}/16", n / 250, n % 250 + 1), "gateway": "10.77.255.254"}))
        .collect();
    let ptp = network(json!({"type": "ptp", "ipam": {"type": "static", "addresses": addresses}}), "1.1.0");
    let routes: Vec<_> = (0..600).map(|n| json!({"dst": format!("10.{}.{}.0/24", 100 + n / 250, n % 250)})).collect();
    let mut ipam = ipam(host, DUAL_STACK);
    ipam["routes"] = json!(routes);
    for network in [ptp, bridge(host, json!({"ipam": ipam}))] {
        host.add(&network, "blue");
        host.ours().check(&network, &attachment("blue")).unwrap();
        assert!(host.run("ip -n blue route; ip -n blue addr").lines().count() > 600);
        host.del(&network, "blue");
        host.is_clean();
    }
}

fn odd_hardware_addresses_are_refused(host: &Host) {
    let network = bridge(host, json!({}));
    for mac in ["00:00:00:00:00:00", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff"] {
        let mut blue = attachment("blue");
        blue.capability_args.set_mac(mac);
        let error = host.ours().add(&network, &blue).unwrap_err();
        assert!(Chain(&error).to_string().contains(mac), "{mac}: {}", Chain(&error));
        host.ours().del(&network, &blue).unwrap();
        host.is_clean();
    }
}

fn the_longest_id(host: &Host) {
    let network = bridge(host, json!({"ipMasq": true, "macspoofchk": true}));
    // What the two have in common is longer than any name of the kernel's.
    let ids = ["a", "b"].map(|last| "c".repeat(239) + last);
    let added = ids.each_ref().map(|id| {
        let container = &id[238..];
        host.run(&format!("ip netns add {container}"));
        Attachment::new(id.parse().unwrap(), "eth0".parse().unwrap()).netns(format!("/run/netns/{container}"))
    });
    added.iter().for_each(|attachment| drop(host.ours().add(&network, attachment).unwrap()));
    host.ours().check(&network, &added[0]).unwrap();
    host.ours().del(&network, &added[0]).unwrap();
    host.ours().check(&network, &added[1]).unwrap();
    host.ours().del(&network, &added[1]).unwrap();
    host.is_clean();
}

fn names_too_long_own_rules(host: &Host) {
    let config = json!({"cniVersion": "1.1.0", "name": "n".repeat(28), "type": "firewall"});
    let call = |command: &str, last: &str, config: &serde_json::Value| {
        let id = "c".repeat(249) + last;
        host.run(&format!(
            "echo '{config}' | CNI_COMMAND={command} CNI_CONTAINERID={id} CNI_IFNAME=eth0 CNI_NETNS=/run/netns/blue \
             CNI_PATH={dir} {dir}/firewall",
            dir = super::plugins().display()
        ));
    };
    let rules = || host.run("iptables-nft -S CNI-FORWARD | grep -c 10.77.0.9 || true").trim().to_owned();
    let mut added = config.clone();
    added["prevResult"] = json!({"cniVersion": "1.1.0", "ips": [{"address": "10.77.0.9/24"}]});
    // What the names have in common is longer than what the kernel keeps.
    for last in ["a", "b"] {
        call("ADD", last, &added);
    }
    assert_eq!(rules(), "4");
    call("CHECK", "a", &added);
    call("DEL", "a", &config);
    assert_eq!(rules(), "2");
    call("CHECK", "b", &added);
    let mut gc = config.clone();
    gc["cni.dev/valid-attachments"] = json!([]);
    call("GC", "b", &gc);
    assert_eq!(rules(), "0");
}
