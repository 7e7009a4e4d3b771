//! The attachments on this host, finished or not.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::key::{may_be_of_container, may_be_of_interface, may_be_of_network};
use super::{Cache, CacheError, Cached, Entry, InvalidEntry};
use crate::netns::State;
use crate::spec::{IpNet, Object};

/// An attachment that is in the cache.
#[derive(Debug)]
#[non_exhaustive]
pub struct Attached {
    /// The entry. [`Entry::netns_state`] says what has become of its namespace.
    pub entry: Entry,
    /// The file of the entry; `None` if its ADD was begun but not finished.
    pub file: Option<PathBuf>,
    /// The time when the file was written, at the end of ADD; `None` if it is not known.
    pub written: Option<SystemTime>,
}

/// All attachments that the cache has for this host.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Inventory {
    /// The attachments in the order of their file names, and then those that were begun but not finished.
    pub attached: Vec<Attached>,
    /// The files that are not attachments, with the reason.
    pub unusable: Vec<CacheError>,
}

impl Attached {
    /// Returns true if ADD has finished.
    pub fn is_finished(&self) -> bool {
        self.file.is_some()
    }

    /// Returns how long ago ADD finished; `None` if it did not, or if that is not known.
    pub fn age(&self) -> Option<Duration> {
        self.written?.elapsed().ok()
    }

    /// Returns its age in the largest unit that it has one of, such as `5m` or `3d`, if it is known.
    pub fn age_in_words(&self) -> Option<String> {
        let words = |age: Duration| match age.as_secs() {
            young @ ..60 => format!("{young}s"),
            minutes @ ..3600 => format!("{}m", minutes / 60),
            hours @ ..86400 => format!("{}h", hours / 3600),
            days => format!("{}d", days / 86400),
        };
        self.age().map(words)
    }

    /// Returns `CONTAINER:INTERFACE`, which names one attachment to a network.
    pub fn id(&self) -> String {
        format!("{}:{}", self.entry.container_id, self.entry.ifname)
    }

    /// Returns its state in a word: that of its namespace's [`State`], or `unfinished`; `None` if no namespace was
    /// recorded.
    pub fn state(&self) -> Option<&'static str> {
        if self.is_finished() { self.entry.netns_state().map(State::as_str) } else { Some("unfinished") }
    }

    /// Returns the addresses of its result, with their prefix lengths.
    pub fn addresses(&self) -> Vec<IpNet> {
        let ips = self.entry.result().map(|result| result.latest().ips).unwrap_or_default();
        ips.iter().map(|ip| ip.address).collect()
    }

    /// Describes it: `network`, `containerID`, `ifname`, `addresses`, `netns`, `netnsState`, `ageSeconds`, `finished`
    /// and `file`.
    ///
    /// ```no_run
    /// for attached in libcni::cache::Cache::default().inventory()?.attached {
    ///     println!("{}", attached.to_object());
    /// }
    /// # Ok::<(), libcni::cache::CacheError>(())
    /// ```
    pub fn to_object(&self) -> Object {
        let Entry { network, container_id, ifname, netns, .. } = &self.entry;
        let mut object = Object::new();
        object.set("network", network);
        object.set("containerID", container_id);
        object.set("ifname", ifname);
        object.set("addresses", &self.addresses());
        object.set("netns", &netns.as_deref().map(Path::to_string_lossy).unwrap_or_default());
        object.set("netnsState", &self.entry.netns_state().map(State::as_str));
        object.set("ageSeconds", &self.age().map(|age| age.as_secs()));
        object.set("finished", &self.is_finished());
        object.set("file", &self.file.as_ref().map(|file| file.to_string_lossy()));
        object
    }

    /// Describes all of it: the same, and `cniArgs`, `capabilityArgs`, the configuration as `config`, and `result`.
    pub fn to_whole_object(&self) -> Object {
        let (entry, mut object) = (&self.entry, self.to_object());
        object.set("cniArgs", &entry.args.iter().collect::<Vec<_>>());
        object.set("capabilityArgs", &entry.capability_args);
        let config = String::from_utf8_lossy(&entry.config);
        match Object::parse(&config) {
            Ok(config) => object.set("config", &config),
            Err(_) => object.set("config", &*config),
        }
        object.set("result", &entry.result);
        object
    }
}

impl Cache {
    /// Returns the attachments of every network and of every runtime that shares the directory, finished or not.
    ///
    /// ```no_run
    /// use libcni::netns::State;
    ///
    /// for attached in libcni::cache::Cache::default().inventory()?.attached {
    ///     let state = attached.entry.netns_state().map_or("unknown", State::as_str);
    ///     println!("{} of {}: the namespace {state}", attached.entry.ifname, attached.entry.container_id);
    /// }
    /// # Ok::<(), libcni::cache::CacheError>(())
    /// ```
    ///
    /// # Errors
    /// The directory is there, but can't be read.
    pub fn inventory(&self) -> Result<Inventory, CacheError> {
        self.inventory_named(|_| true)
    }

    /// Returns the attachments to one network, finished or not. It does not open files whose names show that they
    /// belong to other networks.
    ///
    /// # Errors
    /// The directory is there, but can't be read.
    pub fn inventory_of(&self, network: &str) -> Result<Inventory, CacheError> {
        let mut found = self.inventory_named(may_be_of_network(network))?;
        found.attached.retain(|attached| attached.entry.network == network);
        Ok(found)
    }

    /// Returns the attachments of this name: the container's ID, [`Attached::id`], or the name or path of the file. It
    /// does not open files whose names show that they belong to other attachments.
    ///
    /// ```no_run
    /// for attached in libcni::cache::Cache::default().named("web-0:eth0")? {
    ///     println!("{} is on {}", attached.id(), attached.entry.network);
    /// }
    /// # Ok::<(), libcni::cache::CacheError>(())
    /// ```
    ///
    /// # Errors
    /// The directory is there, but can't be read.
    pub fn named(&self, name: &str) -> Result<Vec<Attached>, CacheError> {
        let file = Path::new(name).strip_prefix(self.results()).unwrap_or(name.as_ref());
        let of_container = may_be_of_container(name);
        let of_interface = name.split_once(':').map(|(id, ifname)| may_be_of_interface(id, ifname));
        let may_be = |found: &str| of_interface.as_ref().map_or_else(|| of_container(found), |is| is(found));
        let mut attached = self.inventory_named(|found| file == Path::new(found) || may_be(found))?.attached;
        let is_file = |path: &Path| path.as_os_str() == name || path.file_name() == Some(name.as_ref());
        attached.retain(|one| {
            one.entry.container_id == name || one.id() == name || one.file.as_deref().is_some_and(is_file)
        });
        Ok(attached)
    }

    fn inventory_named(&self, is_wanted: impl Fn(&str) -> bool) -> Result<Inventory, CacheError> {
        let mut found = Inventory::default();
        for file in self.files_named(&is_wanted)? {
            let (path, written) = (file.path, file.written);
            match file.content {
                Ok(Cached::Entry(entry)) => found.attached.push(Attached { entry, file: Some(path), written }),
                Ok(Cached::BareResult(_)) => {
                    found.unusable.push(CacheError::Invalid { path, source: InvalidEntry::Anonymous });
                }
                Err(error) => found.unusable.push(error),
            }
        }
        let begun = self.unfinished_named(is_wanted)?;
        found.unusable.extend(begun.unreadable);
        for entry in begun.entries {
            // Where it was added once more, and not finished, the entry is that of the time before.
            if !found.attached.iter().any(|attached| attached.entry.is_of_same(&entry)) {
                found.attached.push(Attached { entry, file: None, written: None });
            }
        }
        Ok(found)
    }
}
