//! The table `filter` of `iptables-nft`: rules of nf_tables, made and read without a program.

use std::net::IpAddr;

use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::{InetHookNumber, MetaKey, Operator, Register, Verdict};
use nix::errno::Errno;

use crate::firewall::plan::{Chains, FORWARD, Present, Step};
use crate::firewall::reading;
use crate::firewall::rule::{Link, Rule, Target};
use crate::firewall::rule_owner::RuleOwner;
use crate::nft::attribute;
use crate::nft::error::Error;
use crate::nft::expression::{self, Expression, Side};
use crate::nft::family::{self, Family};
use crate::nft::message::Message;
use crate::nft::owned::{Chain, Hook};
use crate::nft::request::Requests;
use crate::nft::socket::Connection;

/// The table of a family.
pub(crate) fn filter(family: Family) -> Requests<'static> {
    let family = match family {
        Family::V4 => NetfilterProtoFamily::IPv4,
        Family::V6 => NetfilterProtoFamily::IPv6,
    };
    Requests { table: "filter", family }
}

/// Reads some chains, as far as they are there.
pub(crate) fn read(connection: &mut Connection, family: Family, names: &[&str]) -> Result<Chains, Error> {
    let table = filter(family);
    let mut chains = Chains::new();
    for name in names {
        let is_there = match connection.ask(&table.get_chain(name)) {
            // A kernel without this family of tables has none of its chains.
            Err(error) if matches!(error.errno(), Some(Errno::ENOENT | Errno::EOPNOTSUPP | Errno::EAFNOSUPPORT)) => {
                false
            }
            answer => !answer?.is_empty(),
        };
        if is_there {
            let rules = connection.dump_if_there(&table.get_rules(Some(name)))?.unwrap_or_default();
            chains.insert((*name).to_owned(), rules.iter().map(|object| present(object)).collect());
        }
    }
    Ok(chains)
}

fn present(object: &[u8]) -> Present {
    const HANDLE: u16 = 3;
    const USER_DATA: u16 = 7;
    let handle = attribute::first(object, HANDLE).and_then(|bytes| bytes.try_into().ok());
    Present {
        words: reading::rule(object).map(|rule| rule.words()),
        handle: handle.map_or(0, u64::from_be_bytes),
        owner: attribute::first(object, USER_DATA).and_then(RuleOwner::from_user_data),
    }
}

/// The requests for some steps; none for no steps.
pub(crate) fn requests(family: Family, steps: &[Step]) -> Vec<Message> {
    let table = filter(family);
    let makes_chains = steps.iter().any(|step| matches!(step, Step::NewChain(_)));
    let mut requests: Vec<_> = makes_chains.then(|| table.new_table()).into_iter().collect();
    requests.extend(steps.iter().map(|step| match step {
        Step::NewChain(name) => table.new_chain(&chain(name)),
        Step::Place { chain, end, rule, owner } => {
            let data = owner.as_ref().map(RuleOwner::to_user_data);
            table.place_rule(chain, &expressions(rule), *end, data.as_deref())
        }
        Step::Remove { chain, rule } => table.delete_rule(chain, rule.handle),
    }));
    requests
}

/// A chain without rules; that which packets enter by is as `iptables-nft` makes it.
fn chain(name: &str) -> Chain {
    let hook = Hook { kind: "filter", number: InetHookNumber::Forward, priority: 0 };
    Chain { hook: (name == FORWARD).then_some(hook), ..Chain::inner(name.to_owned(), Vec::new()) }
}

/// A rule as `iptables-nft` makes it, so that it can read it.
fn expressions(rule: &Rule) -> Vec<Expression> {
    let mut all = Vec::new();
    let mut compare = |load: Expression, operator, bytes: &[u8]| {
        all.push(load);
        all.push(expression::compare(Register::Reg1, operator, bytes));
    };
    for (side, of) in [(Side::Source, rule.source), (Side::Destination, rule.destination)] {
        if let Some(of) = of {
            compare(address(side, of), Operator::Equal, &family::octets(of));
        }
    }
    for (key, link) in [(MetaKey::Iifname, &rule.from_link), (MetaKey::Oifname, &rule.to_link)] {
        let Some(link) = link else { continue };
        let (operator, name) = match link {
            Link::Is(name) => (Operator::Equal, name),
            Link::IsNot(name) => (Operator::NotEqual, name),
        };
        // With the zero at its end: a longer name is another one.
        compare(expression::meta(key, Register::Reg1), operator, &[name.as_bytes(), &[0]].concat());
    }
    if rule.is_established {
        all.push(expression::extension("conntrack", reading::CONNECTION_STATE_REVISION, &reading::established()));
    }
    if let Some(comment) = &rule.comment {
        all.push(expression::extension("comment", 0, &reading::comment(comment)));
    }
    all.push(expression::count());
    all.push(match &rule.target {
        Target::Accept => expression::accept_packet(),
        Target::Drop => expression::drop_packet(),
        Target::Return => expression::verdict(Verdict::Return),
        Target::Chain(chain) => expression::jump(chain),
    });
    all
}

fn address(side: Side, address: IpAddr) -> Expression {
    expression::address(Family::of(address), side, Register::Reg1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nft::attribute::Attributes;

    /// A rule that was made so, as the kernel lists it.
    fn listed(rule: &Rule) -> Vec<u8> {
        const EXPRESSIONS: u16 = 4;
        let list = expressions(rule).iter().fold(Attributes::new(), |list, expression| list.nest(1, expression));
        Attributes::new().nest(EXPRESSIONS, &list).as_bytes().to_vec()
    }

    #[test]
    fn a_rule_survives_the_way_through_the_kernel() {
        let link = |name: &str| Some(Link::Is(name.to_owned()));
        let v6 = Rule { source: Some("fd00::2".parse().unwrap()), ..Rule::new(Target::Accept) };
        let v4 = Rule { destination: Some([10, 1, 0, 2].into()), is_established: true, ..Rule::new(Target::Accept) };
        let links = Rule {
            from_link: link("cni0"),
            to_link: Some(Link::IsNot("cni0".to_owned())),
            ..Rule::to_chain("X").comment("some words")
        };
        for rule in [v6, v4, links, Rule::new(Target::Return), Rule { to_link: link("a"), ..Rule::new(Target::Drop) }] {
            assert_eq!(reading::rule(&listed(&rule)), Some(rule));
        }
    }

    #[test]
    fn rules_read_as_iptables_save_prints_them() {
        let accept =
            Rule { destination: Some([10, 1, 0, 2].into()), is_established: true, ..Rule::new(Target::Accept) };
        let expected = "-d 10.1.0.2/32 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
        assert_eq!(accept.words(), expected);
        let links = Rule {
            from_link: Some(Link::Is("cni0".to_owned())),
            to_link: Some(Link::IsNot("cni0".to_owned())),
            ..Rule::to_chain("X").comment("some words")
        };
        assert_eq!(links.words(), "-i cni0 ! -o cni0 -m comment --comment \"some words\" -j X");
    }
}
