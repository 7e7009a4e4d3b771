//! Rules of `iptables-nft` as the kernel lists them, with the structs of the extensions of iptables in them.

use std::net::IpAddr;

use crate::firewall::rule::{Link, Rule, Target};
use crate::nft::attribute;
use crate::nft::family;

/// The revision of the extension `conntrack` that programs use.
pub(super) const CONNECTION_STATE_REVISION: u32 = 3;

/// As long as the kernel's struct for connection states, and where the parts are that are used.
const CONNECTION_STATE: usize = 168;
const MATCHED: usize = 146;
const STATES: usize = 150;

/// The struct for connections that are there already, and what belongs to them.
pub(super) fn established() -> Vec<u8> {
    const STATE: u16 = 1;
    const ESTABLISHED: u16 = 1 << 1;
    const RELATED: u16 = 1 << 2;
    let mut info = vec![0; CONNECTION_STATE];
    info[MATCHED..MATCHED + 2].copy_from_slice(&STATE.to_ne_bytes());
    info[STATES..STATES + 2].copy_from_slice(&(ESTABLISHED | RELATED).to_ne_bytes());
    info
}

/// The struct for a comment.
pub(super) fn comment(text: &str) -> Vec<u8> {
    const LENGTH: usize = 256;
    let mut info: Vec<u8> = text.bytes().take(LENGTH - 1).collect();
    info.resize(LENGTH, 0);
    info
}

/// The source that a register was loaded from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loaded {
    Source,
    Destination,
    FromLink,
    ToLink,
}

/// Reads a listed rule; `None` when it says something that the rules of this plugin don't.
pub(super) fn rule(object: &[u8]) -> Option<Rule> {
    const EXPRESSIONS: u16 = 4;
    const ITEM: u16 = 1;
    const NAME: u16 = 1;
    const DATA: u16 = 2;
    let mut rule = Rule::new(Target::Return);
    let (mut loaded, mut target) = (None, None);
    for expression in attribute::all(attribute::first(object, EXPRESSIONS)?, ITEM) {
        let data = attribute::first(expression, DATA).unwrap_or_default();
        match &*attribute::first(expression, NAME).and_then(attribute::text)? {
            "meta" => loaded = Some(meta(data)?),
            "payload" => loaded = Some(payload(data)?),
            "cmp" => compare(&mut rule, loaded.take()?, data)?,
            "match" => extension(&mut rule, data)?,
            "counter" => {}
            "immediate" => target = Some(verdict(data)?),
            _ => return None,
        }
    }
    Some(Rule { target: target?, ..rule })
}

fn number(data: &[u8], kind: u16) -> Option<u32> {
    Some(u32::from_be_bytes(attribute::first(data, kind)?.try_into().ok()?))
}

fn meta(data: &[u8]) -> Option<Loaded> {
    const KEY: u16 = 2;
    match number(data, KEY)? {
        6 => Some(Loaded::FromLink),
        7 => Some(Loaded::ToLink),
        _ => None,
    }
}

fn payload(data: &[u8]) -> Option<Loaded> {
    const NETWORK: u32 = 1;
    match (number(data, 2)?, number(data, 3)?, number(data, 4)?) {
        (NETWORK, 12, 4) | (NETWORK, 8, 16) => Some(Loaded::Source),
        (NETWORK, 16, 4) | (NETWORK, 24, 16) => Some(Loaded::Destination),
        _ => None,
    }
}

fn compare(rule: &mut Rule, loaded: Loaded, data: &[u8]) -> Option<()> {
    const OPERATOR: u16 = 2;
    const VALUE: [u16; 2] = [3, 1];
    const EQUAL: u32 = 0;
    let value = attribute::nested(data, &VALUE)?;
    let is_equal = match number(data, OPERATOR)? {
        EQUAL => true,
        1 => false,
        _ => return None,
    };
    let single = || -> Option<IpAddr> { family::address(value).filter(|_| is_equal) };
    let link = || {
        // Without the zero at its end it is the beginning of a name.
        let name = String::from_utf8(value.strip_suffix(&[0])?.to_vec()).ok()?;
        let name = name.trim_end_matches('\0').to_owned();
        Some(if is_equal { Link::Is(name) } else { Link::IsNot(name) })
    };
    match loaded {
        Loaded::Source => rule.source = Some(single()?),
        Loaded::Destination => rule.destination = Some(single()?),
        Loaded::FromLink => rule.from_link = Some(link()?),
        Loaded::ToLink => rule.to_link = Some(link()?),
    }
    Some(())
}

fn extension(rule: &mut Rule, data: &[u8]) -> Option<()> {
    const NAME: u16 = 1;
    const INFO: u16 = 3;
    let info = attribute::first(data, INFO)?;
    match &*attribute::first(data, NAME).and_then(attribute::text)? {
        "comment" => {
            let end = info.iter().position(|byte| *byte == 0).unwrap_or(info.len());
            rule.comment = Some(String::from_utf8(info[..end].to_vec()).ok()?);
        }
        // The kernel cuts what only fills the struct.
        "conntrack" if established().starts_with(info) && info.len() > STATES + 2 => rule.is_established = true,
        _ => return None,
    }
    Some(())
}

fn verdict(data: &[u8]) -> Option<Target> {
    const CODE: [u16; 3] = [2, 2, 1];
    const CHAIN: [u16; 3] = [2, 2, 2];
    const DROP: i32 = 0;
    const ACCEPT: i32 = 1;
    const JUMP: i32 = -3;
    const RETURN: i32 = -5;
    match i32::from_be_bytes(attribute::nested(data, &CODE)?.try_into().ok()?) {
        DROP => Some(Target::Drop),
        ACCEPT => Some(Target::Accept),
        RETURN => Some(Target::Return),
        JUMP => attribute::nested(data, &CHAIN).and_then(attribute::text).map(Target::Chain),
        _ => None,
    }
}
