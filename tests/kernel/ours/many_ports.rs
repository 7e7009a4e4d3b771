//! `portmap` with thousands of ports, as SIP and TURN servers have them.

use std::time::{Duration, Instant};

use libcni::Attachment;
use libcni::conf::NetworkConfig;
use libcni::spec::capability::PortMapping;
use serde_json::json;

use super::killed::messages;
use super::{attachment, ipam};
use crate::Test;
use crate::host::Host;
use crate::traffic::{HOST, Sender, serve_udp};

pub(crate) const TESTS: &[Test] = &[
    ("ours::many_ports::of_udp_take_no_more_messages_each", of_udp_take_no_more_messages_each),
    ("ours::many_ports::of_udp_take_hardly_longer_than_of_tcp", of_udp_take_hardly_longer_than_of_tcp),
    ("ours::many_ports::check_takes_as_long_for_each", check_takes_as_long_for_each),
];

fn network(host: &Host) -> NetworkConfig {
    let bridge = json!({"type": "bridge", "isGateway": true, "ipam": ipam(host, &["10.77.0.0/24"])});
    let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    let list = json!({"cniVersion": "1.1.0", "name": "net", "plugins": [bridge, portmap]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

fn with_ports(protocol: &str, count: u16) -> Attachment {
    let port = |port| PortMapping::new(protocol.parse().unwrap(), port, port);
    let mut blue = attachment("blue");
    blue.capability_args.set_port_mappings(&(10_000..10_000 + count).map(port).collect::<Vec<_>>());
    blue
}

fn took(act: impl FnOnce()) -> Duration {
    let began = Instant::now();
    act();
    began.elapsed()
}

fn of_udp_take_hardly_longer_than_of_tcp(host: &Host) {
    let network = network(host);
    // The kernel knows a connection, so that it makes a difference to look for those of a port.
    host.make_world();
    serve_udp(HOST, 5353);
    host.run("nft 'table ip others { chain c { type nat hook input priority 0; }; }'");
    Sender::new("world", "192.0.2.1:5353").is_answered_by(HOST);
    // The best of some, since others use the machine, too.
    let mut best = [[Duration::MAX; 2]; 2];
    for _ in 0..3 {
        for (protocol, best) in ["tcp", "udp"].into_iter().zip(&mut best) {
            let blue = with_ports(protocol, 2000);
            best[0] = best[0].min(took(|| drop(host.ours().add(&network, &blue).unwrap())));
            best[1] = best[1].min(took(|| host.ours().del(&network, &blue).unwrap()));
        }
    }
    let [tcp, udp] = best;
    assert!(udp[0] < tcp[0] * 2, "ADD: {tcp:?} with TCP, {udp:?} with UDP");
    assert!(udp[1] < tcp[1] * 4, "DEL: {tcp:?} with TCP, {udp:?} with UDP");
    host.run("nft delete table ip others");
    host.is_clean();
}

fn of_udp_take_no_more_messages_each(host: &Host) {
    // The kernel knows a connection, so that those of a port are looked for.
    serve_udp(HOST, 5353);
    host.run("nft 'table ip others { chain c { type nat hook input priority 0; }; }'");
    Sender::new(HOST, "127.0.0.1:5353").is_answered_by(HOST);
    let more_than_tcp = |verb, count: u16| {
        let [tcp, udp] = ["tcp", "udp"].map(|protocol| {
            let port = |port| json!({"hostPort": port, "containerPort": port, "protocol": protocol});
            let ports: Vec<_> = (10_000..10_000 + count).map(port).collect();
            let config = json!({"cniVersion": "1.1.0", "name": "net", "type": "portmap",
                "prevResult": {"cniVersion": "1.0.0", "ips": [{"address": "10.77.0.2/24"}]},
                "runtimeConfig": {"portMappings": ports}});
            let [add, del] = ["ADD", "DEL"].map(|verb| messages(verb, &config));
            if verb == "ADD" { add } else { del }
        });
        udp.saturating_sub(tcp)
    };
    for verb in ["ADD", "DEL"] {
        let (few, many) = (more_than_tcp(verb, 100), more_than_tcp(verb, 500));
        assert!(few >= 1, "{verb}: no connection was looked for");
        assert_eq!(many, few, "{verb}: messages for 500 ports of UDP, beyond those of TCP");
    }
    host.run("nft delete table ip others");
}

fn check_takes_as_long_for_each(host: &Host) {
    let network = network(host);
    let check = |count| {
        let blue = with_ports("tcp", count);
        host.ours().add(&network, &blue).unwrap();
        let best = (0..3).map(|_| took(|| host.ours().check(&network, &blue).unwrap())).min();
        host.ours().del(&network, &blue).unwrap();
        best.unwrap()
    };
    let (few, many) = (check(500), check(5000));
    // 10 times as many: what compares each with all takes 100 times as long.
    assert!(many < few * 30, "500: {few:?}, 5000: {many:?}");
    host.is_clean();
}
