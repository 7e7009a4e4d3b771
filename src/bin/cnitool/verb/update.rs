//! `cnitool update`: attachments get the configuration that their network has today.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;
use libcni::cache::{Attached, Key};
use libcni::runtime::{Changes, Plan};
use libcni::spec::Object;
use libcni::{Error, WhyNotUpdated};

use crate::context::library::attachment;
use crate::context::options::{Capabilities, Container, Given, Host, Interface, Output};
use crate::context::signals::Signals;
use crate::output::failure::Failure;
use crate::output::{is_json, print, print_json, printable};

/// The arguments of `update`.
#[derive(Args, Debug)]
pub(crate) struct Update {
    /// The name of the network
    network: String,
    /// A network namespace: a path, or a name as `ip netns` has it; with --container-id it may be left out
    #[arg(required_unless_present_any = ["all", "container_id"])]
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
    let changes = if update.recreate { changes.recreate() } else { changes };
    let (mut done, mut failures) = (Vec::new(), Vec::new());
    for key in keys(update)? {
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

/// The attachments to update.
fn keys(update: &Update) -> Result<Vec<Key>, Failure> {
    if !update.all {
        let netns = Path::new(update.netns.as_deref().unwrap_or_default());
        let ifname = update.interface.name_or("eth0")?;
        let one = attachment(&update.container, &Given::default(), netns, ifname)?;
        return Ok(vec![one.key(update.network.parse().map_err(Error::from)?)]);
    }
    let all = update.host.records.cache().inventory().map_err(Error::from)?.attached;
    let is_meant = |one: &&Attached| {
        let is_over = one.entry.netns_state().is_some_and(libcni::netns::State::is_over);
        one.entry.network == update.network && one.is_finished() && !is_over
    };
    Ok(all.iter().filter(is_meant).map(|one| Key::of(&one.entry)).collect::<Result<_, _>>().map_err(Error::from)?)
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
        Error::NotUpdated { .. } => "`cnitool gc --keep-live` removes what belongs to namespaces that are gone",
        Error::UpdateUndone { is_unfinished: true, .. } => {
            "the same command brings the update to its end; `cnitool del` removes the attachment"
        }
        _ => return error.into(),
    };
    Failure::from(error).with_hint(hint)
}
