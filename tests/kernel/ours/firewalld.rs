//! `firewall` where firewalld rules: here one that only remembers, on a bus of its own.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::thread;

use libcni::Chain;
use libcni::conf::NetworkConfig;
use serde_json::{Value, json};

use super::{DUAL_STACK, attachment, ipam, merge};
use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("ours::firewalld::it_accepts_the_addresses_until_del", it_accepts_the_addresses),
    ("ours::firewalld::what_it_refuses_fails_and_leaves_nothing", what_it_refuses_fails),
    ("ours::firewalld::an_ingress_policy_is_kept_beside_it", an_ingress_policy_is_kept),
    ("ours::firewalld::where_it_can_not_be_reached_it_is_named", where_it_can_not_be_reached),
];

/// Sources, each with its zone.
type Sources = Arc<Mutex<BTreeSet<String>>>;

/// A bus with a firewalld that has one zone it refuses.
fn start() -> Sources {
    fs::create_dir_all("/run/dbus").unwrap();
    let listener = UnixListener::bind("/run/dbus/system_bus_socket").unwrap();
    let sources = Sources::default();
    let shared = Arc::clone(&sources);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let shared = Arc::clone(&shared);
            thread::spawn(move || serve(&stream.unwrap(), &shared));
        }
    });
    sources
}

fn serve(mut stream: &UnixStream, sources: &Sources) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("\0AUTH EXTERNAL "), "{line:?}");
    stream.write_all(b"OK 0123456789abcdef\r\n").unwrap();
    line.clear();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "BEGIN\r\n");
    let mut header = [0; 16];
    while reader.read_exact(&mut header).is_ok() {
        let number = |at: usize| u32::from_le_bytes(*header[at..].first_chunk().unwrap());
        let (body_length, fields_length) = (number(4) as usize, number(12) as usize);
        let mut rest = vec![0; fields_length.next_multiple_of(8) + body_length];
        reader.read_exact(&mut rest).unwrap();
        let (fields, body) = rest.split_at(fields_length.next_multiple_of(8));
        stream.write_all(&answer(number(8), fields, body, sources)).unwrap();
    }
}

fn texts(mut body: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some(length) = body.first_chunk() {
        let length = u32::from_le_bytes(*length) as usize;
        texts.push(String::from_utf8(body[4..4 + length].to_vec()).unwrap());
        body = body.get((4 + length + 1).next_multiple_of(4)..).unwrap_or_default();
    }
    texts
}

fn answer(serial: u32, fields: &[u8], body: &[u8], sources: &Sources) -> Vec<u8> {
    let fields = String::from_utf8_lossy(fields);
    let texts = texts(body);
    let source = texts.join(" ");
    let mut sources = sources.lock().unwrap();
    let outcome = match ["addSource", "removeSource", "querySource"].iter().find(|method| fields.contains(**method)) {
        Some(_) if source.starts_with("nowhere") => Err("INVALID_ZONE: nowhere"),
        Some(&"addSource") if !sources.insert(source.clone()) => Err("ZONE_ALREADY_SET: it is there"),
        Some(&"removeSource") if !sources.remove(&source) => Err("UNKNOWN_SOURCE: it is not there"),
        Some(&"querySource") => Ok(u32::from(sources.contains(&source))),
        // To `NameHasOwner`, too.
        _ => Ok(1),
    };
    let mut fields = [&[5, 1, b'u', 0], &serial.to_le_bytes()[..]].concat();
    let body = outcome.map_or_else(
        |message| [&u32::try_from(message.len()).unwrap().to_le_bytes(), message.as_bytes(), &[0]].concat(),
        |value: u32| value.to_le_bytes().to_vec(),
    );
    if outcome.is_err() {
        fields.extend([4, 1, b's', 0, 3, 0, 0, 0, b'a', b'.', b'b', 0]);
    }
    let kind = if outcome.is_ok() { 2 } else { 3 };
    let mut message = vec![b'l', kind, 1, 1];
    for number in [body.len(), 1, fields.len()] {
        message.extend(u32::try_from(number).unwrap().to_le_bytes());
    }
    message.extend(fields);
    message.resize(message.len().next_multiple_of(8), 0);
    [message, body].concat()
}

fn network(host: &Host, keys: Value) -> NetworkConfig {
    let bridge = json!({"type": "bridge", "bridge": "cni0", "isGateway": true, "ipam": ipam(host, DUAL_STACK)});
    let mut firewall = json!({"type": "firewall"});
    merge(&mut firewall, keys);
    let list = json!({"cniVersion": "1.1.0", "name": "net", "plugins": [bridge, firewall]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

fn shown(sources: &Sources) -> Vec<String> {
    sources.lock().unwrap().iter().cloned().collect()
}

fn rules(host: &Host) -> String {
    host.run("iptables-nft -S; ip6tables-nft -S")
}

fn it_accepts_the_addresses(host: &Host) {
    let sources = start();
    for (keys, zone) in [
        (json!({}), "trusted"),
        (json!({"backend": "firewalld"}), "trusted"),
        (json!({"backend": "firewalld", "firewalldZone": "pods"}), "pods"),
    ] {
        let network = network(host, keys);
        host.ours().status(&network).unwrap();
        host.add(&network, "blue");
        let own = host.addresses("blue");
        assert_eq!(shown(&sources), [format!("{zone} {}/32", own[0]), format!("{zone} {}/128", own[1])]);
        assert!(!rules(host).contains("CNI-"), "{}", rules(host));
        host.ours().check(&network, &attachment("blue")).unwrap();
        sources.lock().unwrap().pop_first();
        let error = Chain(&host.ours().check(&network, &attachment("blue")).unwrap_err()).to_string();
        assert!(error.contains(&format!("CHECK: firewall: zone `{zone}` of firewalld lacks {}", own[0])), "{error}");
        for _ in 0..2 {
            host.del(&network, "blue");
            assert_eq!(shown(&sources), Vec::<String>::new());
        }
    }
    // Only iptables is asked, if only that is asked for.
    let network = network(host, json!({"backend": "iptables"}));
    host.add(&network, "blue");
    assert_eq!(shown(&sources), Vec::<String>::new());
    assert!(rules(host).contains("-j ACCEPT"));
    host.del(&network, "blue");
}

fn what_it_refuses_fails(host: &Host) {
    let sources = start();
    // An administrator has it there already.
    sources.lock().unwrap().insert("trusted fd00:77::2/128".to_owned());
    let fine = network(host, json!({}));
    host.add(&fine, "blue");
    host.del(&fine, "blue");
    let refused = network(host, json!({"firewalldZone": "nowhere"}));
    let error = Chain(&host.ours().add(&refused, &attachment("blue")).unwrap_err()).to_string();
    assert!(error.contains("in zone `nowhere` of firewalld: a.b: INVALID_ZONE: nowhere"), "{error}");
    host.del(&refused, "blue");
    assert_eq!(shown(&sources), Vec::<String>::new());
    host.is_clean();
}

fn an_ingress_policy_is_kept(host: &Host) {
    let sources = start();
    let network = network(host, json!({"ingressPolicy": "same-bridge"}));
    host.add(&network, "blue");
    let rules = rules(host);
    assert_eq!(rules.matches("-A CNI-ISOLATION-STAGE-2 -o cni0").count(), 2, "{rules}");
    assert!(!rules.contains("CNI-FORWARD"), "{rules}");
    assert_eq!(shown(&sources).len(), 2);
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.del(&network, "blue");
    assert_eq!(shown(&sources), Vec::<String>::new());
}

fn where_it_can_not_be_reached(host: &Host) {
    let refused = |keys: Value| {
        let network = network(host, keys);
        host.ours().status(&network).unwrap_err();
        let error = Chain(&host.ours().add(&network, &attachment("blue")).unwrap_err()).to_string();
        host.del(&network, "blue");
        assert!(error.contains("can't be reached by D-Bus (org.fedoraproject.FirewallD1)"), "{error}");
        assert!(error.contains("set `backend` to `iptables`"), "{error}");
        error
    };
    assert!(refused(json!({"backend": "firewalld"})).contains("`backend` is `firewalld`"));
    // Its rules may drop what others accept.
    host.run("nft add table inet firewalld");
    assert!(refused(json!({})).contains("firewalld is in use"));
    let by_name = network(host, json!({"backend": "iptables"}));
    host.add(&by_name, "blue");
    host.del(&by_name, "blue");
}
