//! Conditions as arguments of `iptables`:
//!
//! | option | |
//! |---|---|
//! | `-s`, `--source`, `--src` NETWORKS | where it comes from |
//! | `-d`, `--destination`, `--dst` NETWORKS | which address of the host it is for |
//! | `--src-range`, `--dst-range` FROM-TO (`-m iprange`) | the same, by the first and the last address |
//! | `-i`, `--in-interface` NAME | where it comes in; a NAME that ends in `+` stands for all that begin so |
//! | `-p`, `--protocol` NAME | by which protocol |
//! | `--sport`, `--dport` PORT or FROM:TO (`-m tcp`, `-m udp`, `-m sctp`) | from and to which port |
//! | `--sports`, `--dports` PORTS (`-m multiport`) | the same, of a list |
//! | `--mark` VALUE or VALUE/MASK (`-m mark`) | how it is marked |
//! | `--comment` TEXT (`-m comment`) | nothing |
//!
//! NETWORKS and PORTS are lists with commas. `!` before an option negates it. All options must hold.

use std::iter::Peekable;

use super::meaning::{Condition, Error};
use super::subject::Subject;
use super::value;
use crate::nft::expression::Side;
use crate::nft::family::Family;

const KNOWN: &str = "of `iptables` are -s, -d, -i, -p, --sport(s), --dport(s), --src-range, --dst-range and --mark";
/// Sets of the kernel that `nft` does not know either.
const SETS: &str = "a set of `nft` is: `ip saddr @NAME`, with the set in table `inet libcni_portmap`";
/// Extensions that bring some of the options.
const EXTENSIONS: [&str; 7] = ["tcp", "udp", "sctp", "multiport", "iprange", "mark", "comment"];

type Words = Peekable<std::vec::IntoIter<String>>;

pub(super) fn parse(words: &[String], family: Family) -> Result<Vec<Condition>, Error> {
    let mut words = split(words).into_iter().peekable();
    let mut conditions = Vec::new();
    while words.peek().is_some() {
        conditions.extend(next(&mut words, family)?);
    }
    Ok(conditions)
}

/// One word each: some write an option and its value into one, with a space or an equals sign between.
fn split(written: &[String]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for written in written {
        match written.split_once('=') {
            // A text may have anything in it.
            _ if words.last().is_some_and(|word| word == "--comment") => words.push(written.clone()),
            Some((option, value)) if option.starts_with("--") => words.extend([option.to_owned(), value.to_owned()]),
            _ => words.extend(written.split_whitespace().map(str::to_owned)),
        }
    }
    words
}

fn next(words: &mut Words, family: Family) -> Result<Option<Condition>, Error> {
    let negated = words.next_if(|word| word == "!").is_some();
    let option = words.next().unwrap_or_default();
    let is_known = KNOWN_OPTIONS.contains(&&*option);
    let value = if is_known { words.next().unwrap_or_default() } else { String::new() };
    let list =
        |read: &dyn Fn(&str) -> Result<Subject, Error>| value.split(',').map(read).collect::<Result<Vec<_>, _>>();
    let port = |end| {
        list(&|text: &str| value::ports(text, ':').map(|(from, to)| Subject::Ports { end, protocol: None, from, to }))
    };
    let subjects = match &*option {
        "-s" | "--source" | "--src" => list(&|text| value::network(Side::Source, text, family))?,
        "-d" | "--destination" | "--dst" => list(&|text| value::network(Side::Destination, text, family))?,
        "--src-range" => vec![value::addresses(Side::Source, &value, family)?],
        "--dst-range" => vec![value::addresses(Side::Destination, &value, family)?],
        "-i" | "--in-interface" => vec![value::interface(&value, '+')?],
        "-p" | "--protocol" | "--proto" => vec![Subject::Protocol(value::protocol(&value)?)],
        "--sport" | "--source-port" | "--sports" | "--source-ports" => port(Side::Source)?,
        "--dport" | "--destination-port" | "--dports" | "--destination-ports" => port(Side::Destination)?,
        "--mark" => vec![value::mark(&value)?],
        "--comment" => return Ok(None),
        "-m" | "--match" => return extension(&value, words).map(|()| None),
        _ => return Err(Error::Unknown { words: option, known: KNOWN }),
    };
    Ok(Some(Condition { subjects, negated }))
}

/// The options that have a value.
const KNOWN_OPTIONS: [&str; 25] = [
    "-s",
    "--source",
    "--src",
    "-d",
    "--destination",
    "--dst",
    "--src-range",
    "--dst-range",
    "-i",
    "--in-interface",
    "-p",
    "--protocol",
    "--proto",
    "--sport",
    "--source-port",
    "--sports",
    "--source-ports",
    "--dport",
    "--destination-port",
    "--dports",
    "--destination-ports",
    "--mark",
    "--comment",
    "-m",
    "--match",
];

fn extension(name: &str, words: &mut Words) -> Result<(), Error> {
    if EXTENSIONS.contains(&name) {
        return Ok(());
    }
    let option = words.find(|word| word.starts_with("--"));
    let known = if name == "set" { SETS } else { KNOWN };
    let words = ["-m", name].into_iter().chain(option.as_deref()).collect::<Vec<_>>().join(" ");
    Err(Error::Unknown { words, known })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn lists_ranges_and_extensions_are_known() {
        for (words, said) in [
            (&["-s", "10.0.0.0/8,10.1.0.0/255.255.0.0"][..], "from 10.0.0.0/8 or from 10.1.0.0/16"),
            (&["!", "-d", "10.0.0.1,10.0.0.2"], "not to 10.0.0.1/32 or to 10.0.0.2/32"),
            (&["-m", "tcp", "--sport", "1024:"], "from port 1024-65535"),
            (&["-p", "udp", "-m", "multiport", "--dports", "80,8000:8010"], "by udp, to port 80 or to port 8000-8010"),
            (&["-m", "iprange", "!", "--src-range", "10.0.0.1-10.0.0.9"], "not from 10.0.0.1-10.0.0.9"),
            (&["-m", "comment", "--comment", "not -s x", "-m", "mark", "--mark", "0x10/0xf0"], "marked 0x10/0xf0"),
            (&["--source=10.0.0.1", "-i eth0"], "from 10.0.0.1/32, through eth0"),
        ] {
            assert_eq!(read(words, Family::V4).unwrap(), said);
        }
    }

    #[test]
    fn what_is_not_known_is_refused_and_quoted() {
        for (words, quoted) in [
            (
                &["-m", "set", "--match-set", "office", "src"][..],
                "condition `-m set --match-set` is not supported; a set of",
            ),
            (
                &["-m", "conntrack", "--ctstate", "NEW"],
                "condition `-m conntrack --ctstate` is not supported; of `iptables`",
            ),
            (&["-s", "10.0.0.1", "-o", "eth0"], "condition `-o` is not supported"),
            (&["!"], "condition `` is not supported"),
        ] {
            let error = read(words, Family::V4).unwrap_err();
            assert!(error.contains(quoted), "{error}");
        }
    }

    #[test]
    fn values_are_checked() {
        for (words, message) in [
            (&["-s", "fc00::/7"][..], "`conditions`: `fc00::/7` is not an IPv4 network"),
            (&["-s", "10.0.0.1,"], "`conditions`: `` is not an IPv4 network"),
            (&["-s", "10.0.0.0/255.0.255.0"], "`conditions`: `10.0.0.0/255.0.255.0` is not an IPv4 network"),
            (&["-s"], "`conditions`: `` is not an IPv4 network"),
            (&["-i"], "`conditions`: `` is not the name of an interface"),
            (&["--dport", "http"], "`conditions`: `http` is not a port or a range of ports"),
            (&["--dport", "9:8"], "`conditions`: `9:8` is not a port or a range of ports"),
            (&["-p", "icmp"], "`conditions`: `icmp` is not one of the protocols tcp, udp and sctp"),
            (
                &["--src-range", "10.0.0.9-10.0.0.1"],
                "`conditions`: `10.0.0.9-10.0.0.1` is not a range of IPv4 addresses",
            ),
        ] {
            assert_eq!(read(words, Family::V4).unwrap_err(), message);
        }
    }
}
