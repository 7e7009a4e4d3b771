//! Which addresses a container can be reached by.

use std::net::IpAddr;

use libcni::plugin::Answer;
use libcni::spec::IpNet;

use crate::invalid::invalid;

/// Refuses an address that is no single container's. On the host, a loopback address is the host itself: whoever sends
/// packets there on a container's behalf would send them to what only the host may reach.
///
/// # Errors
/// Code 7, with the plugin and the address.
pub(crate) fn must_be_reachable(plugin: &str, address: IpNet) -> Answer {
    match kind_of_no_container(address.addr().to_canonical()) {
        Some(kind) => Err(invalid(format!(
            "{plugin}: address {address} is {kind}, by which no container can be reached: give it another one"
        ))),
        None => Ok(()),
    }
}

fn kind_of_no_container(address: IpAddr) -> Option<&'static str> {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    [
        (address.is_loopback(), "a loopback address"),
        (address.is_unspecified(), "the unspecified address"),
        (address.is_multicast(), "a multicast address"),
        (is_broadcast, "the broadcast address"),
    ]
    .into_iter()
    .find_map(|(is, kind)| is.then_some(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_has_an_address_of_its_own() {
        for fine in ["10.1.0.2/24", "169.254.20.10/32", "240.0.0.1/8", "100.64.0.1/10", "fd00::2/64", "fe80::1/64"] {
            assert!(must_be_reachable("static", fine.parse().unwrap()).is_ok(), "{fine}");
        }
        for (address, kind) in [
            ("127.0.0.1/32", "a loopback address"),
            ("127.255.255.255/8", "a loopback address"),
            ("::1/128", "a loopback address"),
            ("::ffff:127.0.0.1/128", "a loopback address"),
            ("0.0.0.0/8", "the unspecified address"),
            ("::/0", "the unspecified address"),
            ("224.0.0.5/24", "a multicast address"),
            ("::ffff:224.0.0.5/120", "a multicast address"),
            ("ff02::1/64", "a multicast address"),
            ("255.255.255.255/8", "the broadcast address"),
        ] {
            let reply = must_be_reachable("static", address.parse().unwrap()).unwrap_err().into_reply();
            assert_eq!(reply.code.0, 7);
            assert!(reply.to_string().starts_with(&format!("static: address {address} is {kind}, ")), "{reply}");
        }
    }
}
