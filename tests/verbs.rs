//! The verbs of the library, with plugins that do as told.

use std::sync::{Arc, Mutex};

use libcni::runtime::Notice;
use libcni::{Cni, Error};

use crate::support::chain;

mod add;
mod arguments;
mod belief;
mod check;
mod del;
mod gc;
mod lossless;
mod names;
mod negotiate;
mod ownership;
mod public_input;
mod recorded;
mod requests;
mod rollback;
mod status;
mod update;
mod validate;

/// Checks that an error and its causes say all of this.
#[track_caller]
fn says<const N: usize>(error: &Error, words: [&str; N]) {
    let message = chain(error);
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}

/// A notice that can be kept: its kind, with the error or what was said.
#[derive(Debug)]
enum Heard {
    Stderr { plugin: String, text: String },
    UnusableCacheEntry(String),
    Unlocked(String),
    ForeignNetns(String),
    InterfaceOfOther(String),
    ConfigurationChanged(String),
    PluginSkipped(String),
}

impl From<&Notice<'_>> for Heard {
    fn from(notice: &Notice<'_>) -> Self {
        match notice {
            Notice::Stderr { plugin, text, .. } => {
                Self::Stderr { plugin: (*plugin).into(), text: String::from_utf8_lossy(text).into() }
            }
            Notice::UnusableCacheEntry { error, .. } => Self::UnusableCacheEntry(chain(*error)),
            Notice::Unlocked { error, .. } => Self::Unlocked(chain(*error)),
            Notice::ForeignNetns { netns, .. } => Self::ForeignNetns(netns.display().to_string()),
            Notice::InterfaceOfOther { owner, .. } => Self::InterfaceOfOther(owner.network.clone()),
            Notice::ConfigurationChanged { plan, .. } => Self::ConfigurationChanged(plan.to_string()),
            Notice::PluginSkipped { error, .. } => Self::PluginSkipped(chain(*error)),
            other => panic!("a notice that no test expects: {other}"),
        }
    }
}

/// The library with its notices collected.
fn hearing(cni: Cni) -> (Cni, Arc<Mutex<Vec<Heard>>>) {
    let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
    let notices = heard.clone();
    let hear = move |notice: &Notice<'_>| notices.lock().unwrap().push(notice.into());
    (cni.to_builder().on_notice(hear).build().unwrap(), heard)
}
