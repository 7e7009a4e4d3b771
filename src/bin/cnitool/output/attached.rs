//! An attachment in the tool's words.

use std::time::Duration;

use libcni::cache::Attached;
use libcni::conf::NetworkConfig;
use libcni::runtime::{Changes, Plan};

/// How long ago it was added, in its largest unit.
pub(crate) fn age(attached: &Attached) -> String {
    let text = |age: Duration| match age.as_secs() {
        young @ ..60 => format!("{young}s"),
        minutes @ ..3600 => format!("{}m", minutes / 60),
        hours @ ..86400 => format!("{}h", hours / 3600),
        days => format!("{}d", days / 86400),
    };
    attached.age().map(text).unwrap_or_default()
}

/// How its configuration compares with that of its network today: `current`, `changed`, or empty where that can't be
/// told.
pub(crate) fn configuration(attached: &Attached, networks: &[NetworkConfig]) -> &'static str {
    let network = networks.iter().find(|network| network.name() == attached.entry.network);
    let plan = network.and_then(|network| Plan::new(network, &attached.entry, &Changes::new()).ok());
    plan.map_or("", |plan| if plan.changes_plugins() { "changed" } else { "current" })
}
