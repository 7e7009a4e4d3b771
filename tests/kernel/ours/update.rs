//! UPDATE under a running container: what it sends and receives goes on.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libcni::cache::{Cached, Key};
use libcni::conf::NetworkConfig;
use libcni::runtime::Changes;
use libcni::spec::capability::{CapabilityArgs, PortMapping};
use serde_json::{Value, json};

use super::{attachment, ipam, plugins};
use crate::Test;
use crate::host::Host;
use crate::traffic::{Stream, lost_while, reaches, serve, serve_udp};

pub(crate) const TESTS: &[Test] = &[
    ("ours::update::a_stream_goes_on_while_rate_ports_and_firewall_change", a_stream_goes_on),
    ("ours::update::no_packet_is_lost", no_packet_is_lost),
    ("ours::update::an_interface_that_is_made_anew_keeps_its_addresses", made_anew),
    ("ours::update::an_address_that_the_configuration_names_is_the_one_of_today", named_addresses),
    ("ours::update::what_tuning_set_is_what_it_was_when_tuning_goes", tuning_goes),
    ("ours::update::an_address_that_the_container_chose_is_not_recorded", what_the_container_chose),
    ("ours::update::killed_at_any_moment_it_can_be_brought_to_its_end_or_deleted", killed_at_any_moment),
];

/// A megabit, or what an emulator does in its place: scripts/vm.sh says how much.
fn megabit() -> u32 {
    std::env::var_os("LIBCNI_MEGABIT").map_or(1_000_000, |bits| bits.into_string().unwrap().parse().unwrap())
}

/// A list with a rate for what the container gets.
fn list(host: &Host, rate: u32, bridge: Value) -> Value {
    let mut first =
        json!({"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipam": ipam(host, &["10.77.0.0/24"])});
    super::merge(&mut first, bridge);
    let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    let bandwidth = json!({"type": "bandwidth", "ingressRate": rate * megabit(), "ingressBurst": 200_000});
    json!({"cniVersion": "1.1.0", "name": "net", "plugins": [first, portmap, bandwidth]})
}

fn network(list: &Value) -> NetworkConfig {
    NetworkConfig::parse(&list.to_string()).unwrap()
}

fn key() -> Key {
    attachment("blue").key("net".parse().unwrap())
}

fn ports(mappings: &[PortMapping]) -> Changes {
    let mut arguments = CapabilityArgs::new();
    arguments.set_port_mappings(mappings);
    Changes::new().capability_args(arguments)
}

/// A container at 10 Mbit/s, which the world outside reaches by its own address.
fn running(host: &Host) -> NetworkConfig {
    host.make_world();
    host.run("ip -n world route add 10.77.0.0/24 via 192.0.2.1");
    let slow = network(&list(host, 10, json!({})));
    host.ours().add(&slow, &attachment("blue")).unwrap();
    slow
}

fn a_stream_goes_on(host: &Host) {
    let slow = running(host);
    let fast = network(&list(host, 50, json!({})));
    let address = host.addresses("blue").remove(0);
    let stream = Stream::new("world", "blue", &format!("{address}:5001"));
    stream.has_rate(10 * megabit());
    host.ours().update(&fast, &key(), &Changes::new()).unwrap();
    stream.has_rate(50 * megabit());
    host.ours().check(&fast, &attachment("blue")).unwrap();

    serve("blue", 80);
    host.ours().update(&fast, &key(), &ports(&[PortMapping::tcp(8080, 80)])).unwrap();
    reaches("world", "192.0.2.1:8080", "blue", "192.0.2.9");
    stream.goes_on();
    let blue = attachment("blue").port_mappings(&[PortMapping::tcp(8080, 80)]);
    host.ours().check(&fast, &blue).unwrap();

    // A firewall whose rules come last, and let the container through.
    host.run("iptables -P FORWARD DROP && iptables -A FORWARD -d 10.77.0.0/24 -j ACCEPT");
    host.run("iptables -A FORWARD -s 10.77.0.0/24 -j ACCEPT");
    let mut guarded = list(host, 50, json!({}));
    guarded["plugins"].as_array_mut().unwrap().push(json!({"type": "firewall"}));
    host.ours().update(&network(&guarded), &key(), &Changes::new()).unwrap();
    host.run("iptables -D FORWARD -d 10.77.0.0/24 -j ACCEPT && iptables -D FORWARD -s 10.77.0.0/24 -j ACCEPT");
    stream.goes_on();
    host.ours().check(&network(&guarded), &blue).unwrap();
    host.ours().update(&fast, &key(), &Changes::new()).unwrap();
    host.run("iptables -P FORWARD ACCEPT");
    stream.goes_on();

    // Back again, without the port.
    host.ours().update(&slow, &key(), &ports(&[])).unwrap();
    crate::traffic::does_not_reach("world", "192.0.2.1:8080");
    stream.has_rate(10 * megabit());
    assert_eq!(host.addresses("blue"), [address]);
    host.del(&slow, "blue");
}

/// But for rates: the kernel drops what comes in the milliseconds in which it exchanges how an interface queues.
fn no_packet_is_lost(host: &Host) {
    running(host);
    serve_udp("blue", 53);
    let to = format!("{}:53", host.addresses("blue")[0]);
    let mut list = list(host, 10, json!({}));
    list["plugins"].as_array_mut().unwrap().pop();
    host.ours().update(&network(&list), &key(), &Changes::new()).unwrap();
    let mut tuned = list.clone();
    tuned["plugins"].as_array_mut().unwrap().push(json!({"type": "tuning", "mtu": 1400}));
    for (list, mappings) in [(&list, vec![PortMapping::udp(5353, 53)]), (&tuned, vec![]), (&list, vec![])] {
        let lost = lost_while("world", &to, || {
            host.ours().update(&network(list), &key(), &ports(&mappings)).unwrap();
        });
        assert_eq!(lost, 0, "{mappings:?}");
    }
}

fn made_anew(host: &Host) {
    running(host);
    let before = host.addresses("blue");
    let other = network(&list(host, 10, json!({"mtu": 1400})));
    host.ours().update(&other, &key(), &Changes::new()).unwrap_err();
    host.ours().update(&other, &key(), &Changes::new().recreate()).unwrap();
    assert_eq!(host.addresses("blue"), before);
    assert!(host.run("ip -n blue link show eth0").contains("mtu 1400"));
    host.ours().check(&other, &attachment("blue")).unwrap();
    // Where there are no such addresses any more, it gets others.
    let elsewhere = json!({"mtu": 1400, "forceAddress": true, "ipam": ipam(host, &["10.78.0.0/24"])});
    let elsewhere = network(&list(host, 10, elsewhere));
    // IPAM says on stderr why the address that it is asked for can't be had.
    let cni = host.ours().to_builder().on_notice(|_| {}).build().unwrap();
    cni.update(&elsewhere, &key(), &Changes::new().recreate()).unwrap();
    assert_eq!(host.addresses("blue"), ["10.78.0.2"]);
    host.ours().check(&elsewhere, &attachment("blue")).unwrap();
    host.del(&elsewhere, "blue");
    host.run("ip link del world");
    host.is_clean();
}

fn named_addresses(host: &Host) {
    let of = |address| {
        let ipam = json!({"type": "static", "addresses": [{"address": address, "gateway": "10.77.0.1"}]});
        network(&list(host, 10, json!({"ipam": ipam})))
    };
    host.ours().add(&of("10.77.0.2/24"), &attachment("blue")).unwrap();
    let today = of("10.77.0.3/24");
    host.ours().update(&today, &key(), &Changes::new().recreate()).unwrap();
    assert_eq!(host.addresses("blue"), ["10.77.0.3"]);
    host.ours().check(&today, &attachment("blue")).unwrap();
}

fn tuning_goes(host: &Host) {
    let mut with = list(host, 10, json!({}));
    let tuning = json!({"type": "tuning", "mac": "02:00:00:00:00:77", "mtu": 1300});
    with["plugins"].as_array_mut().unwrap().push(tuning);
    let without = network(&list(host, 10, json!({})));
    host.ours().add(&without, &attachment("blue")).unwrap();
    let recorded = || match host.ours().cache().read(&key()).unwrap() {
        Some(Cached::Entry(entry)) => entry.result().unwrap().latest().container_interface("eth0").unwrap().clone(),
        other => panic!("{other:?}"),
    };
    let before = recorded();
    host.ours().update(&network(&with), &key(), &Changes::new()).unwrap();
    assert!(host.run("ip -n blue link show eth0").contains("02:00:00:00:00:77"));
    host.ours().check(&network(&with), &attachment("blue")).unwrap();
    assert_eq!(recorded().mac.as_deref(), Some("02:00:00:00:00:77"));
    host.ours().update(&without, &key(), &Changes::new()).unwrap();
    assert_eq!(recorded(), before);
    host.ours().check(&without, &attachment("blue")).unwrap();
}

fn what_the_container_chose(host: &Host) {
    let mut with = list(host, 10, json!({}));
    with["plugins"].as_array_mut().unwrap().push(json!({"type": "tuning", "mtu": 1300}));
    let without = network(&list(host, 10, json!({})));
    host.ours().add(&network(&with), &attachment("blue")).unwrap();
    host.run("ip -n blue link set eth0 address 02:00:00:00:00:99");
    host.ours().update(&without, &key(), &Changes::new()).unwrap();
    let Some(Cached::Entry(entry)) = host.ours().cache().read(&key()).unwrap() else { panic!("no entry") };
    let interface = entry.result().unwrap().latest().container_interface("eth0").unwrap().clone();
    assert_ne!(interface.mac.as_deref(), Some("02:00:00:00:00:99"));
    assert_eq!(interface.mtu, Some(1500));
    host.ours().check(&without, &attachment("blue")).unwrap_err();
}

fn killed_at_any_moment(host: &Host) {
    running(host);
    let lists = [list(host, 10, json!({})), list(host, 50, json!({}))];
    fs::create_dir_all(host.path("net.d")).unwrap();
    let write = |turn: u32| fs::write(host.path("net.d/net.conflist"), lists[turn as usize % 2].to_string()).unwrap();
    let tool = |verb: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cnitool"));
        command.arg("--cache-dir").arg(host.path("cache")).arg("--conf-dir").arg(host.path("net.d"));
        command.arg("--plugin-dir").arg(plugins()).args([verb, "net", "/run/netns/blue", "--container-id=blue"]);
        command.args(more).stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
        command
    };
    let succeeds = |verb: &str, more: &[&str]| host.run_command(&mut tool(verb, more));
    let port =
        |turn: u32| format!(r#"--cap={{"portMappings":[{{"hostPort":{},"containerPort":80}}]}}"#, 8000 + turn % 2);
    let began = Instant::now();
    write(1);
    succeeds("update", &[&port(1)]);
    let whole = began.elapsed();
    let kills = super::killed::kills();
    for n in 0..kills {
        write(n);
        let mut update = tool("update", &[&port(n)]).spawn().unwrap();
        std::thread::sleep(whole.mul_f64(1.1 * f64::from(n) / f64::from(kills)));
        update.kill().unwrap();
        update.wait().unwrap();
        // Whether it was over or not, CHECK says so, and ends.
        let checked = tool("check", &[&port(n)]).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(checked.status.success() || checked.status.code() == Some(1) && said.contains("error: "), "{said}");
        if n % 2 == 0 {
            succeeds("update", &[&port(n)]);
            succeeds("check", &[&port(n)]);
        } else {
            succeeds("del", &[]);
            assert!(!host.run("nft list ruleset").contains("10.77.0."), "rules are left");
            assert_eq!(host.reservations(), Vec::<String>::new());
            succeeds("add", &[&port(n)]);
        }
    }
    std::thread::sleep(Duration::from_millis(200));
    succeeds("del", &[]);
    host.run("ip link del world");
    host.is_clean();
}
