//! The expressions that rules are made of.

use libcni::spec::IpNet;
use netlink_packet_netfilter::nftables::{MetaKey, Operator, Register, Verdict};

use super::attribute::{self, Attributes};
use super::family::{self, Family};

/// One expression: loads a register, compares one, or ends the rule.
pub(crate) type Expression = Attributes;
/// The expressions of a rule in order.
pub(crate) type Rule = Vec<Expression>;

/// Which address or port of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Where it comes from.
    Source,
    /// Where it goes.
    Destination,
}

const LINK_HEADER: u32 = 0;
const NETWORK_HEADER: u32 = 1;
const TRANSPORT_HEADER: u32 = 2;

/// An expression by its name.
fn named(name: &str, data: &Attributes) -> Expression {
    Attributes::new().text(1, name).nest(2, data)
}

/// Bytes to compare with or to load.
fn value(bytes: &[u8]) -> Attributes {
    Attributes::new().bytes(1, bytes)
}

/// Loads what the kernel knows about the packet.
pub(crate) fn meta(key: MetaKey, into: Register) -> Expression {
    const DESTINATION: u16 = 1;
    const KEY: u16 = 2;
    named("meta", &Attributes::new().number(KEY, key.into()).number(DESTINATION, into.into()))
}

fn payload(base: u32, offset: u32, length: u32, into: Register) -> Expression {
    let attributes = Attributes::new().number(1, into.into()).number(2, base).number(3, offset).number(4, length);
    named("payload", &attributes)
}

/// Loads the source or destination address.
pub(crate) fn address(family: Family, side: Side, into: Register) -> Expression {
    let offset = match side {
        Side::Source => family.source_offset(),
        Side::Destination => family.destination_offset(),
    };
    payload(NETWORK_HEADER, offset, family.address_length(), into)
}

/// Loads the source or destination address of an Ethernet frame.
pub(crate) fn hardware_address(side: Side, into: Register) -> Expression {
    const LENGTH: u32 = 6;
    let offset = match side {
        Side::Source => LENGTH,
        Side::Destination => 0,
    };
    payload(LINK_HEADER, offset, LENGTH, into)
}

/// Loads the source or destination port of TCP, UDP or SCTP.
pub(crate) fn port(side: Side, into: Register) -> Expression {
    const LENGTH: u32 = 2;
    let offset = match side {
        Side::Source => 0,
        Side::Destination => LENGTH,
    };
    payload(TRANSPORT_HEADER, offset, LENGTH, into)
}

/// Goes on only when a register holds these bytes (or does not).
pub(crate) fn compare(register: Register, operator: Operator, bytes: &[u8]) -> Expression {
    let attributes = Attributes::new().number(1, register.into()).number(2, operator.into());
    named("cmp", &attributes.nest(3, &value(bytes)))
}

/// The comparisons of a listed rule: the operator, and the bytes.
pub(crate) fn comparisons(rule: &[u8]) -> Vec<(Operator, &[u8])> {
    const EXPRESSIONS: u16 = 4;
    const ITEM: u16 = 1;
    const OPERATOR: [u16; 2] = [2, 2];
    const BYTES: [u16; 3] = [2, 3, 1];
    let expressions = attribute::first(rule, EXPRESSIONS).unwrap_or_default();
    let read = |expression| {
        attribute::first(expression, 1).and_then(attribute::text).filter(|name| name == "cmp")?;
        let operator = u32::from_be_bytes(attribute::nested(expression, &OPERATOR)?.try_into().ok()?);
        Some((operator.into(), attribute::nested(expression, &BYTES)?))
    };
    attribute::all(expressions, ITEM).filter_map(read).collect()
}

/// Goes on only when the first register holds bytes from these to those (or does not).
pub(crate) fn is_between(operator: Operator, from: &[u8], to: &[u8]) -> Expression {
    let attributes = Attributes::new().number(1, Register::Reg1.into()).number(2, operator.into());
    named("range", &attributes.nest(3, &value(from)).nest(4, &value(to)))
}

/// Goes on only when a set of the table has what is in the first register (or has not).
pub(crate) fn is_in_set(operator: Operator, set: &str) -> Expression {
    const FLAGS: u16 = 5;
    const INVERTED: u32 = 1;
    let attributes = Attributes::new().text(1, set).number(2, Register::Reg1.into());
    let is_inverted = operator == Operator::NotEqual;
    named("lookup", &if is_inverted { attributes.number(FLAGS, INVERTED) } else { attributes })
}

/// Keeps only the bits of a register that are set in a mask.
pub(crate) fn keep_bits(register: Register, mask: &[u8]) -> Expression {
    let attributes = Attributes::new().number(1, register.into()).number(2, register.into());
    let attributes = attributes.number(3, mask.len() as u32).nest(4, &value(mask));
    named("bitwise", &attributes.nest(5, &value(&vec![0; mask.len()])))
}

/// Loads bytes.
pub(crate) fn immediate(into: Register, bytes: &[u8]) -> Expression {
    named("immediate", &Attributes::new().number(1, into.into()).nest(2, &value(bytes)))
}

/// Ends the rule with a verdict.
pub(crate) fn verdict(code: Verdict) -> Expression {
    verdict_data(&Attributes::new().number(1, code.into()))
}

/// Goes on in another chain, and comes back at its end.
pub(crate) fn jump(chain: &str) -> Expression {
    verdict_data(&Attributes::new().number(1, Verdict::Jump.into()).text(2, chain))
}

/// Lets the packet through this chain.
pub(crate) fn accept_packet() -> Expression {
    const NF_ACCEPT: u32 = 1;
    verdict(Verdict::Other(NF_ACCEPT))
}

/// Drops the packet.
pub(crate) fn drop_packet() -> Expression {
    const NF_DROP: u32 = 0;
    verdict(Verdict::Other(NF_DROP))
}

fn verdict_data(verdict: &Attributes) -> Expression {
    let data = Attributes::new().nest(2, verdict);
    named("immediate", &Attributes::new().number(1, Register::Verdict.into()).nest(2, &data))
}

/// Does what a verdict map says for the key in the registers from [`Register::Reg1`] on; goes on if it has none.
pub(crate) fn verdict_of(map: &str) -> Expression {
    let attributes = Attributes::new().text(1, map).number(2, Register::Reg1.into());
    named("lookup", &attributes.number(3, Register::Verdict.into()))
}

/// Loads the type of the destination address: local, broadcast and so on.
pub(crate) fn destination_type(into: Register) -> Expression {
    const DREG: u16 = 1;
    const RESULT: u16 = 2;
    const FLAGS: u16 = 3;
    const ADDRESS_TYPE: u32 = 3;
    const DESTINATION: u32 = 2;
    let attributes = Attributes::new().number(DREG, into.into()).number(RESULT, ADDRESS_TYPE);
    named("fib", &attributes.number(FLAGS, DESTINATION))
}

/// Goes on only when an extension of iptables matches, which reads its own struct.
pub(crate) fn extension(name: &str, revision: u32, info: &[u8]) -> Expression {
    named("match", &Attributes::new().text(1, name).number(2, revision).bytes(3, info))
}

/// Counts packets, as every rule of iptables does.
pub(crate) fn count() -> Expression {
    named("counter", &Attributes::new())
}

/// The state that connection tracking has of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tracked {
    /// The treatment of the connection: a set of bits.
    Status,
    /// The destination port before translation.
    OriginalDestinationPort,
}

/// Loads what connection tracking knows.
pub(crate) fn tracked(what: Tracked, into: Register) -> Expression {
    const DREG: u16 = 1;
    const KEY: u16 = 2;
    const DIRECTION: u16 = 3;
    const ORIGINAL: u8 = 0;
    let (key, direction) = match what {
        Tracked::Status => (2, None),
        Tracked::OriginalDestinationPort => (12, Some(ORIGINAL)),
    };
    let attributes = Attributes::new().number(DREG, into.into()).number(KEY, key);
    named("ct", &direction.iter().fold(attributes, |all, direction| all.bytes(DIRECTION, &[*direction])))
}

/// Replaces the source by the address of the interface that the packet leaves through.
pub(crate) fn masquerade() -> Expression {
    named("masq", &Attributes::new())
}

/// Replaces destination and port by those in two registers.
pub(crate) fn translate_destination(family: Family, address: Register, port: Register) -> Expression {
    const TYPE: u16 = 1;
    const FAMILY: u16 = 2;
    const ADDRESS: u16 = 3;
    const PORT: u16 = 5;
    const DNAT: u32 = 1;
    let attributes = Attributes::new().number(TYPE, DNAT).number(FAMILY, family.nfproto().into());
    named("nat", &attributes.number(ADDRESS, address.into()).number(PORT, port.into()))
}

/// Packets of one family.
pub(crate) fn is_family(family: Family) -> Rule {
    vec![meta(MetaKey::Nfproto, Register::Reg1), compare(Register::Reg1, Operator::Equal, &[family.nfproto()])]
}

/// Packets of the network's family whose source or destination is in the network, or is not.
pub(crate) fn is_in(side: Side, operator: Operator, net: IpNet) -> Rule {
    let family = Family::of(net.addr());
    let mut rule = is_family(family);
    rule.push(address(family, side, Register::Reg1));
    if u32::from(net.prefix()) < family.address_length() * 8 {
        rule.push(keep_bits(Register::Reg1, &family::mask(net)));
    }
    rule.push(compare(Register::Reg1, operator, &family::octets(family::network(net).addr())));
    rule
}
