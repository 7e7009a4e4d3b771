//! Whose rules of `iptables-legacy` are. Those of containers are the reference plugin's word for word, so that it finds
//! them, and have no room for a name. A chain that no packet comes to has a copy of each, with the owner as a comment.

use crate::firewall::plan::{CONTAINERS, Chains};
use crate::firewall::rule::Rule;
use crate::firewall::rule_owner::RuleOwner;

/// The chain of the copies.
const OWNERS: &str = "CNI-FORWARD-OWNERS";

/// The chain of the copies, as it is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Owners {
    is_there: bool,
    /// Copies of rules that somebody else removed.
    stale: Vec<String>,
}

impl Owners {
    /// Takes the chain of the copies out of the chains that were read, and gives the rules their owners. Of equal rules
    /// it does not matter which one is whose.
    pub(crate) fn take(chains: &mut Chains) -> Self {
        let Some(copies) = chains.remove(OWNERS) else { return Self::default() };
        let rules = chains.entry(CONTAINERS.to_owned()).or_default();
        let mut owners = Self { is_there: true, stale: Vec::new() };
        for copy in copies.into_iter().filter_map(|copy| copy.words) {
            let Some((words, owner)) = split(&copy) else { continue };
            match rules.iter_mut().find(|rule| rule.owner.is_none() && rule.words.as_deref() == Some(&words)) {
                Some(rule) => rule.owner = Some(owner),
                None => owners.stale.push(copy),
            }
        }
        owners
    }

    /// The commands that make the chain, or remove what is stale in it.
    pub(crate) fn prepare(&self) -> String {
        let make = if self.is_there { String::new() } else { format!("-N {OWNERS}\n") };
        self.stale.iter().fold(make, |commands, copy| commands + &format!("-D {OWNERS} {copy}\n"))
    }
}

/// The command that adds the copy of a rule.
pub(crate) fn add(rule: &Rule, owner: &RuleOwner) -> String {
    format!("-A {OWNERS} {}\n", join(&rule.words(), owner))
}

/// The command that removes the copy of a rule.
pub(crate) fn remove(words: &str, owner: &RuleOwner) -> String {
    format!("-D {OWNERS} {}\n", join(words, owner))
}

const COMMENT: &str = " -m comment --comment \"";
const END: &str = "\" -j ";

/// The words of a copy. The comment stands where `iptables-save` prints it.
fn join(words: &str, owner: &RuleOwner) -> String {
    let (conditions, target) = words.rsplit_once(" -j ").unwrap_or_default();
    format!("{conditions}{COMMENT}{}{END}{target}", owner.to_text())
}

/// The words of the rule that a copy is of, and its owner.
fn split(copy: &str) -> Option<(String, RuleOwner)> {
    let (conditions, rest) = copy.split_once(COMMENT)?;
    let (owner, target) = rest.split_once(END)?;
    Some((format!("{conditions} -j {target}"), RuleOwner::from_text(owner)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firewall::plan::Present;
    use crate::nft::Owner;

    const ACCEPT: &str = "-s 10.1.0.2/32 -j ACCEPT";
    const ANSWERS: &str = "-d 10.1.0.2/32 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";

    fn owner(id: &str) -> RuleOwner {
        RuleOwner::of(&Owner::new("net", id, "eth0"))
    }

    fn rules(words: &[&str]) -> Vec<Present> {
        words.iter().map(|words| Present { words: Some((*words).to_owned()), handle: 0, owner: None }).collect()
    }

    #[test]
    fn a_copy_names_the_rule_and_its_owner() {
        for words in [ACCEPT, ANSWERS] {
            assert_eq!(split(&join(words, &owner("c1"))), Some((words.to_owned(), owner("c1"))));
        }
        assert_eq!(join(ACCEPT, &owner("c1")), r#"-s 10.1.0.2/32 -m comment --comment "net c1 eth0" -j ACCEPT"#);
        assert_eq!(split(ACCEPT), None);
    }

    #[test]
    fn each_of_equal_rules_has_an_owner_and_copies_without_a_rule_go() {
        let copies = ["c1", "c2", "c3"].map(|id| join(ACCEPT, &owner(id)));
        let mut chains = Chains::from([
            (CONTAINERS.to_owned(), rules(&[ANSWERS, ACCEPT, ACCEPT])),
            (OWNERS.to_owned(), rules(&copies.each_ref().map(String::as_str))),
        ]);
        let owners = Owners::take(&mut chains);
        let found: Vec<_> = chains[CONTAINERS].iter().map(|rule| rule.owner.clone()).collect();
        assert_eq!(found, [None, Some(owner("c1")), Some(owner("c2"))]);
        assert_eq!(owners.prepare(), format!("-D {OWNERS} {}\n", copies[2]));
        assert!(!chains.contains_key(OWNERS));
        assert_eq!(Owners::take(&mut chains).prepare(), format!("-N {OWNERS}\n"));
    }
}
