//! Hardware addresses.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::Ipv6Addr;

use libcni::link::Link;
use libcni::plugin::{Answer, AttachmentCall, Failure};
use libcni::spec::{ErrorCode, IpNet};
use serde::Deserialize;

pub(crate) type Mac = [u8; 6];

/// An address for an interface or a bridge: locally administered, and not a group's.
pub(crate) fn random() -> Mac {
    let [first, rest @ ..] = random_bytes();
    let [second, third, fourth, fifth, sixth] = rest;
    [first & 0xfc | 0x02, second, third, fourth, fifth, sixth]
}

/// The link-local address that the kernel makes of a hardware address (RFC 4291, appendix A), with its network.
pub(crate) fn link_local([first, second, third, fourth, fifth, sixth]: Mac) -> Option<IpNet> {
    let interface = [first ^ 2, second, third, 0xff, 0xfe, fourth, fifth, sixth];
    let bits = 0xfe80 << 112 | u128::from(u64::from_be_bytes(interface));
    IpNet::new(Ipv6Addr::from_bits(bits).into(), 64)
}

/// An address for a port of a bridge. A bridge without an address of its own has the lowest one of its ports: this one
/// is higher than all others, so that the bridge keeps the one that it has.
pub(crate) fn random_for_port() -> Mac {
    let mut mac = random_bytes();
    mac[0] = 0xfe;
    mac
}

fn random_bytes() -> Mac {
    let [_, _, bytes @ ..] = RandomState::new().build_hasher().finish().to_be_bytes();
    bytes
}

/// The address that is asked for: by capability, or else by `args` of the configuration, or else by CNI_ARGS.
pub(crate) fn requested(call: &AttachmentCall) -> Answer<Option<Mac>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Variable {
        #[serde(rename = "MAC")]
        mac: Option<String>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Key {
        args: Args,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Args {
        cni: CniArgs,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct CniArgs {
        mac: String,
    }
    let capability: Option<String> = call.config.capability("mac")?;
    let key = call.config.typed::<Key>()?.args.cni.mac;
    let variable = call.args::<Variable>()?.mac;
    let asked = [capability, Some(key), variable].into_iter().flatten().find(|mac| !mac.is_empty());
    asked.map(|mac| parse(&mac).and_then(|parsed| of_one_interface(parsed, &mac))).transpose()
}

/// Refuses an address that no interface can have.
fn of_one_interface(mac: Mac, text: &str) -> Answer<Mac> {
    let whose = match mac {
        [0, 0, 0, 0, 0, 0] => "is nobody's",
        [first, ..] if first & 1 == 1 => "is that of a group",
        _ => return Ok(mac),
    };
    let msg = format!("invalid hardware address `{text}`: it {whose}, and an interface needs its own");
    Err(Failure::new(ErrorCode::INVALID_NETWORK_CONFIG, msg))
}

/// Reads an address of six bytes in one of the forms that Go reads: `02:00:00:00:0a:ff`, `02-00-00-00-0a-ff` or
/// `0200.0000.0aff`.
pub(crate) fn parse(text: &str) -> Answer<Mac> {
    let is_group = |group: &str, digits| group.len() == digits && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let read = |(separator, digits): (char, usize)| {
        let groups: Vec<&str> = text.split(separator).filter(|group| is_group(group, digits)).collect();
        let hex = groups.concat();
        // All of the text was groups, and they are of six bytes.
        let is_whole = hex.len() == 12 && text.len() == 12 + groups.len() - 1;
        let [_, _, bytes @ ..] = u64::from_str_radix(&hex, 16).ok().filter(|_| is_whole)?.to_be_bytes();
        Some(bytes)
    };
    [(':', 2), ('-', 2), ('.', 4)].into_iter().find_map(read).ok_or_else(|| {
        let msg = format!("invalid hardware address `{text}`: it must have six bytes, such as 02:00:00:00:0a:ff");
        Failure::new(ErrorCode::INVALID_NETWORK_CONFIG, msg)
    })
}

/// The address of a link, if it has one of six bytes.
pub(crate) fn of(link: &Link) -> Option<Mac> {
    parse(link.mac.as_deref()?).ok()
}

/// The address of a link, for a message.
pub(crate) fn shown(link: &Link) -> &str {
    link.mac.as_deref().unwrap_or("none")
}

/// An address as the kernel's tools write it.
pub(crate) fn format(mac: Mac) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses_have_six_bytes_in_a_form_of_go() {
        for good in ["02:00:00:00:0a:ff", "02-00-00-00-0A-FF", "0200.0000.0aff"] {
            assert_eq!(parse(good).unwrap(), [2, 0, 0, 0, 10, 255]);
        }
        for bad in [
            "",
            "02:00",
            "02:00:00:00:00:00:00",
            "02:00:00:00:00:00:00:09",
            "zz:00:00:00:00:00",
            "2:0:0:0:0:9",
            "02:00-00:00:00:09",
            "020000000009",
            "0200:0000:0009",
            "0200.0000.009",
            "02.00.00.00.00.09",
            " 02:00:00:00:00:09",
            "02:00:00:00:00:09:",
            "+2:00:00:00:00:09",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_link_local_address_is_the_one_that_the_kernel_makes() {
        let address = link_local([2, 0, 0, 0, 10, 255]).unwrap();
        assert_eq!(address.to_string(), "fe80::ff:fe00:aff/64");
    }

    #[test]
    fn made_up_addresses_are_those_of_one_interface() {
        for _ in 0..100 {
            assert_eq!(random()[0] & 0x03, 0x02);
            assert_eq!(random_for_port()[0], 0xfe);
        }
    }
}
