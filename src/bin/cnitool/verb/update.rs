//! `cnitool update`: attachments get the configuration that their network has today.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;
use libcni::cache::{Attached, CacheError, Key};
use libcni::netns::State;
use libcni::runtime::{Changes, Plan};
use libcni::spec::Object;
use libcni::{Error, WhyNotUpdated};

use crate::context::library::{attachment, must_be_there, warn_untaken};
use crate::context::options::{Capabilities, Container, Given, Host, Interface, Output};
use crate::context::signals::Signals;
use crate::output::failure::Failure;
use crate::output::{is_json, note, print, print_json, printable, warn};

/// The arguments of `update`.
#[derive(Args, Debug)]
pub(crate) struct Update {
    /// The name of the network
    network: String,
    /// A network namespace: a path, or a name as `ip netns` has it; with --container-id it may be left out
    netns: Option<OsString>,
    /// Update every attachment to the network whose namespace exists, those of other runtimes included
    #[arg(long, conflicts_with_all = ["netns", "container_id", "ifname"])]
    all: bool,
    /// Replace the interface if the plugin that makes it changed: the container loses its connections, and keeps its
    /// addresses if the new configuration has them
    #[arg(long)]
    recreate: bool,
    /// Show which plugins would be run, and run nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    container: Container,
    #[command(flatten)]
    interface: Interface,
    #[command(flatten)]
    capabilities: Capabilities,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    _output: Output,
}

pub(crate) fn update(update: &Update, signals: Option<&Signals>) -> Result<(), Failure> {
    let cni = update.host.cni(signals.and_then(Signals::token))?;
    let network = update.host.network(&cni, &update.network)?;
    let changes = Changes::new().capability_args(update.capabilities.capability_args()?);
    warn_untaken(&network, &update.capabilities.capability_args()?);
    let changes = if update.recreate { changes.recreate() } else { changes };
    let (mut done, mut failures) = (Vec::new(), Vec::new());
    let (keys, changes) = if update.all { (all(update, &mut failures)?, changes) } else { one(update, changes)? };
    for key in keys {
        let plan = if update.dry_run {
            cni.update_plan(&network, &key, &changes)
        } else {
            cni.update(&network, &key, &changes).map(|updated| updated.plan)
        };
        match plan {
            Ok(plan) => done.push((key, plan)),
            Err(error) => failures.push(not_updated(error)),
        }
    }
    show(&done)?;
    // Each is reported; the caller reports the last one.
    let last = failures.pop();
    failures.iter().for_each(Failure::tell);
    last.map_or(Ok(()), Err)
}

/// The attachment that is meant, which must be where it is said to be.
fn one(update: &Update, changes: Changes) -> Result<(Vec<Key>, Changes), Failure> {
    if update.netns.is_none() && update.container.container_id.is_none() {
        let hint = "name its namespace, or its container with `--container-id`; `--all` updates all of them";
        let message = format!("nothing says which attachment to network `{}` to update", update.network);
        return Err(Failure::usage(message).with_hint(hint));
    }
    let netns = Path::new(update.netns.as_deref().unwrap_or_default());
    let ifname = update.interface.name_or("eth0")?;
    let one = attachment(&update.container, &Given::default(), netns, ifname)?;
    one.netns.is_some().then(|| must_be_there(&one)).transpose()?;
    let key = one.key(update.network.parse().map_err(Error::from)?);
    Ok((vec![key], one.netns.into_iter().fold(changes, Changes::netns)))
}

/// All attachments that can be updated; a failure for each record that can't be read, a warning for each of the others,
/// and a note where there are none.
fn all(update: &Update, failures: &mut Vec<Failure>) -> Result<Vec<Key>, Failure> {
    let found = update.host.records.cache().inventory_of(&update.network).map_err(Error::from)?;
    let skip = |error: CacheError| warn(&format!("skipped {}: {}", error.path().display(), error.reason()));
    let (unread, other): (Vec<_>, Vec<_>) = found.unusable.into_iter().partition(CacheError::is_unread_record);
    other.into_iter().for_each(skip);
    failures.extend(unread.into_iter().map(|error| not_updated(error.into())));
    if found.attached.is_empty() {
        note(&format!("no attachment to network `{}` is on record", update.network), &Object::new());
    }
    let is_meant = |one: &&Attached| {
        let is_meant = one.is_finished() && !one.entry.netns_state().is_some_and(State::is_over);
        if !is_meant {
            warn(&format!("skipped {}: it is {}; `cnitool gc` removes it", one.id(), one.state().unwrap_or_default()));
        }
        is_meant
    };
    let keys = found.attached.iter().filter(is_meant).map(|one| Key::of(&one.entry));
    Ok(keys.collect::<Result<_, _>>().map_err(Error::from)?)
}

fn show(done: &[(Key, Plan)]) -> Result<(), Failure> {
    if is_json() {
        let mut report = Object::new();
        report.set("attachments", &done.iter().map(|(key, plan)| describe(key, plan)).collect::<Vec<_>>());
        return Ok(print_json(&report)?);
    }
    for (key, plan) in done {
        print(&printable(&format!("{}:{}: {plan}", key.container_id, key.ifname)))?;
    }
    Ok(())
}

fn describe(key: &Key, plan: &Plan) -> Object {
    let mut object = key.to_object();
    plan.write(&mut object);
    object
}

/// Why something is not updated, and what can be done about it.
fn not_updated(error: Error) -> Failure {
    let hint = match &error {
        Error::NotUpdated { why: WhyNotUpdated::RemakesInterface { .. }, .. } => {
            "`--recreate` replaces the interface, and cuts the container's connections"
        }
        Error::NotUpdated { why: WhyNotUpdated::NamespaceGone { .. }, .. } => {
            "`cnitool gc NETWORK --keep-live` removes what belongs to namespaces that are gone"
        }
        Error::UpdateUndone { is_unfinished: true, .. } => {
            "the same command brings the update to its end; `cnitool del` removes the attachment"
        }
        _ => return error.into(),
    };
    Failure::from(error).with_hint(hint)
}
