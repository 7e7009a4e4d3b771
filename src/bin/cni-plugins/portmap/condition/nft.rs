//! Conditions as expressions of `nft`:
//!
//! | expression | |
//! |---|---|
//! | `ip saddr`, `ip6 saddr` | where it comes from |
//! | `ip daddr`, `ip6 daddr` | which address of the host it is for |
//! | `iifname`, `iif`, `meta iifname` | where it comes in; a name that ends in `*` stands for all that begin so |
//! | `meta l4proto`, `ip protocol` | by which protocol |
//! | `tcp`, `udp`, `sctp` or `th`, and `sport` or `dport` | from and to which port, by which protocol |
//! | `meta mark` | how it is marked |
//!
//! Behind it is a value: one, a range (`10.0.0.1-10.0.0.9`, `1024-65535`), a list of both (`{ 80, 443 }`), or a set of
//! the table `inet libcni_portmap` (`@office`), which is somebody else's. `!=` before it negates it. All expressions
//! must hold.

use std::iter::Peekable;

use super::meaning::{Condition, Error};
use super::subject::{Looked, Subject};
use super::value;
use crate::nft::expression::Side;
use crate::nft::family::Family;
use crate::portmap::mapping::Protocol;

const KNOWN: &str = "of `nft` are ip saddr, ip daddr, ip6 saddr, ip6 daddr, iifname, meta l4proto, meta mark, and tcp, udp, sctp or th with sport or dport";

type Words = Peekable<std::vec::IntoIter<String>>;

/// The subject of an expression, before its value.
#[derive(Clone, Copy)]
enum Field {
    Address(Side),
    Port(Side, Option<Protocol>),
    Interface,
    Protocol,
    Mark,
}

pub(super) fn parse(words: &[String], family: Family) -> Result<Vec<Condition>, Error> {
    let mut words = split(&words.join(" ")).into_iter().peekable();
    let mut conditions = Vec::new();
    while words.peek().is_some() {
        conditions.push(next(&mut words, family)?);
    }
    Ok(conditions)
}

/// Words, braces and commas. Quotation marks are only around names.
fn split(text: &str) -> Vec<String> {
    let apart = text.replace('{', " { ").replace('}', " } ").replace(',', " , ").replace("!=", " != ");
    apart.split_whitespace().map(|word| word.trim_matches('"').to_owned()).collect()
}

fn next(words: &mut Words, family: Family) -> Result<Condition, Error> {
    let field = field(words, family)?;
    let operator = words.next_if(|word| ["!=", "ne", "==", "eq"].contains(&&**word));
    let negated = operator.is_some_and(|operator| operator == "!=" || operator == "ne");
    let subjects = match words.next().unwrap_or_default() {
        list if list == "{" => self::list(words, field, family)?,
        one => vec![field.value(&one, family)?],
    };
    Ok(Condition { subjects, negated })
}

/// The text between braces; the one that opens the list is read.
fn list(words: &mut Words, field: Field, family: Family) -> Result<Vec<Subject>, Error> {
    let mut subjects = Vec::new();
    loop {
        let value = words.next().unwrap_or_default();
        match &*value {
            "}" if !subjects.is_empty() => return Ok(subjects),
            "," if !subjects.is_empty() => {}
            _ => subjects.push(field.value(&value, family)?),
        }
    }
}

fn field(words: &mut Words, family: Family) -> Result<Field, Error> {
    let first = words.next().unwrap_or_default();
    let header = match family {
        Family::V4 => "ip",
        Family::V6 => "ip6",
    };
    let has_second = ["ip", "ip6", "meta", "tcp", "udp", "sctp", "th"].contains(&&*first);
    let second = if has_second { words.next().unwrap_or_default() } else { String::new() };
    let end =
        |name: &str| [("sport", Side::Source), ("dport", Side::Destination)].into_iter().find(|(of, _)| *of == name);
    let unknown = || Err(Error::Unknown { words: format!("{first} {second}").trim().to_owned(), known: KNOWN });
    match (&*first, &*second) {
        (of, "saddr") if of == header => Ok(Field::Address(Side::Source)),
        (of, "daddr") if of == header => Ok(Field::Address(Side::Destination)),
        ("ip", "protocol") if family == Family::V4 => Ok(Field::Protocol),
        ("iifname" | "iif", "") | ("meta", "iifname" | "iif") => Ok(Field::Interface),
        ("meta", "l4proto") => Ok(Field::Protocol),
        ("meta", "mark") => Ok(Field::Mark),
        ("th", name) => end(name).map_or_else(unknown, |(_, end)| Ok(Field::Port(end, None))),
        (name, port) => match Protocol::named(name).zip(end(port)) {
            Some((protocol, (_, end))) => Ok(Field::Port(end, Some(protocol))),
            None => unknown(),
        },
    }
}

impl Field {
    fn value(self, text: &str, family: Family) -> Result<Subject, Error> {
        if let Some(name) = text.strip_prefix('@') {
            return self.set(name, family);
        }
        match self {
            Self::Address(side) if text.contains('-') => value::addresses(side, text, family),
            Self::Address(side) => value::network(side, text, family),
            Self::Port(end, protocol) => {
                value::ports(text, '-').map(|(from, to)| Subject::Ports { end, protocol, from, to })
            }
            Self::Interface => value::interface(text, '*'),
            Self::Protocol => value::protocol(text).map(Subject::Protocol),
            Self::Mark => value::mark(text),
        }
    }

    fn set(self, name: &str, family: Family) -> Result<Subject, Error> {
        let looked = match self {
            Self::Address(side) => Looked::Address(family, side),
            Self::Port(end, protocol) => Looked::Port(end, protocol),
            Self::Interface => Looked::Interface,
            Self::Protocol | Self::Mark => {
                return Err(Error::Unknown {
                    words: format!("@{name}"),
                    known: "sets are of addresses, ports or interfaces",
                });
            }
        };
        Ok(Subject::InSet(looked, name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn lists_ranges_and_sets_are_known() {
        for (words, said) in [
            (&["ip", "daddr", "!=", "{ 127.0.0.0/8, 192.0.2.9 }"][..], "not to 127.0.0.0/8 or to 192.0.2.9/32"),
            (&["ip saddr {10.0.0.1-10.0.0.9,10.1.0.0/16,}"], "from 10.0.0.1-10.0.0.9 or from 10.1.0.0/16"),
            (&["ip saddr @office", "tcp dport != @closed"], "from one of @office, not to tcp port of @closed"),
            (&["udp sport 1024-65535 th dport { 80, 443 }"], "from udp port 1024-65535, to port 80 or to port 443"),
            (&["meta l4proto tcp iif \"eth0\" meta mark 0x10"], "by tcp, through eth0, marked 0x10/0xffffffff"),
            (&["iifname", "{ \"eth0\", \"wg*\" }"], "through eth0 or through wg…"),
            (&["ip protocol { tcp, udp }"], "by tcp or by udp"),
        ] {
            assert_eq!(read(words, Family::V4).unwrap(), said);
        }
        assert_eq!(read(&["ip6 saddr != @office"], Family::V6).unwrap(), "not from one of @office");
    }

    #[test]
    fn what_is_not_known_is_refused_and_quoted() {
        for (words, quoted) in [
            (&["ip6", "saddr", "fc00::/7"][..], "condition `ip6 saddr` is not supported; of `nft` are"),
            (&["ip", "ttl", "1"], "condition `ip ttl` is not supported"),
            (&["ct", "state", "new"], "condition `ct` is not supported"),
            (&["ip saddr 10.0.0.1 counter"], "condition `counter` is not supported"),
            (&["meta mark @marks"], "condition `@marks` is not supported"),
        ] {
            let error = read(words, Family::V4).unwrap_err();
            assert!(error.contains(quoted), "{error}");
        }
    }

    #[test]
    fn values_are_checked() {
        for (words, message) in [
            (&["ip saddr fc00::/7"][..], "`conditions`: `fc00::/7` is not an IPv4 network"),
            (&["ip saddr { }"], "`conditions`: `}` is not an IPv4 network"),
            (&["ip saddr { 10.0.0.1"], "`conditions`: `` is not an IPv4 network"),
            (&["tcp dport 70000"], "`conditions`: `70000` is not a port or a range of ports"),
        ] {
            assert_eq!(read(words, Family::V4).unwrap_err(), message);
        }
    }
}
