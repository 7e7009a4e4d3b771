//! The steps of an update, and the way back when one fails.

use std::net::IpAddr;
use std::path::Path;

use serde_json::Value;

use super::Cni;
use super::pending::Pending;
use super::plan::{Side, Sides};
use super::{Changes, Plan};
use crate::cache::{Entry, Key};
use crate::conf::PluginConfig;
use crate::error::{Error, Failures};
use crate::invoke::PluginFailure;
use crate::netns::Namespace;
use crate::result::AddResult;
use crate::result::v100::Interface;
use crate::runtime::add::{NotAdded, read_result};
use crate::runtime::derive;
use crate::spec::{Command, IpNet, Object};

/// The work for one attachment.
pub(super) struct Steps {
    pub(super) sides: Sides,
    /// How many plugins from the first stay.
    kept: usize,
    /// The plugins to remove, in the order of ADD: those of before that don't stay, or all that an update which was not
    /// finished may have left.
    removed: Vec<PluginConfig>,
    /// True if an unfinished update left them. It is not known which of the previous plugins are still in force.
    is_repair: bool,
}

/// Why an update did not come to its end, and how far it came.
struct Stopped {
    error: Box<Error>,
    /// How many plugins were removed, the last one of the list first.
    removed: usize,
    /// How many plugins were started to be added.
    added: usize,
}

impl Steps {
    pub(super) fn new(sides: Sides, pending: Option<Pending>) -> Self {
        let is_repair = pending.is_some();
        let kept = sides.common().min(pending.as_ref().map_or(usize::MAX, |pending| pending.kept));
        let there = pending.as_ref().map_or(&sides.before.plugins[..], |pending| pending.network.plugins());
        let removed = there.get(kept..).unwrap_or_default().to_vec();
        Self { sides, kept, removed, is_repair }
    }

    pub(super) fn plan(&self, changes: &Changes) -> Plan {
        self.sides.plan(self.kept, &self.removed, changes)
    }

    /// Records them before the first one is done.
    pub(super) fn begin(&self, cni: &Cni, key: &Key, entry: &Entry) -> Result<(), Error> {
        cni.begin_update(key, entry, &self.sides, self.kept, &self.removed)
    }

    /// The attachment in an error message.
    pub(super) fn describe(&self) -> String {
        self.sides.after.attachment.describe(&self.sides.after.network)
    }

    /// The plugins of one side that don't stay.
    fn tail<'a>(&self, side: &'a Side) -> &'a [PluginConfig] {
        side.plugins.get(self.kept..).unwrap_or_default()
    }
}

impl Cni {
    /// Runs the plugins of an update, and records what came of it.
    pub(super) async fn take(&self, key: &Key, entry: &Entry, steps: &Steps) -> Result<AddResult, Error> {
        let result = entry.result().map_err(|source| super::invalid(steps, source))?;
        steps.begin(self, key, entry)?;
        let updated = self.run_steps(steps, &result).await.and_then(|updated| {
            let recorded = self.finish(key, entry, steps, &updated);
            let added = steps.tail(&steps.sides.after).len();
            recorded.map(|()| updated).map_err(|error| Stopped {
                error: Box::new(error),
                removed: steps.removed.len(),
                added,
            })
        });
        match updated {
            Ok(updated) => Ok(updated),
            Err(stopped) => Err(self.go_back(key, entry, steps, &result, stopped).await),
        }
    }

    async fn run_steps(&self, steps: &Steps, result: &AddResult) -> Result<AddResult, Stopped> {
        let (before, after) = (&steps.sides.before, &steps.sides.after);
        for (removed, plugin) in steps.removed.iter().rev().enumerate() {
            self.remove_one(before, plugin, result).await.map_err(|error| Stopped {
                error: Box::new(error),
                removed,
                added: 0,
            })?;
        }
        let all_removed = |error| Stopped { error: Box::new(error), removed: steps.removed.len(), added: 0 };
        let version = self.version(&after.network, Command::Add).map_err(all_removed)?;
        let unusable = |source| Error::UnusableCachedResult { attachment: steps.describe(), source };
        let staying = Self::result_of_those_that_stay(steps, result).map_err(all_removed)?;
        let staying = staying.to_version(&version).map_err(|source| all_removed(unusable(source)))?;
        let before = (steps.kept > 0).then_some(staying);
        let tail = steps.tail(after);
        let added = self.add_tail(after, tail, before, &addresses(steps, result)).await;
        added.map_err(|NotAdded { error, started: added }| Stopped { error, removed: steps.removed.len(), added })
    }

    async fn remove_one(&self, side: &Side, plugin: &PluginConfig, result: &AddResult) -> Result<(), Error> {
        let version = self.version(&side.network, Command::Del)?;
        let previous = version.has_check().then(|| result.to_version(&version).ok()).flatten();
        let config = derive::for_attachment(&side.network, plugin, &side.attachment, previous.as_ref());
        self.call(Command::Del, &side.network, plugin.plugin_type(), Some(&side.attachment), &config).await.map(drop)
    }

    /// ADD of the last plugins of one side.
    async fn add_tail(
        &self,
        side: &Side,
        tail: &[PluginConfig],
        mut result: Option<AddResult>,
        wanted: &[IpNet],
    ) -> Result<AddResult, NotAdded> {
        let network = &side.network;
        for (at, plugin) in tail.iter().enumerate() {
            let config = derive::for_attachment(network, plugin, &side.attachment, result.as_ref());
            let asked = result.is_none().then(|| asking_for(&config, wanted)).flatten();
            let added = match asked {
                Some(asked) => self.add_asking(side, plugin, &asked, &config, wanted).await,
                None => self.add_one(side, plugin, &config).await,
            };
            result = Some(added.map_err(|error| NotAdded { error: Box::new(error), started: at + 1 })?);
        }
        result.ok_or_else(|| Error::NoPlugins { network: network.name().to_owned() }.into())
    }

    async fn add_one(&self, side: &Side, plugin: &PluginConfig, config: &Object) -> Result<AddResult, Error> {
        let (network, attachment) = (&side.network, Some(&side.attachment));
        let answer = self.call(Command::Add, network, plugin.plugin_type(), attachment, config).await?;
        read_result(answer, network)
    }

    /// ADD with addresses that are asked for, and without where they can't be had: the network of today may have
    /// others.
    async fn add_asking(
        &self,
        side: &Side,
        plugin: &PluginConfig,
        asking: &Object,
        config: &Object,
        wanted: &[IpNet],
    ) -> Result<AddResult, Error> {
        match self.add_one(side, plugin, asking).await {
            Err(error) if refuses(&error, wanted) => {}
            added => return added,
        }
        self.call(Command::Del, &side.network, plugin.plugin_type(), Some(&side.attachment), config).await?;
        self.add_one(side, plugin, config).await
    }

    /// Restores the previous state after an update that failed. A failure to do so is a part of the error, and stays on
    /// record as an update that is not finished.
    async fn go_back(&self, key: &Key, entry: &Entry, steps: &Steps, result: &AddResult, stopped: Stopped) -> Error {
        let cni = self.uncancelled();
        let (before, after) = (&steps.sides.before, &steps.sides.after);
        let started = steps.tail(after).iter().take(stopped.added);
        let mut undo = Vec::new();
        for plugin in started.rev() {
            undo.extend(cni.remove_one(after, plugin, result).await.err());
        }
        if steps.is_repair {
            let source = stopped.error;
            return Error::UpdateUndone {
                attachment: steps.describe(),
                source,
                is_unfinished: true,
                undo: several(undo),
            };
        }
        // Those of before whose DEL was run to its end: the last ones.
        let again = &steps.removed[steps.removed.len() - stopped.removed..];
        let is_from_first = steps.kept == 0 && again.len() == steps.removed.len();
        let previous = (!is_from_first).then(|| result.clone());
        let restored = if again.is_empty() {
            Ok(result.clone())
        } else {
            let added = cni.add_tail(before, again, previous, &addresses(steps, result)).await;
            added.map_err(|not_added| *not_added.error)
        };
        let recorded = restored.and_then(|result| {
            let entry = Entry { result: result.to_object(), ..entry.clone() };
            Ok(cni.cache.write(key, &entry)?)
        });
        let is_unfinished = recorded.is_err();
        undo.extend(recorded.err());
        let source = stopped.error;
        Error::UpdateUndone { attachment: steps.describe(), source, is_unfinished, undo: several(undo) }
    }

    /// The result as it is without the plugins that are removed: `tuning` gives an interface back what it had before.
    fn result_of_those_that_stay(steps: &Steps, result: &AddResult) -> Result<AddResult, Error> {
        let tuned = Tuned::by(steps);
        if (tuned.mac || tuned.mtu) && steps.kept > 0 {
            as_in_kernel(steps, result, &tuned)
        } else {
            Ok(result.clone())
        }
    }
}

/// The result with what was tuned of the container's interface as it is now. Of anything else, whoever is inside is
/// not asked: they may have changed it.
fn as_in_kernel(steps: &Steps, result: &AddResult, tuned: &Tuned) -> Result<AddResult, Error> {
    let attachment = &steps.sides.before.attachment;
    let Some(netns) = &attachment.netns else { return Ok(result.clone()) };
    let ifname = attachment.ifname.as_str();
    let Some(now) = Namespace::open(netns)?.settings_of(ifname)? else { return Ok(result.clone()) };
    let mut body = result.latest();
    let is_inside = |sandbox: &String| netns == Path::new(sandbox);
    let of_container = |one: &&mut Interface| one.name == ifname && one.sandbox.as_ref().is_some_and(is_inside);
    for interface in body.interfaces.iter_mut().filter(of_container) {
        if tuned.mac {
            interface.mac = interface.mac.take().and(now.mac.clone());
        }
        if tuned.mtu {
            interface.mtu = interface.mtu.and(now.mtu.map(Into::into));
        }
    }
    let unusable = |source| Error::UnusableCachedResult { attachment: steps.describe(), source };
    AddResult::from(body).to_version(result.version()).map_err(unusable)
}

/// The settings of an interface that the `tuning` plugins set which are removed.
struct Tuned {
    mac: bool,
    mtu: bool,
}

impl Tuned {
    fn by(steps: &Steps) -> Self {
        let Side { network, attachment, .. } = &steps.sides.before;
        let tunings = steps.removed.iter().filter(|plugin| plugin.plugin_type() == "tuning");
        let sent = tunings.map(|plugin| derive::for_attachment(network, plugin, attachment, None).to_string());
        let sent: Vec<Value> = sent.filter_map(|config| serde_json::from_str(&config).ok()).collect();
        let have = |places: &[&str]| sent.iter().any(|config| places.iter().any(|at| config.pointer(at).is_some()));
        let by_variable = !sent.is_empty() && attachment.args.iter().any(|(name, _)| name == "MAC");
        Self {
            mac: by_variable || have(&["/mac", "/runtimeConfig/mac", "/args/cni/mac"]),
            mtu: have(&["/mtu", "/args/cni/mtu"]),
        }
    }
}

/// The addresses that a container has, for the case that its interface is made again.
fn addresses(steps: &Steps, result: &AddResult) -> Vec<IpNet> {
    result.addresses(steps.sides.before.attachment.ifname.as_str())
}

/// The configuration with the convention for addresses that are asked for: `args.cni.ips`. None where there is nothing
/// to ask for, where somebody else has asked already, or where the configuration names the addresses, as that of
/// `static` does: it would give those that are asked for in their place.
fn asking_for(config: &Object, wanted: &[IpNet]) -> Option<Object> {
    let is_asked = config.get("args").is_some()
        || config.get("runtimeConfig").is_some_and(|json| json.as_str().contains("\"ips\""));
    let are_named = |ipam: &Object| ipam.get("addresses").is_some();
    let ipam = Object::parse(config.get("ipam")?.as_str()).ok();
    if wanted.is_empty() || is_asked || ipam.as_ref().is_some_and(are_named) {
        return None;
    }
    let mut ips = Object::new();
    ips.set("ips", wanted);
    let mut cni = Object::new();
    cni.set("cni", &ips);
    let mut asking = config.clone();
    asking.set("args", &cni);
    Some(asking)
}

/// Returns whether a plugin says that one of the addresses can't be had: its error names the address, as that of
/// `host-local` does. Whatever else went wrong would go wrong without them, too.
fn refuses(error: &Error, wanted: &[IpNet]) -> bool {
    let Error::Plugin(error) = error else { return false };
    let PluginFailure::Reported { reply, .. } = &error.failure else { return false };
    let text = format!("{} {}", reply.msg, reply.details.as_deref().unwrap_or_default());
    let words = text.split(|c: char| !c.is_ascii_hexdigit() && !matches!(c, '.' | ':'));
    let addresses = words.map(|word| word.trim_end_matches(['.', ':'])).filter_map(|word| word.parse().ok());
    let named: Vec<IpAddr> = addresses.collect();
    wanted.iter().any(|wanted| named.contains(&wanted.addr()))
}

fn several(errors: Vec<Error>) -> Option<Box<Error>> {
    Failures::into_result(errors).err().map(Box::new)
}
