//! Attachments as the cache has them.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use libcni::Chain;
use libcni::cache::{Cache, CacheError, Cached, Entry};
use libcni::result::{AddResult, ParseError};
use serde::Serialize;

use crate::netns::{self, State};

/// An attachment, its file, and what has become of it.
pub(crate) struct Attached {
    pub(crate) file: PathBuf,
    pub(crate) age: Option<Duration>,
    pub(crate) entry: Entry,
    pub(crate) result: Result<AddResult, ParseError>,
    /// `None` when it was added without a namespace.
    pub(crate) netns: Option<State>,
}

/// A file of the cache that is no attachment.
#[derive(Serialize)]
pub(crate) struct Unreadable {
    file: String,
    message: String,
}

/// What is in the cache, in the order of file names.
pub(crate) fn attached(cache: &Cache) -> Result<(Vec<Attached>, Vec<Unreadable>), CacheError> {
    let (mut all, mut unreadable) = (Vec::new(), Vec::new());
    for file in cache.files()? {
        let (path, written) = (file.path, file.written);
        let message = match file.content {
            Ok(Cached::Entry(entry)) => {
                all.push(Attached::new(path, written, entry));
                continue;
            }
            Ok(Cached::BareResult(_)) => "does not say whose it is: a result alone, or some other program's".to_owned(),
            Err(CacheError::Invalid { source, .. }) => format!("no cache entry: {}", Chain(&source)),
            Err(error) => Chain(&error).to_string(),
        };
        unreadable.push(Unreadable { file: path.display().to_string(), message });
    }
    Ok((all, unreadable))
}

impl Attached {
    fn new(file: PathBuf, written: Option<SystemTime>, entry: Entry) -> Self {
        let result = AddResult::parse(&entry.result.to_string());
        let netns = (!entry.netns.is_empty()).then(|| netns::state(entry.netns.as_ref()));
        Self { file, age: written.and_then(|at| at.elapsed().ok()), entry, result, netns }
    }

    pub(crate) fn addresses(&self) -> Vec<String> {
        let ips = self.result.as_ref().map(|result| result.latest().ips).unwrap_or_default();
        ips.iter().map(|ip| ip.address.to_string()).collect()
    }

    /// How long ago it was added, in its largest unit.
    pub(crate) fn age_text(&self) -> String {
        let seconds = |age: Duration| match age.as_secs() {
            young @ ..60 => format!("{young}s"),
            minutes @ ..3600 => format!("{}m", minutes / 60),
            hours @ ..86400 => format!("{}h", hours / 3600),
            days => format!("{}d", days / 86400),
        };
        self.age.map(seconds).unwrap_or_default()
    }
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.file, self.message)
    }
}
