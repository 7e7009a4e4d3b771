//! CNI_ARGS, capability arguments, names, addresses and versions.

use std::net::IpAddr;

use libcni::plugin::load_args;
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{CniArgs, ContainerId, IfName, IpNet, NetworkName, Version};

use super::parts;

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Args {
    #[serde(rename = "IP")]
    _ip: Option<IpAddr>,
    #[serde(rename = "K8S_POD_NAME")]
    _pod: String,
    #[serde(rename = "N")]
    _number: i16,
    #[serde(rename = "F")]
    _fraction: f64,
    #[serde(rename = "FLAG")]
    _flag: bool,
}

/// What is accepted is printed as it was written, and reads the same again.
pub fn holds(data: &[u8]) {
    let Some(text) = parts::text(data) else { return };
    let _ = load_args::<Args>(text);
    if let Ok(args) = text.parse::<CniArgs>() {
        assert_eq!(args.to_string(), text);
    }
    if let Ok(args) = CapabilityArgs::parse(text) {
        assert_eq!(CapabilityArgs::parse(&args.to_string()).expect("its own text"), args);
    }
    names(text);
    if let Ok(net) = text.parse::<IpNet>() {
        assert_eq!(net.to_string().parse(), Ok(net));
    }
    let [a, b, c] = parts::split(text).map(str::parse::<Version>);
    if let (Ok(a), Ok(b), Ok(c)) = (a, b, c) {
        assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        assert!(a > b || b > c || a <= c, "{a} {b} {c}");
        assert_eq!(a.to_string().parse(), Ok(a));
    }
}

/// No name that is accepted can leave the directory that a file is named after it in.
fn names(text: &str) {
    let names = [
        ContainerId::new(text).ok().map(|name| name.to_string()),
        NetworkName::new(text).ok().map(|name| name.to_string()),
        IfName::new(text).ok().map(|name| name.to_string()),
    ];
    for name in names.iter().flatten() {
        assert_eq!(name, text);
        assert!(!name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0', '\n', ' ']), "{name:?}");
    }
}
