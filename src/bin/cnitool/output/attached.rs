//! Attachments as the cache has them, and what has become of them.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use libcni::Chain;
use libcni::cache::{Cache, CacheError, Cached, Entry};
use libcni::netns::State;
use libcni::result::{AddResult, ParseError};
use libcni::spec::Object;
use serde::Serialize;

/// An attachment, its file, and what has become of it.
pub(crate) struct Attached {
    /// `None` when its ADD was begun and not finished.
    pub(crate) file: Option<PathBuf>,
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

/// What is in the cache, in the order of file names, and then what was begun and not finished.
pub(crate) fn attached(cache: &Cache) -> Result<(Vec<Attached>, Vec<Unreadable>), CacheError> {
    let (mut all, mut unreadable) = (Vec::new(), Vec::new());
    for file in cache.files()? {
        let (path, written) = (file.path, file.written);
        let message = match file.content {
            Ok(Cached::Entry(entry)) => {
                all.push(Attached::new(Some(path), written, entry));
                continue;
            }
            Ok(Cached::BareResult(_)) => "does not say whose it is: a result alone, or some other program's".to_owned(),
            Err(error) => {
                unreadable.push(Unreadable::new(path, &error));
                continue;
            }
        };
        unreadable.push(Unreadable { file: path.display().to_string(), message });
    }
    let unfinished = cache.unfinished()?;
    for error in &unfinished.unreadable {
        if let CacheError::Io { path, .. } | CacheError::Invalid { path, .. } = error {
            unreadable.push(Unreadable::new(path.clone(), error));
        }
    }
    for entry in unfinished.entries {
        // Added once more, and not finished: the entry is that of the time before.
        if !all.iter().any(|other| other.is_of(&entry)) {
            all.push(Attached::new(None, None, entry));
        }
    }
    Ok((all, unreadable))
}

impl Unreadable {
    fn new(path: PathBuf, error: &CacheError) -> Self {
        let message = match error {
            CacheError::Invalid { source, .. } => format!("no cache entry: {}", Chain(source)),
            error => Chain(error).to_string(),
        };
        Self { file: path.display().to_string(), message }
    }
}

impl Attached {
    fn new(file: Option<PathBuf>, written: Option<SystemTime>, entry: Entry) -> Self {
        let result = AddResult::parse(&entry.result.to_string());
        let netns = entry.netns_state();
        Self { file, age: written.and_then(|at| at.elapsed().ok()), entry, result, netns }
    }

    fn is_of(&self, entry: &Entry) -> bool {
        let key = |entry: &Entry| (entry.network.clone(), entry.container_id.clone(), entry.ifname.clone());
        key(&self.entry) == key(entry)
    }

    /// The name that `inspect` knows it by, and `gc` keeps it by.
    pub(crate) fn id(&self) -> String {
        format!("{}:{}", self.entry.container_id, self.entry.ifname)
    }

    pub(crate) fn file_text(&self) -> Option<String> {
        self.file.as_ref().map(|file| file.display().to_string())
    }

    /// What programs get of it.
    pub(crate) fn describe(&self) -> Object {
        let Entry { network, container_id, ifname, netns, .. } = &self.entry;
        let mut object = Object::new();
        object.set("network", network);
        object.set("containerID", container_id);
        object.set("ifname", ifname);
        object.set("addresses", &self.addresses());
        object.set("netns", netns);
        object.set("netnsState", &self.netns.map(State::as_str));
        object.set("ageSeconds", &self.age.map(|age| age.as_secs()));
        object.set("finished", &self.file.is_some());
        object.set("file", &self.file_text());
        object
    }

    /// What has become of it, in a word.
    pub(crate) fn state(&self) -> &'static str {
        match self.file {
            Some(_) => self.netns.map(State::as_str).unwrap_or_default(),
            None => "unfinished",
        }
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
