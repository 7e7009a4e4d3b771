//! Parts of messages.

use std::collections::BTreeMap;
use std::path::Path;

use super::Error;
use crate::Chain;
use crate::spec::Version;

pub(super) fn of(network: &Option<String>) -> String {
    network.as_ref().map(|network| format!(" for network `{network}`")).unwrap_or_default()
}

pub(super) fn listed(versions: &[Version]) -> String {
    versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

pub(super) fn supporting(plugins: &BTreeMap<String, Vec<String>>) -> String {
    let one = |(plugin, versions): (&String, &Vec<String>)| format!("`{plugin}` supports {}", versions.join(", "));
    plugins.iter().map(one).collect::<Vec<_>>().join("; ")
}

pub(super) fn why_not_cached(is_begun: bool, dir: &Path) -> String {
    if is_begun {
        return "its ADD was begun and not finished".to_owned();
    }
    format!("there is no record of it in {}", dir.display())
}

pub(super) fn another(recorded: &Path, given: &Path) -> String {
    let (recorded, given) = (recorded.to_string_lossy().escape_debug().to_string(), given.to_string_lossy());
    if recorded == given {
        return format!("a network namespace that was at {recorded}; another one is there now");
    }
    format!("network namespace {recorded}, and {} is another one", given.escape_debug())
}

pub(super) fn undone(undo: &Option<Box<Error>>) -> String {
    match undo {
        None => String::new(),
        Some(error) => format!(" in part only ({})", Chain(&**error)),
    }
}
