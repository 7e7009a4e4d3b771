//! `conditionsV4` and `conditionsV6`: what must hold of a connection to a mapped port besides.
//!
//! In the reference plugin these are arguments for `iptables` or an expression for `nft`, as they come. Here they are
//! understood, in either language, or refused:
//!
//! | iptables | nft | |
//! |---|---|---|
//! | `-s`, `--source`, `--src` NETWORK | `ip saddr`, `ip6 saddr` NETWORK | where it comes from |
//! | `-d`, `--destination`, `--dst` NETWORK | `ip daddr`, `ip6 daddr` NETWORK | which address of the host it is for |
//! | `-i`, `--in-interface` NAME | `iifname` NAME | where it comes in; NAME may end in `+` or `*` |
//! | `!` before the option | `!=` before the value | negates |
//!
//! NETWORK is an address with or without the length of a prefix. All conditions of a list must hold.

use libcni::plugin::{Answer, Failure};
use libcni::spec::{ErrorCode, IpNet};
use netlink_packet_netfilter::nftables::{MetaKey, Operator, Register};

use crate::invalid::invalid;
use crate::nft::expression::{self, Rule, Side};
use crate::nft::family::Family;

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    subject: Subject,
    negated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    Address(Side, IpNet),
    /// The name of the interface, or, for many of them, what their names begin with.
    Interface {
        name: String,
        whole: bool,
    },
}

/// What a condition is about, before its value.
#[derive(Clone, Copy)]
enum Field {
    Address(Side),
    Interface,
}

impl Condition {
    /// The expressions that go on only when the condition holds.
    pub(crate) fn expressions(&self) -> Rule {
        let operator = if self.negated { Operator::NotEqual } else { Operator::Equal };
        match &self.subject {
            Subject::Address(side, net) => expression::is_in(*side, operator, *net),
            Subject::Interface { name, whole } => {
                // The register has the name with zeros behind it.
                let end: &[u8] = if *whole { &[0] } else { &[] };
                let name = [name.as_bytes(), end].concat();
                let load = expression::meta(MetaKey::Iifname, Register::Reg1);
                vec![load, expression::compare(Register::Reg1, operator, &name)]
            }
        }
    }
}

/// Reads the words of a list of conditions.
///
/// # Errors
/// Code 2: a condition that is not among the known ones; 7: a known one with a wrong value.
pub(crate) fn parse(key: &str, words: &[String], family: Family) -> Answer<Vec<Condition>> {
    let words: Vec<&str> = words.iter().flat_map(|word| word.split_whitespace()).collect();
    let mut words = words.into_iter().peekable();
    let mut conditions = Vec::new();
    while words.peek().is_some() {
        conditions.push(next(&mut words, family).map_err(|error| error.of(key))?);
    }
    Ok(conditions)
}

/// Why words are no condition.
enum Error {
    Unknown(String),
    Value { value: String, expected: &'static str },
}

impl Error {
    fn of(self, key: &str) -> Failure {
        match self {
            Self::Unknown(words) => Failure::new(
                ErrorCode::UNSUPPORTED_FIELD,
                format!(
                    "`{key}`: condition `{words}` is not supported; -s, -d and -i (iptables) and ip saddr, ip daddr, ip6 saddr, ip6 daddr and iifname (nft) are"
                ),
            ),
            Self::Value { value, expected } => invalid(format!("`{key}`: `{value}` is not {expected}")),
        }
    }
}

type Words<'a> = std::iter::Peekable<std::vec::IntoIter<&'a str>>;

fn next(words: &mut Words<'_>, family: Family) -> Result<Condition, Error> {
    let negated_option = words.next_if_eq(&"!").is_some();
    let field = field(words, family)?;
    let negated_value = words.next_if(|word| ["!=", "=="].contains(word)) == Some("!=");
    let value = words.next().unwrap_or_default();
    let subject = match field {
        Field::Address(side) => Subject::Address(side, network(value, family)?),
        Field::Interface => interface(value)?,
    };
    Ok(Condition { subject, negated: negated_option != negated_value })
}

fn field(words: &mut Words<'_>, family: Family) -> Result<Field, Error> {
    let word = words.next().unwrap_or_default();
    let header = match family {
        Family::V4 => "ip",
        Family::V6 => "ip6",
    };
    match word {
        "-s" | "--source" | "--src" => Ok(Field::Address(Side::Source)),
        "-d" | "--destination" | "--dst" => Ok(Field::Address(Side::Destination)),
        "-i" | "--in-interface" | "iifname" => Ok(Field::Interface),
        _ if word == header => match words.next().unwrap_or_default() {
            "saddr" => Ok(Field::Address(Side::Source)),
            "daddr" => Ok(Field::Address(Side::Destination)),
            other => Err(Error::Unknown(format!("{word} {other}"))),
        },
        _ => Err(Error::Unknown(word.to_owned())),
    }
}

fn network(text: &str, family: Family) -> Result<IpNet, Error> {
    let host = || text.parse().ok().and_then(|address| IpNet::new(address, family.address_length() as u8 * 8));
    let network: Option<IpNet> = text.parse().ok().or_else(host);
    let network = network.filter(|network| Family::of(network.addr()) == family);
    network.ok_or_else(|| Error::Value { value: text.to_owned(), expected: family.network_name() })
}

fn interface(text: &str) -> Result<Subject, Error> {
    let text = text.trim_matches('"');
    let start = text.strip_suffix(['+', '*']);
    let name = start.unwrap_or(text);
    // A prefix may be empty: then any interface does.
    if (name.is_empty() && start.is_none()) || name.len() > 15 {
        return Err(Error::Value { value: text.to_owned(), expected: "the name of an interface" });
    }
    Ok(Subject::Interface { name: name.to_owned(), whole: start.is_none() })
}

impl Family {
    fn network_name(self) -> &'static str {
        match self {
            Self::V4 => "an IPv4 network",
            Self::V6 => "an IPv6 network",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str], family: Family) -> Result<String, String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let conditions = parse("conditions", &words, family).map_err(|error| error.into_reply().to_string())?;
        let conditions: Vec<_> = conditions.iter().map(in_words).collect();
        Ok(conditions.join(", "))
    }

    fn in_words(condition: &Condition) -> String {
        let not = if condition.negated { "not " } else { "" };
        match &condition.subject {
            Subject::Address(Side::Source, net) => format!("{not}from {net}"),
            Subject::Address(Side::Destination, net) => format!("{not}to {net}"),
            Subject::Interface { name, whole } => format!("{not}through {name}{}", if *whole { "" } else { "…" }),
        }
    }

    #[test]
    fn both_languages_say_the_same() {
        let said = "not to 192.0.2.0/24, from 10.0.0.7/32, through eth0";
        let iptables = ["!", "-d", "192.0.2.0/24", "-s", "10.0.0.7", "-i", "eth0"];
        assert_eq!(read(&iptables, Family::V4).unwrap(), said);
        let nft = ["ip", "daddr", "!=", "192.0.2.0/24", "ip saddr 10.0.0.7", "iifname \"eth0\""];
        assert_eq!(read(&nft, Family::V4).unwrap(), said);
        assert_eq!(read(&["ip6 saddr", "fc00::/7", "-i", "eth+"], Family::V6).unwrap(), "from fc00::/7, through eth…");
    }

    #[test]
    fn what_is_not_known_is_refused_and_quoted() {
        let unknown = "condition `-m` is not supported";
        assert!(read(&["-m", "mark", "--mark", "1"], Family::V4).unwrap_err().contains(unknown));
        let other_family = "condition `ip6` is not supported";
        assert!(read(&["ip6", "saddr", "fc00::/7"], Family::V4).unwrap_err().contains(other_family));
        let other_header = "condition `ip ttl` is not supported";
        assert!(read(&["ip", "ttl", "1"], Family::V4).unwrap_err().contains(other_header));
    }

    #[test]
    fn values_fit_the_family() {
        for (words, message) in [
            (&["-s", "fc00::/7"][..], "`conditions`: `fc00::/7` is not an IPv4 network"),
            (&["-s", "10.0.0.0/8,10.1.0.0/16"], "`conditions`: `10.0.0.0/8,10.1.0.0/16` is not an IPv4 network"),
            (&["-s"], "`conditions`: `` is not an IPv4 network"),
            (&["-i"], "`conditions`: `` is not the name of an interface"),
        ] {
            assert_eq!(read(words, Family::V4).unwrap_err(), message);
        }
    }
}
