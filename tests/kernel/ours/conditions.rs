//! `portmap`: what must hold of a connection besides.

use serde_json::json;

use super::ports::{blue_serves, ends, mapped, network_with, refused, web};
use crate::Test;
use crate::host::Host;
use crate::traffic::{HOST, does_not_reach, reaches};

pub(crate) const TESTS: &[Test] = &[
    ("ours::conditions::must_hold", conditions_must_hold),
    ("ours::conditions::can_be_lists_of_networks", lists_of_networks),
    ("ours::conditions::can_be_of_ports_and_interfaces", ports_and_interfaces),
    ("ours::conditions::can_look_up_sets_which_stay", sets_stay),
    ("ours::conditions::that_are_not_understood_are_refused", conditions_are_refused),
    ("ours::conditions::are_not_read_for_containers_without_ports", not_read_without_ports),
];

fn conditions_must_hold(host: &Host) {
    let keys = json!({
        "conditionsV4": ["!", "-s", "192.0.2.8/31"],
        "conditionsV6": ["ip6 saddr", "2001:db8::/64", "iifname", "world"],
    });
    let network = blue_serves(host, keys, &[web()]);
    does_not_reach("world", "192.0.2.1:8080");
    reaches(HOST, "192.0.2.1:8080", "blue", "192.0.2.1");
    reaches("world", "[2001:db8::1]:8080", "blue", "2001:db8::9");
    does_not_reach(HOST, "[2001:db8::1]:8080");
    host.ours().check(&network, &mapped("blue", &[web()])).unwrap();
    ends(host, &network);
}

/// Tries a mapped port from the world, 192.0.2.9, and from the host, 192.0.2.1.
#[track_caller]
fn lets_in(host: &Host, conditions: &[&str], world: bool, itself: bool) {
    let network = blue_serves_once(host, conditions);
    for (from, as_whom, is_let_in) in [("world", "192.0.2.9", world), (HOST, "192.0.2.1", itself)] {
        if is_let_in {
            reaches(from, "192.0.2.1:8080", "blue", as_whom);
        } else {
            does_not_reach(from, "192.0.2.1:8080");
        }
    }
    host.ours().check(&network, &mapped("blue", &[web()])).unwrap();
    host.del(&network, "blue");
}

/// Adds `blue` once more, which serves its port 80.
fn blue_serves_once(host: &Host, conditions: &[&str]) -> libcni::conf::NetworkConfig {
    let network = network_with(host, json!({"conditionsV4": conditions}));
    host.ours().add(&network, &mapped("blue", &[web()])).unwrap();
    network
}

fn lists_of_networks(host: &Host) {
    let network = blue_serves(host, json!({}), &[]);
    host.del(&network, "blue");
    for (conditions, world, itself) in [
        (&["-s", "10.1.0.0/16,192.0.2.8/29,10.2.0.0/16"][..], true, false),
        (&["!", "-s", "10.1.0.1,192.0.2.9", "-d", "10.0.0.1,192.0.2.1"], false, true),
        (&["-m", "iprange", "--src-range", "192.0.2.5-192.0.2.10"], true, false),
        (&["ip saddr { 10.1.0.0/16, 192.0.2.8-192.0.2.12 }"], true, false),
        (&["ip", "daddr", "!=", "{ 127.0.0.0/8, 192.0.2.1 }"], false, false),
        (&["ip saddr != { 192.0.2.9, 10.1.0.0/16 } ip daddr { 192.0.2.1, 192.0.2.2 }"], false, true),
    ] {
        lets_in(host, conditions, world, itself);
    }
    ends(host, &network);
}

fn ports_and_interfaces(host: &Host) {
    let network = blue_serves(host, json!({}), &[]);
    host.del(&network, "blue");
    for (conditions, world, itself) in [
        (&["--dport", "8000:8100", "-i", "world"][..], true, false),
        (&["-m", "multiport", "--sports", "1,2:3"], false, false),
        (&["-m", "multiport", "!", "--dports", "8079,8081", "!", "-i", "wor+"], false, true),
        (&["-m", "comment", "--comment", "for the office"], true, true),
        (&["tcp sport 1024-65535 iifname { \"eth*\", world }"], true, false),
        (&["udp dport 8080"], false, false),
        (&["meta l4proto { tcp, udp } th dport != { 80, 443 }"], true, true),
        (&["meta mark 7"], false, false),
    ] {
        lets_in(host, conditions, world, itself);
    }
    ends(host, &network);
}

fn sets_stay(host: &Host) {
    host.run(
        "nft 'table inet libcni_portmap {
            set office { type ipv4_addr; flags interval; elements = { 192.0.2.8/29 } }
            set closed { type inet_service; elements = { 8080 } }
        }'",
    );
    let network = blue_serves(host, json!({}), &[]);
    host.del(&network, "blue");
    lets_in(host, &["ip saddr @office"], true, false);
    lets_in(host, &["ip saddr != @office"], false, true);
    lets_in(host, &["tcp dport != @closed"], false, false);
    // The set is looked up when somebody comes.
    let network = blue_serves_once(host, &["ip saddr @office"]);
    host.run("nft add element inet libcni_portmap office '{ 192.0.2.1 }'");
    reaches(HOST, "192.0.2.1:8080", "blue", "192.0.2.1");
    host.del(&network, "blue");
    assert!(host.run("nft list set inet libcni_portmap office").contains("192.0.2.1,"));
    host.run("nft delete table inet libcni_portmap");
    ends(host, &network);
}

fn conditions_are_refused(host: &Host) {
    for (keys, code, expected) in [
        (json!({"conditionsV4": ["-m", "set", "--match-set", "x", "src"]}), 2, "condition `-m set --match-set` is not"),
        (json!({"conditionsV4": ["ct", "state", "new"]}), 2, "condition `ct` is not supported"),
        (json!({"conditionsV6": ["-s", "10.0.0.0/8"]}), 7, "`10.0.0.0/8` is not an IPv6 network"),
        (json!({"backend": "ipfw"}), 7, "unknown `backend` `ipfw`"),
        (
            json!({"backend": "iptables", "conditionsV4": ["ip saddr 10.0.0.1"], "conditionsV6": ["ip6 saddr ::1"]}),
            7,
            "`backend` is `iptables`, which these keys are not for: conditionsV4, conditionsV6",
        ),
        (
            json!({"backend": "nftables", "externalSetMarkChain": "X"}),
            7,
            "`backend` is `nftables`, which these keys are not for: externalSetMarkChain",
        ),
        (
            json!({"conditionsV4": ["ip saddr @office"]}),
            7,
            "`conditionsV4`: table `inet libcni_portmap` has no set `office`",
        ),
        (json!({"markMasqBit": 32}), 7, "invalid `markMasqBit` 32"),
        (json!({"markMasqBit": 1, "externalSetMarkChain": "X"}), 7, "can't be set together"),
    ] {
        let (got, message) = refused(host, keys, "blue", &[web()]);
        assert!(got == code && message.contains(expected), "{got} {message}");
        host.is_clean();
    }
}

fn not_read_without_ports(host: &Host) {
    let network = network_with(host, json!({"conditionsV4": ["-m", "set", "--match-set", "x", "src"]}));
    host.add(&network, "blue");
    host.ours().check(&network, &mapped("blue", &[])).unwrap();
    host.del(&network, "blue");
    // Mistakes in the other keys are mistakes for everybody, as with the reference plugin.
    let (_, message) = refused(host, json!({"backend": "ipfw"}), "blue", &[]);
    assert!(message.contains("unknown `backend` `ipfw`"), "{message}");
    host.is_clean();
}
