//! The plan of an update: the plugins that an attachment was added with, and those of its network now. Pure.

use std::fmt;

use serde_json::Value;

use super::Changes;
use crate::cache::Entry;
use crate::conf::{ConfError, NetworkConfig, PluginConfig};
use crate::error::Error;
use crate::runtime::{Attachment, derive};
use crate::spec::{Object, text};

/// The steps of an update, by the `type` of plugins.
///
/// ```
/// use libcni::cache::Entry;
/// use libcni::conf::NetworkConfig;
/// use libcni::runtime::{Changes, Plan};
///
/// let list = |rate: u64| {
///     format!(
///         r#"{{"cniVersion": "1.0.0", "name": "mynet", "plugins": [
///             {{"type": "bridge"}}, {{"type": "bandwidth", "ingressRate": {rate}, "ingressBurst": {rate}}}]}}"#,
///     )
/// };
/// let mut entry = Entry::default();
/// (entry.container_id, entry.ifname) = ("web-0".to_owned(), "eth0".to_owned());
/// entry.config = list(10_000_000).into();
/// let plan = Plan::new(&NetworkConfig::parse(&list(50_000_000))?, &entry, &Changes::default())?;
/// assert_eq!(plan.to_string(), "DEL of bandwidth, ADD of bandwidth; bridge stays");
/// # Ok::<(), libcni::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The plugins that are not touched: those that both lists have in common at their beginning.
    pub kept: Vec<String>,
    /// The plugins for which DEL runs, with the recorded configuration, in this order.
    pub removed: Vec<String>,
    /// The plugins for which ADD runs, with the current configuration, in this order.
    pub added: Vec<String>,
    /// The first plugin among those that makes an interface, so that the interface can't stay.
    pub remakes: Option<String>,
    /// True if the record changes although no plugin is run: keys of the list itself differ, or the version does.
    pub is_recorded_anew: bool,
}

impl Plan {
    /// Returns the steps from the recorded configuration of an attachment to the current one of its network.
    ///
    /// # Errors
    /// The entry has no configuration or arguments that can be used.
    pub fn new(network: &NetworkConfig, entry: &Entry, changes: &Changes) -> Result<Self, Error> {
        let sides = Sides::new(network, entry, changes)?;
        let kept = sides.common();
        Ok(sides.plan(kept, sides.before.plugins.get(kept..).unwrap_or_default(), changes))
    }

    /// Returns how the recorded configuration of an attachment compares with the current one of its network, if that is
    /// among these: `current`, `changed`, or `None` if it can't be told.
    pub fn comparison(networks: &[NetworkConfig], entry: &Entry) -> Option<&'static str> {
        let network = networks.iter().find(|network| network.name() == entry.network);
        let plan = network.and_then(|network| Self::new(network, entry, &Changes::new()).ok());
        plan.map(|plan| if plan.changes_plugins() { "changed" } else { "current" })
    }

    /// Writes the plan into an object: `kept`, `deleted`, `added` and `recreated`.
    pub fn write(&self, object: &mut Object) {
        object.set("kept", &self.kept);
        object.set("deleted", &self.removed);
        object.set("added", &self.added);
        object.set("recreated", &self.remakes.is_some());
    }

    /// Returns true if a plugin of the network has another configuration, or arguments, than the attachment was added
    /// with.
    pub fn changes_plugins(&self) -> bool {
        !self.removed.is_empty() || !self.added.is_empty()
    }

    /// Returns true if there is nothing to do, since the attachment has the current configuration.
    pub fn is_current(&self) -> bool {
        !self.changes_plugins() && !self.is_recorded_anew
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = [("DEL", &self.removed), ("ADD", &self.added)];
        let steps: Vec<_> = steps
            .iter()
            .filter(|(_, plugins)| !plugins.is_empty())
            .map(|(verb, plugins)| format!("{verb} of {}", plugins.join(", ")))
            .collect();
        match (steps.is_empty(), self.is_recorded_anew) {
            (true, true) => return f.write_str("no plugin is run; the record changes"),
            (true, false) => return f.write_str("nothing to do"),
            _ => f.write_str(&steps.join(", "))?,
        }
        match &self.kept[..] {
            [] => Ok(()),
            [one] => write!(f, "; {one} stays"),
            several => write!(f, "; {} stay", several.join(", ")),
        }
    }
}

/// One side of an update: the plugins, and the parameters of the attachment that they get.
pub(super) struct Side {
    pub(super) network: NetworkConfig,
    pub(super) attachment: Attachment,
    pub(super) plugins: Vec<PluginConfig>,
}

impl Side {
    /// The part of a request that is a plugin's own, not that of every plugin of a list.
    fn sent(&self, at: usize) -> Option<Object> {
        let sent = derive::for_attachment(&self.network, self.plugins.get(at)?, &self.attachment, None);
        Some(sent.without(&["name", "cniVersion"]))
    }
}

/// Returns true if two requests say the same: white space is no difference. A number that no value can hold is the same
/// where it is written the same.
fn says_the_same(one: &Object, other: &Object) -> bool {
    let value = |object: &Object| serde_json::from_str::<Value>(&object.to_string()).ok();
    one.to_string() == other.to_string() || value(one).is_some_and(|one| Some(one) == value(other))
}

/// The configuration that an attachment was added with, and the one it is to have.
pub(super) struct Sides {
    pub(super) before: Side,
    pub(super) after: Side,
}

impl Sides {
    pub(super) fn new(network: &NetworkConfig, entry: &Entry, changes: &Changes) -> Result<Self, Error> {
        let invalid = |error: ConfError| Error::Load(error.into());
        let attachment = Attachment::from_entry(entry)?;
        let before = NetworkConfig::parse_any(&text(&entry.config)).map_err(invalid)?;
        // Those of the network's folder are in no record; they are taken to be the same.
        let inlined = NetworkConfig::parse_any(network.text()).map_err(invalid)?.plugins().len();
        let of_folder = network.plugins().get(inlined..).unwrap_or_default();
        let plugins = before.plugins().iter().chain(of_folder).cloned().collect();
        let mut wanted = attachment.clone();
        for (capability, value) in changes.capability_args.iter() {
            wanted.capability_args.set(capability, &value)?;
        }
        Ok(Self {
            before: Side { network: before, attachment, plugins },
            after: Side { network: network.clone(), attachment: wanted, plugins: network.plugins().to_vec() },
        })
    }

    /// How many plugins from the first both sides have in common, told the same.
    pub(super) fn common(&self) -> usize {
        let is_same = |at: &usize| {
            let (before, after) = (self.before.sent(*at), self.after.sent(*at));
            before.zip(after).is_some_and(|(before, after)| says_the_same(&before, &after))
        };
        (0..).take_while(is_same).count()
    }

    /// The plan where the first plugins stay, and these others are removed.
    pub(super) fn plan(&self, kept: usize, removed: &[PluginConfig], changes: &Changes) -> Plan {
        let (stay, added) = self.after.plugins.split_at(kept.min(self.after.plugins.len()));
        let types = |plugins: &[PluginConfig]| plugins.iter().map(|one| one.plugin_type().to_owned()).collect();
        let remakes = removed.iter().chain(added).map(PluginConfig::plugin_type);
        let is_untouched = removed.is_empty() && added.is_empty();
        let (before, after) = (&self.before, &self.after);
        let differs = before.network.text() != after.network.text() || before.attachment != after.attachment;
        Plan {
            kept: types(stay),
            removed: removed.iter().rev().map(|one| one.plugin_type().to_owned()).collect(),
            added: types(added),
            remakes: remakes.into_iter().find(|plugin| !changes.hands_on(plugin)).map(str::to_owned),
            is_recorded_anew: is_untouched && differs,
        }
    }
}
