//! From what is there and what shall be different to the requests of one batch. Pure.

use std::collections::BTreeSet;

use libcni::plugin::Answer;

use super::message::{Request, Requests};
use super::owned::{Chain, Change, Entry, Layout, Snapshot};

/// The table without any elements. Harmless when it is there; its rules are written anew, so that what somebody
/// deleted, or an older version of the plugin wrote, is repaired.
pub(super) fn skeleton(layout: &Layout) -> Vec<Request> {
    let table = Requests { table: layout.table };
    let mut requests = vec![table.new_table()];
    requests.extend((1..).zip(layout.maps).map(|(id, map)| table.new_map(map, id)));
    let chains = (layout.chains)();
    // Rules may jump to any of the chains.
    requests.extend(chains.iter().map(|chain| table.new_chain(chain)));
    requests.extend(chains.iter().flat_map(|chain| rules(table, chain)));
    requests
}

fn rules(table: Requests<'_>, chain: &Chain) -> Vec<Request> {
    let new = chain.rules.iter().map(|rule| table.new_rule(&chain.name, rule));
    [table.delete_rules(&chain.name)].into_iter().chain(new).collect()
}

/// The requests that make the change; none when there is nothing to do.
pub(super) fn requests(layout: &Layout, present: &Snapshot, change: &Change) -> Answer<Vec<Request>> {
    let table = Requests { table: layout.table };
    let goes = |entry: &Entry| change.remove.contains(entry) || change.add.iter().any(|new| new.replaces(entry));
    let (gone, left): (Vec<&Entry>, Vec<&Entry>) = present.entries.iter().partition(|entry| goes(entry));
    if left.is_empty() && change.add.is_empty() {
        return Ok(present.table_exists.then(|| table.delete_table()).into_iter().collect());
    }
    let used: BTreeSet<&str> = left.into_iter().chain(&change.add).map(|entry| entry.chain.as_str()).collect();
    let unused: BTreeSet<&str> = gone.iter().map(|entry| entry.chain.as_str()).filter(|c| !used.contains(c)).collect();

    let mut requests = if change.add.is_empty() { Vec::new() } else { skeleton(layout) };
    requests.extend(gone.iter().map(|entry| table.delete_element(entry)));
    requests.extend(unused.iter().map(|chain| table.delete_chain(chain)));
    for chain in &change.chains {
        requests.push(table.new_chain(chain));
        requests.extend(rules(table, chain));
    }
    for entry in &change.add {
        requests.push(table.new_element(entry)?);
    }
    Ok(requests)
}
