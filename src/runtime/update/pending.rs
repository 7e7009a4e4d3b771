//! An update that was begun and not finished: on disk before its first plugin runs.
//!
//! It is an intent beside the entry of ADD. Its list has the plugins that stay, then those of before, then those of
//! after: DEL of all of them leaves nothing, wherever the update came to its end.

use super::Cni;
use super::plan::Sides;
use crate::cache::{Entry, Key};
use crate::conf::{NetworkConfig, PluginConfig};
use crate::error::Error;
use crate::runtime::Attachment;
use crate::spec::{Object, text};

/// The key of the list that says how many of its plugins stay.
const KEPT: &str = "libcniKept";

/// The steps that an update had begun.
pub(in crate::runtime) struct Pending {
    pub(in crate::runtime) network: NetworkConfig,
    pub(in crate::runtime) attachment: Attachment,
    /// How many plugins from the first were not to be touched.
    pub(super) kept: usize,
}

impl Cni {
    /// Returns the update of an attachment that was begun and not finished. An ADD that was begun has no result yet.
    pub(in crate::runtime) fn pending_update(&self, key: &Key) -> Option<Pending> {
        let entry = self.cache.read_intent(key).ok().flatten()?;
        if entry.result.is_empty() {
            return None;
        }
        let text = text(&entry.config);
        let kept = Object::parse(&text).ok()?.typed(KEPT).ok()??;
        let network = NetworkConfig::parse(&text).ok()?;
        Some(Pending { network, attachment: Attachment::from_entry(&entry).ok()?, kept })
    }

    /// Records what an update is about to do.
    pub(super) fn begin_update(
        &self,
        key: &Key,
        entry: &Entry,
        sides: &Sides,
        kept: usize,
        removed: &[PluginConfig],
    ) -> Result<(), Error> {
        let (stay, added) = sides.after.plugins.split_at(kept);
        let plugins: Vec<_> = stay.iter().chain(removed).chain(added).map(PluginConfig::object).collect();
        let mut list = Object::new();
        list.set("cniVersion", sides.before.network.cni_version().unwrap_or_default());
        list.set("name", sides.before.network.name());
        list.set("plugins", &plugins);
        list.set(KEPT, &kept);
        let capability_args = sides.after.attachment.capability_args.clone();
        let intent = Entry { config: list.to_string().into_bytes(), capability_args, ..entry.clone() };
        Ok(self.cache.begin(key, &intent)?)
    }
}
