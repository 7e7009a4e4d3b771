//! An attachment in the tool's words.

use std::time::Duration;

use libcni::Chain;
use libcni::cache::{Attached, CacheError, Entry};
use libcni::netns::State;
use libcni::spec::Object;

/// The name that `inspect` knows an attachment by, and `gc` keeps it by.
pub(crate) fn id(attached: &Attached) -> String {
    format!("{}:{}", attached.entry.container_id, attached.entry.ifname)
}

pub(crate) fn file(attached: &Attached) -> Option<String> {
    attached.file.as_ref().map(|file| file.display().to_string())
}

/// What has become of it, in a word.
pub(crate) fn state(attached: &Attached) -> &'static str {
    if attached.is_finished() {
        attached.entry.netns_state().map(State::as_str).unwrap_or_default()
    } else {
        "unfinished"
    }
}

pub(crate) fn addresses(attached: &Attached) -> Vec<String> {
    let ips = attached.entry.result().map(|result| result.latest().ips).unwrap_or_default();
    ips.iter().map(|ip| ip.address.to_string()).collect()
}

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

/// What programs get of it.
pub(crate) fn describe(attached: &Attached) -> Object {
    let Entry { network, container_id, ifname, netns, .. } = &attached.entry;
    let mut object = Object::new();
    object.set("network", network);
    object.set("containerID", container_id);
    object.set("ifname", ifname);
    object.set("addresses", &addresses(attached));
    object.set("netns", netns);
    object.set("netnsState", &attached.entry.netns_state().map(State::as_str));
    object.set("ageSeconds", &attached.age().map(|age| age.as_secs()));
    object.set("finished", &attached.is_finished());
    object.set("file", &file(attached));
    object
}

/// A file of the cache that is no attachment: its name, and why it is none.
pub(crate) fn unusable(error: &CacheError) -> (String, String) {
    match error {
        CacheError::Invalid { path, source } => {
            (path.display().to_string(), format!("no cache entry: {}", Chain(source)))
        }
        CacheError::Io { path, .. } => (path.display().to_string(), Chain(error).to_string()),
        other => (String::new(), Chain(other).to_string()),
    }
}
