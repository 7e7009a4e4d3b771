//! `conditionsV4` and `conditionsV6`: additional conditions for connections to a mapped port.
//!
//! In the reference plugin these are arguments for `iptables` or an expression for `nft`, as they come. Here they are
//! understood, in either language, or refused by name: [`iptables`] and [`nft`] say what is known of each. Which of
//! them it is, the first character says, as in the reference: that of an `iptables` argument is `-` or `!`.

mod iptables;
mod meaning;
mod nft;
mod subject;
mod value;

use libcni::plugin::{Answer, Failure};
use libcni::spec::ErrorCode;

pub(crate) use self::meaning::Condition;
use crate::nft::expression::Rule;
use crate::nft::family::Family;

/// The most rules that conditions may take for a port.
const MOST_RULES: usize = 1000;

/// The ways in which all conditions hold, each as expressions that go on only then.
pub(crate) fn ways(conditions: &[Condition]) -> Vec<Rule> {
    conditions.iter().fold(vec![Rule::new()], |ways, condition| {
        let both = |first: &Rule, second: &Rule| first.iter().chain(second).cloned().collect();
        let further = condition.ways();
        ways.iter().flat_map(|first| further.iter().map(move |second| both(first, second))).collect()
    })
}

/// The language that conditions are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Iptables,
    Nft,
}

/// The language of a list of conditions; `None` of one without any.
pub(crate) fn language(words: &[String]) -> Option<Language> {
    match words.first()?.chars().next()? {
        '-' | '!' => Some(Language::Iptables),
        _ => Some(Language::Nft),
    }
}

/// Reads a list of conditions.
///
/// # Errors
/// Code 2: a condition that is not among the known ones; 7: a known one with a wrong value.
pub(crate) fn parse(key: &str, words: &[String], family: Family) -> Answer<Vec<Condition>> {
    let conditions = match language(words) {
        None => Ok(Vec::new()),
        Some(Language::Iptables) => iptables::parse(words, family),
        Some(Language::Nft) => nft::parse(words, family),
    };
    let conditions = conditions.map_err(|error| error.of(key))?;
    let rules = conditions.iter().filter(|condition| !condition.negated).map(|condition| condition.subjects.len());
    match rules.fold(1_usize, usize::saturating_mul) {
        ..=MOST_RULES => Ok(conditions),
        rules => Err(Failure::new(
            ErrorCode::UNSUPPORTED_FIELD,
            format!(
                "`{key}`: its lists take {rules} rules for each port, and at most {MOST_RULES} are made; a set of nft takes one"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn in_words(conditions: &[Condition]) -> String {
        let one = |condition: &Condition| {
            let subjects: Vec<_> = condition.subjects.iter().map(ToString::to_string).collect();
            format!("{}{}", if condition.negated { "not " } else { "" }, subjects.join(" or "))
        };
        conditions.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn read(words: &[&str], family: Family) -> Result<String, String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let conditions = parse("conditions", &words, family).map_err(|error| error.into_reply().to_string())?;
        Ok(in_words(&conditions))
    }

    #[test]
    fn both_languages_say_the_same() {
        let said = "not to 192.0.2.0/24, from 10.0.0.7/32, through eth0";
        let iptables = ["!", "-d", "192.0.2.0/24", "-s", "10.0.0.7", "-i", "eth0"];
        assert_eq!(read(&iptables, Family::V4).unwrap(), said);
        let nft = ["ip", "daddr", "!=", "192.0.2.0/24", "ip saddr 10.0.0.7", "iifname \"eth0\""];
        assert_eq!(read(&nft, Family::V4).unwrap(), said);
        assert_eq!(
            read(&["ip6 saddr", "fc00::/7", "iifname", "eth*"], Family::V6).unwrap(),
            "from fc00::/7, through eth…"
        );
        assert_eq!(read(&["-s", "fc00::/7", "-i", "eth+"], Family::V6).unwrap(), "from fc00::/7, through eth…");
        for none in [&[][..], &[""]] {
            assert_eq!(read(none, Family::V4).unwrap(), "");
        }
    }

    #[test]
    fn lists_take_a_rule_for_each_combination_and_negated_ones_one_for_all() {
        let count = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
            ways(&parse("conditions", &words, Family::V4).unwrap()).len()
        };
        assert_eq!(count(&[]), 1);
        assert_eq!(count(&["-s", "10.0.0.1,10.0.0.2,10.0.0.3", "-d", "192.0.2.1,192.0.2.2"]), 6);
        assert_eq!(count(&["ip saddr != { 10.0.0.1, 10.0.0.2 } ip daddr { 192.0.2.1, 192.0.2.2 }"]), 2);
        let many = (1..60).map(|n| format!("10.0.0.{n}")).collect::<Vec<_>>().join(",");
        let error = read(&["-s", &many, "-d", &many], Family::V4).unwrap_err();
        assert!(error.contains("take 3481 rules for each port"), "{error}");
    }
}
