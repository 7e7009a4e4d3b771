//! From what is there and what shall be different to the requests of one batch. Pure.

use std::collections::BTreeSet;

use libcni::plugin::Answer;

use super::counts::{self, OWNERS};
use super::message::Message;
use super::owned::{Chain, Change, Entry, Layout, Map};
use super::reading::Present;
use super::request::Requests;

/// The table without any elements, as far as it is not there.
pub(super) fn skeleton(layout: &Layout, present: &Present) -> Vec<Message> {
    let table = layout.requests();
    let mut requests = vec![table.new_table()];
    requests.extend((1..).zip(layout.maps.iter().chain([&OWNERS])).map(|(id, map)| table.new_map(map, id)));
    let owned = counts::owned();
    let chains = || layout.chains.iter().chain([&owned]);
    // Rules may jump to any of the chains.
    requests.extend(chains().map(|chain| table.new_chain(chain)));
    let is_new = present.counts.is_none() && present.rules.is_empty();
    // Whether others take turns in a table that lacks something, only all of its elements would tell.
    let with_turns = if is_new { Vec::new() } else { (layout.chains_with_turns)() };
    for chain in chains().filter(|chain| !chain.is_complete(&present.rules)) {
        let whole = with_turns.iter().find(|whole| whole.name == chain.name);
        requests.extend(rules(table, whole.unwrap_or(chain)));
    }
    requests
}

/// The rules of a chain, instead of those that it may have.
fn rules(table: Requests<'_>, chain: &Chain) -> Vec<Message> {
    let new = chain.rules.iter().map(|rule| table.new_rule(&chain.name, rule));
    [table.delete_rules(&chain.name)].into_iter().chain(new).collect()
}

/// The requests that make the change; none when there is nothing to do.
///
/// Chains that are there and complete are not written again. That is more than thrift: a netfilter socket, anybody's,
/// is not closed before the kernel has freed the rules that it was told to delete, and for that it waits until no
/// processor can be looking at them any more, about ten milliseconds.
pub(super) fn requests(layout: &Layout, present: &Present, change: &Change) -> Answer<Vec<Message>> {
    let table = layout.requests();
    let goes: BTreeSet<_> = change.remove.iter().chain(&change.add).map(Entry::place).collect();
    let (gone, left): (Vec<&Entry>, Vec<&Entry>) = present.entries.iter().partition(|e| goes.contains(&e.place()));
    if let Some(maps) = present.maps.as_ref().filter(|_| left.is_empty() && change.add.is_empty() && !change.keep_table)
    {
        return Ok(if maps.is_empty() { Vec::new() } else { vec![table.delete_table()] });
    }
    let kept = present.kept.iter().map(String::as_str);
    let used: BTreeSet<_> = chains_of(left).into_iter().chain(chains_of(&change.add)).chain(kept).collect();

    let is_made = !change.add.is_empty() && !is_whole(layout, present);
    let mut requests = if is_made { skeleton(layout, present) } else { Vec::new() };
    requests.extend(gone.iter().map(|entry| table.delete_element(entry.map, &entry.key)));
    requests.extend(chains_of(gone).difference(&used).map(|chain| table.delete_chain(chain)));
    let incomplete = change.chains.iter().filter(|chain| !chain.is_complete(&present.rules));
    for chain in incomplete.chain(&change.own_chains) {
        requests.push(table.new_chain(chain));
        requests.extend(rules(table, chain));
    }
    for entry in &change.add {
        requests.push(table.new_element(entry)?);
    }
    if is_made || present.counts.is_some() {
        requests.extend(counting(table, present, change));
    }
    Ok(requests)
}

/// The counts that differ after a change.
fn counting(table: Requests<'_>, present: &Present, change: &Change) -> Vec<Message> {
    let before = present.counts.clone().unwrap_or_default();
    let after = match present.maps {
        Some(_) => counts::of_all(&present.entries, change),
        None => counts::after(&before, &present.entries, change),
    };
    let gone = before.iter().filter(|(owner, count)| after.get(*owner) != Some(count));
    let new = after.iter().filter(|(owner, count)| before.get(*owner) != Some(count));
    let gone = gone.map(|(owner, _)| table.delete_element(OWNERS.name, owner));
    gone.chain(new.map(|(owner, count)| table.new_count(owner, *count))).collect()
}

/// The chains that elements lead to.
fn chains_of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> BTreeSet<&'a str> {
    entries.into_iter().map(|entry| entry.chain.as_str()).collect()
}

/// Returns true if nobody took away a part of the table.
fn is_whole(layout: &Layout, present: &Present) -> bool {
    let has_rules = layout.chains.iter().all(|chain| chain.is_complete(&present.rules));
    // Rules that look up a map keep it from being taken away.
    let has_map = |map: &Map| present.maps.as_ref().is_none_or(|maps| maps.contains(&map.name));
    has_rules && layout.maps.iter().all(has_map) && present.counts.is_some()
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use netlink_packet_netfilter::NetfilterProtoFamily;

    use super::*;
    use crate::nft::Owner;
    use crate::nft::expression;

    static LAYOUT: Layout = Layout {
        table: "t",
        family: NetfilterProtoFamily::Inet,
        maps: &[Map { name: "m", key_type: 7, key_length: 4 }],
        chains: &CHAINS,
        chains_with_turns: || vec![chain("turns", 3)],
    };
    static CHAINS: LazyLock<Vec<Chain>> = LazyLock::new(|| vec![chain("base", 2), chain("turns", 1).or_with_turns(3)]);

    fn chain(name: &str, rules: usize) -> Chain {
        Chain::inner(name.to_owned(), vec![vec![expression::masquerade()]; rules])
    }

    fn entry(key: u8, chain: &str) -> Entry {
        Entry { map: "m", key: vec![key], chain: chain.to_owned(), owner: Some(Owner::new("net", "c1", "eth0")) }
    }

    fn present(entries: &[Entry], rules: &[&str]) -> Present {
        let rules = rules.iter().map(|chain| (*chain).to_owned()).collect();
        let counts = Some(counts::of_all(entries, &Change::default()));
        Present { maps: Some(vec!["m"]), entries: entries.to_vec(), rules, counts, ..Present::default() }
    }

    const COUNTED_ANEW: &str = "remove an element from map owners; add an element to map owners";

    /// The request, in short.
    fn planned(present: &Present, change: &Change) -> String {
        let requests = requests(&LAYOUT, present, change).unwrap();
        let doing = requests.iter().map(|request| request.describe().replace(" of table `t`", "").replace('`', ""));
        doing.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn the_first_element_makes_the_table_and_the_last_one_takes_it_away() {
        let change = Change { add: vec![entry(1, "a")], chains: vec![chain("a", 1)], ..Change::default() };
        let skeleton = "make table t; make map m; make map owners; make chain base; make chain turns; \
                        make chain owned; empty chain base; add a rule to chain base; add a rule to chain base; \
                        empty chain turns; add a rule to chain turns";
        let element = "make chain a; empty chain a; add a rule to chain a; add an element to map m; \
                       add an element to map owners";
        assert_eq!(planned(&Present::default(), &change), format!("{skeleton}; {element}"));

        let change = Change { remove: vec![entry(1, "a")], ..Change::default() };
        assert_eq!(planned(&present(&[entry(1, "a")], &[]), &change), "remove table t");
        assert_eq!(planned(&Present::default(), &change), "");

        let change = Change { keep_table: true, ..change };
        let removed = "remove an element from map m; remove chain a; remove an element from map owners";
        assert_eq!(planned(&present(&[entry(1, "a")], &[]), &change), removed);
    }

    #[test]
    fn what_is_whole_is_not_written_again_and_what_is_not_is() {
        let change = Change { add: vec![entry(2, "a")], chains: vec![chain("a", 1)], ..Change::default() };
        for turns in [&["turns"][..], &["turns"; 3]] {
            let whole = present(&[entry(1, "a")], &[&["base", "base", "a"], turns].concat());
            assert_eq!(planned(&whole, &change), format!("add an element to map m; {COUNTED_ANEW}"));
        }
        let damaged = present(&[entry(1, "a")], &["base", "turns", "a"]);
        let planned_for_damaged = planned(&damaged, &change);
        assert!(planned_for_damaged.contains("empty chain base; add a rule to chain base"), "{planned_for_damaged}");
        assert!(!planned_for_damaged.contains("chain turns; add"), "{planned_for_damaged}");
        let damaged = present(&[entry(1, "a")], &["base", "base", "turns"]);
        assert!(planned(&damaged, &change).starts_with("make chain a; empty chain a; add a rule to chain a"));
    }

    #[test]
    fn where_attachments_take_turns_a_chain_has_more_rules_and_keeps_them() {
        let turns =
            "empty chain turns; add a rule to chain turns; add a rule to chain turns; add a rule to chain turns";
        let add = vec![entry(2, "a")];
        let takes_turn = Change { add: add.clone(), chains: (LAYOUT.chains_with_turns)(), ..Change::default() };
        let without = present(&[entry(1, "a")], &["base", "base", "turns"]);
        assert!(planned(&without, &takes_turn).contains(turns));
        let with = present(&[entry(1, "a")], &["base", "base", "turns", "turns", "turns"]);
        assert!(!planned(&with, &takes_turn).contains("turns"));
        // Others may take turns in a table that is there.
        let damaged = present(&[entry(1, "a")], &["base", "base", "turns", "turns"]);
        assert!(planned(&damaged, &Change { add, ..Change::default() }).contains(turns));
    }

    #[test]
    fn a_chain_goes_with_the_last_element_that_leads_to_it() {
        let all = [entry(1, "a"), entry(2, "a"), entry(3, "b")];
        let change = Change { remove: vec![all[0].clone()], ..Change::default() };
        assert_eq!(planned(&present(&all, &[]), &change), format!("remove an element from map m; {COUNTED_ANEW}"));
        let change = Change { remove: vec![all[2].clone()], ..Change::default() };
        let removed = "remove an element from map m; remove chain b";
        assert_eq!(planned(&present(&all, &[]), &change), format!("{removed}; {COUNTED_ANEW}"));
    }

    #[test]
    fn an_element_that_is_replaced_has_its_chain_written_anew() {
        let change = Change { add: vec![entry(1, "a")], own_chains: vec![chain("a", 1)], ..Change::default() };
        let whole = present(&[entry(1, "a"), entry(2, "b")], &["base", "base", "turns", "a", "b"]);
        let expected = "remove an element from map m; make chain a; empty chain a; add a rule to chain a; \
                        add an element to map m";
        assert_eq!(planned(&whole, &change), expected);
    }

    #[test]
    fn what_elements_elsewhere_lead_to_stays_and_so_does_the_table() {
        let part =
            Present { maps: None, kept: ["a".to_owned()].into(), ..present(&[entry(1, "a"), entry(2, "b")], &[]) };
        let change = Change { remove: part.entries.clone(), ..Change::default() };
        let removed = "remove an element from map m; remove an element from map m; remove chain b; \
                       remove an element from map owners";
        assert_eq!(planned(&part, &change), removed);
    }

    #[test]
    fn a_table_that_counts_nothing_counts_everything_with_its_next_element() {
        let uncounted = Present { counts: None, ..present(&[entry(1, "a")], &["base", "base", "a"]) };
        let change = Change { remove: vec![entry(1, "a")], keep_table: true, ..Change::default() };
        assert_eq!(planned(&uncounted, &change), "remove an element from map m; remove chain a");
        let change = Change { add: vec![entry(2, "a")], ..Change::default() };
        assert!(planned(&uncounted, &change).contains("make map owners"));
    }
}
