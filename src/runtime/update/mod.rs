//! UPDATE, which the protocol does not have: an attachment gets the current configuration while its container runs. It
//! consists of DEL and ADD for the plugins that changed, and no plugin can detect it.

mod pending;
mod plan;
mod steps;

use std::path::{Path, PathBuf};

pub(super) use self::pending::Pending;
pub use self::plan::Plan;
use self::plan::Sides;
use self::steps::Steps;
use super::{Attachment, Cni};
use crate::cache::{Cached, Entry, Key};
use crate::conf::NetworkConfig;
use crate::error::{Error, WhyNotUpdated};
use crate::netns::{Identity, State};
use crate::result::AddResult;
use crate::spec::Command;
use crate::spec::capability::CapabilityArgs;
use crate::waiting::block_on;

/// The plugins that make no interface: what they do can be removed and made again while the container runs.
const HAND_ON: [&str; 4] = ["bandwidth", "firewall", "portmap", "tuning"];

/// The changes of an attachment, besides the configuration of its network, and how far an update may go.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub(super) capability_args: CapabilityArgs,
    may_recreate: bool,
    netns: Option<PathBuf>,
    hand_on: Vec<String>,
}

impl Changes {
    /// Changes only what the configuration of the network says.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the arguments of these capabilities; those of other capabilities stay as at ADD.
    pub fn capability_args(self, capability_args: CapabilityArgs) -> Self {
        Self { capability_args, ..self }
    }

    /// Says in which namespace the container is believed to be. An update of one that is in another is refused.
    pub fn netns(self, path: impl Into<PathBuf>) -> Self {
        Self { netns: Some(path.into()), ..self }
    }

    /// Allows the interface to be removed and made again, with the same addresses if IPAM gives them. The container
    /// loses its connections.
    ///
    /// The addresses are asked for (`args.cni.ips`), unless the configuration names addresses itself, as that of
    /// `static` does. They are given up only if the plugin reports an error that names one of them.
    pub fn recreate(self) -> Self {
        Self { may_recreate: true, ..self }
    }

    /// Declares that a further plugin makes no interface and passes on the result that it gets, as `portmap` does.
    pub fn hands_result_on(mut self, plugin: impl Into<String>) -> Self {
        self.hand_on.push(plugin.into());
        self
    }

    fn hands_on(&self, plugin: &str) -> bool {
        HAND_ON.contains(&plugin) || self.hand_on.iter().any(|own| own == plugin)
    }
}

/// The outcome of an update.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Updated {
    /// The action that was taken.
    pub plan: Plan,
    /// The result as it is recorded now.
    pub result: AddResult,
}

impl Cni {
    /// Gives an attachment the current configuration of its network, and other capability arguments.
    ///
    /// The function compares the record of its ADD with the network, plugin by plugin. The plugins that both lists have
    /// in common at their beginning stay untouched, and with them the interface, its addresses and the connections of
    /// the container. For the plugins after them, it runs DEL in reverse order, with the recorded configuration, and
    /// then ADD in order, with the current configuration and the result of the plugins that stay. The attachment may
    /// come from any runtime that keeps the cache of the Go libcni.
    ///
    /// ```no_run
    /// use libcni::cache::Key;
    /// use libcni::runtime::Changes;
    /// use libcni::spec::capability::{Bandwidth, CapabilityArgs};
    /// # fn example(cni: &libcni::Cni, network: &libcni::conf::NetworkConfig, key: &Key) -> Result<(), libcni::Error> {
    /// let mut rate = CapabilityArgs::new();
    /// rate.set_bandwidth(&Bandwidth::default().egress_rate(50_000_000).egress_burst(1_000_000));
    /// let updated = cni.update(network, key, &Changes::new().capability_args(rate))?;
    /// println!("{}", updated.plan);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The attachment is not on record, its namespace is gone, or a plugin that changed makes the interface
    /// ([`Error::NotUpdated`]); nothing was run then. If a plugin fails, the previous state is restored
    /// ([`Error::UpdateUndone`]).
    pub fn update(&self, network: &NetworkConfig, key: &Key, changes: &Changes) -> Result<Updated, Error> {
        block_on(self.update_async(network, key, changes))
    }

    pub(super) async fn update_async(
        &self,
        network: &NetworkConfig,
        key: &Key,
        changes: &Changes,
    ) -> Result<Updated, Error> {
        let network = &*self.agreed(network).await?;
        let _locks = self.lock_attachment(key).await?;
        let (entry, steps) = self.steps(network, key, changes)?;
        let plan = steps.plan(changes);
        self.check_possible(&entry, &steps, &plan, changes)?;
        if !plan.changes_plugins() {
            let result = entry.result().map_err(|source| invalid(&steps, source))?;
            if plan.is_recorded_anew {
                self.record_anew(key, &entry, &steps, &result)?;
            }
            return Ok(Updated { plan, result });
        }
        let result = self.take(key, &entry, &steps).await?;
        Ok(Updated { plan, result })
    }

    /// Returns what [`Cni::update`] would do, and does nothing.
    ///
    /// # Errors
    /// As those of [`Cni::update`] before anything is run.
    pub fn update_plan(&self, network: &NetworkConfig, key: &Key, changes: &Changes) -> Result<Plan, Error> {
        block_on(self.update_plan_async(network, key, changes))
    }

    pub(super) async fn update_plan_async(
        &self,
        network: &NetworkConfig,
        key: &Key,
        changes: &Changes,
    ) -> Result<Plan, Error> {
        let network = &*self.agreed(network).await?;
        let (entry, steps) = self.steps(network, key, changes)?;
        let plan = steps.plan(changes);
        self.check_possible(&entry, &steps, &plan, changes)?;
        Ok(plan)
    }

    fn steps(&self, network: &NetworkConfig, key: &Key, changes: &Changes) -> Result<(Entry, Steps), Error> {
        let entry = match self.cache.read(key)?.ok_or_else(|| self.not_cached(key))? {
            Cached::Entry(entry) if !entry.config.is_empty() => entry,
            _ => return Err(Error::NoRecordedConfiguration { key: Box::new(key.clone()) }),
        };
        let sides = Sides::new(network, &entry, changes)?;
        Ok((entry, Steps::new(sides, self.pending_update(key))))
    }

    /// Finds out what is in the way of an update before anything is done.
    fn check_possible(&self, entry: &Entry, steps: &Steps, plan: &Plan, changes: &Changes) -> Result<(), Error> {
        let refused = |why| Err(Error::NotUpdated { attachment: steps.describe(), why });
        let recorded = entry.netns.clone().unwrap_or_default();
        if entry.netns_state().is_some_and(State::is_over) {
            return refused(WhyNotUpdated::NamespaceGone { netns: recorded });
        }
        if let Some(given) = changes.netns.clone().filter(|given| !leads_to_that_of(entry, given)) {
            return refused(WhyNotUpdated::OtherNamespace { recorded, given });
        }
        if plan.is_current() {
            return Ok(());
        }
        if let Some(plugin) = plan.remakes.clone().filter(|_| !changes.may_recreate) {
            return refused(WhyNotUpdated::RemakesInterface { plugin });
        }
        self.version(&steps.sides.after.network, Command::Add)?;
        let network = &steps.sides.after.network;
        plan.removed.iter().try_for_each(|plugin| self.locate(Command::Del, network, plugin).map(drop))?;
        plan.added.iter().try_for_each(|plugin| self.locate(Command::Add, network, plugin).map(drop))
    }

    /// Records an attachment whose plugins stay as they are. If the process dies meanwhile, there is a record of that.
    fn record_anew(&self, key: &Key, entry: &Entry, steps: &Steps, result: &AddResult) -> Result<(), Error> {
        steps.begin(self, key, entry)?;
        self.finish(key, entry, steps, result).inspect_err(|_| {
            // What could not be written is what the caller must hear.
            let _ = self.cache.forget_intent(key);
        })
    }

    /// Records an attachment as it is after the update.
    fn finish(&self, key: &Key, entry: &Entry, steps: &Steps, result: &AddResult) -> Result<(), Error> {
        let Attachment { args, capability_args, .. } = steps.sides.after.attachment.clone();
        let config = steps.sides.after.network.text().into();
        let entry = Entry { args, capability_args, config, result: result.to_object(), ..entry.clone() };
        Ok(self.cache.write(key, &entry)?)
    }
}

/// Returns whether a path leads to the namespace of an attachment, as far as one can tell.
fn leads_to_that_of(entry: &Entry, path: &Path) -> bool {
    let is_same = |was: &Identity| Identity::of(path).is_some_and(|is| was.may_be(&is));
    entry.netns.as_deref().is_none_or(|netns| netns == path) || entry.netns_identity.as_ref().is_some_and(is_same)
}

fn invalid(steps: &Steps, source: crate::result::ParseError) -> Error {
    Error::InvalidCachedResult { attachment: steps.describe(), source }
}
