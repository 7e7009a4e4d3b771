//! Made-up JSON and results.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libcni::result::v100;
use libcni::spec::{Dns, IpNet, Object, Route};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// A JSON text of any kind, without white space between tokens.
pub(super) fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        "-?[1-9][0-9]{0,30}(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?",
        text(),
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        let pair = (text(), inner.clone()).prop_map(|(key, value)| format!("{key}:{value}"));
        prop_oneof![
            vec(inner, 0..4).prop_map(|entries| format!("[{}]", entries.join(","))),
            vec(pair, 0..4).prop_map(|pairs| format!("{{{}}}", pairs.join(","))),
        ]
    })
}

/// A JSON string with everything that has to be escaped.
fn text() -> impl Strategy<Value = String> {
    "\\PC*".prop_union("[\"\\\\{}\\[\\],: \n\t\u{1b}]{0,8}").prop_map(|text| serde_json::to_string(&text).unwrap())
}

/// An object with keys of `keys` and made-up values, each key once.
pub(super) fn object(keys: &'static str) -> impl Strategy<Value = Object> {
    vec((keys, json()), 0..5).prop_map(|pairs| {
        let mut object = Object::new();
        for (key, value) in pairs {
            object.set_json(&key, &value).unwrap();
        }
        object
    })
}

/// Keys that no version of the specification knows.
fn unknown() -> impl Strategy<Value = Object> {
    object("x[a-z]{1,3}")
}

fn net() -> impl Strategy<Value = IpNet> {
    let v4 = (any::<Ipv4Addr>(), 0..=32u8).prop_map(|(addr, prefix)| IpNet::new(addr.into(), prefix));
    let v6 = (any::<Ipv6Addr>(), 0..=128u8).prop_map(|(addr, prefix)| IpNet::new(addr.into(), prefix));
    prop_oneof![v4, v6].prop_map(Option::unwrap)
}

fn non_zero() -> impl Strategy<Value = Option<i64>> {
    option::of(any::<i64>().prop_filter("0 is none", |number| *number != 0))
}

fn word() -> impl Strategy<Value = Option<String>> {
    option::of("[ -~é]{1,12}")
}

fn interface() -> impl Strategy<Value = v100::Interface> {
    ("[a-z0-9.]{0,15}", word(), non_zero(), word(), word(), word(), unknown()).prop_map(
        |(name, mac, mtu, sandbox, socket_path, pci_id, extra)| {
            let mut interface = v100::Interface::new(name);
            interface.mac = mac;
            interface.mtu = mtu;
            interface.sandbox = sandbox;
            interface.socket_path = socket_path;
            interface.pci_id = pci_id;
            interface.extra = extra;
            interface
        },
    )
}

fn ip() -> impl Strategy<Value = v100::Ip> {
    let parts = (option::of(any::<i64>()), net(), option::of(any::<IpAddr>()), unknown());
    parts.prop_map(|(interface, address, gateway, extra)| {
        let mut ip = v100::Ip::new(address);
        ip.interface = interface;
        ip.gateway = gateway;
        ip.extra = extra;
        ip
    })
}

fn route() -> impl Strategy<Value = Route> {
    let numbers = (non_zero(), non_zero(), non_zero(), option::of(any::<i64>()), option::of(any::<i64>()));
    (net(), option::of(any::<IpAddr>()), numbers, unknown()).prop_map(
        |(dst, gw, (mtu, advmss, priority, table, scope), extra)| {
            let mut route = Route::new(dst);
            route.gw = gw;
            route.mtu = mtu;
            route.advmss = advmss;
            route.priority = priority;
            route.table = table;
            route.scope = scope;
            route.extra = extra;
            route
        },
    )
}

fn dns() -> impl Strategy<Value = Dns> {
    let list = || vec("[ -~]{0,10}", 0..3);
    (list(), word(), list(), list(), unknown()).prop_map(|(nameservers, domain, search, options, extra)| {
        let mut dns = Dns::default().nameservers(nameservers).search(search).options(options);
        dns.domain = domain;
        dns.extra = extra;
        dns
    })
}

/// What a result of the newest generation may say.
pub(super) fn body() -> impl Strategy<Value = v100::Body> {
    (vec(interface(), 0..3), vec(ip(), 0..3), vec(route(), 0..3), dns(), unknown()).prop_map(
        |(interfaces, ips, routes, dns, extra)| {
            v100::Body::default().interfaces(interfaces).ips(ips).routes(routes).dns(dns).extra(extra)
        },
    )
}
