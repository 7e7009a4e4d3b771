//! `cnitool gc`: which attachments go, and which are kept.

use std::io;

use clap::Args;
use libcni::cache::Entry;
use libcni::runtime::Keep;
use libcni::spec::{Command, ContainerId, IfName, InvalidName, Object, ValidAttachment};

use super::del::not_removed;
use super::target::Network;
use crate::context::environment::is_like_go;
use crate::context::library::note_unasked;
use crate::context::options::{Host, Output};
use crate::context::signals::Signals;
use crate::output::failure::Failure;
use crate::output::{is_json, print, print_json, printable};

/// The arguments of `gc`.
#[derive(Args, Debug)]
pub(crate) struct Gc {
    #[command(flatten)]
    target: Network,
    /// An attachment to keep; repeat it for more
    #[arg(long, value_name = "ID:IFNAME", conflicts_with = "all", value_parser = attachment)]
    keep: Vec<(ContainerId, IfName)>,
    /// Keep the attachments whose namespace still exists
    #[arg(long, conflicts_with = "all")]
    keep_live: bool,
    /// Keep nothing: delete every attachment of the network, those of other runtimes included
    #[arg(long)]
    all: bool,
    /// Show what would be deleted, and delete nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    _output: Output,
}

/// Reads `ID:IFNAME`. Neither can have a colon in it.
fn attachment(text: &str) -> Result<(ContainerId, IfName), String> {
    let (id, ifname) = text.split_once(':').ok_or("it must be ID:IFNAME")?;
    let invalid = |error: InvalidName| error.to_string();
    Ok((id.parse().map_err(invalid)?, ifname.parse().map_err(invalid)?))
}

pub(crate) fn gc(gc: &Gc, signals: Option<&Signals>) -> Result<(), Failure> {
    let cni = gc.host.cni(signals.and_then(Signals::token))?;
    let network = gc.host.network(&cni, gc.target.alone("gc")?)?;
    let keep = keep(gc, network.name())?;
    cni.check_kept(&network, &keep)?;
    if gc.dry_run {
        return Ok(print_stale(&cni.stale(&network, &keep)?)?);
    }
    cni.gc(&network, &keep).map_err(not_removed)?;
    note_unasked(&network, Command::Gc);
    Ok(())
}

fn keep(gc: &Gc, network: &str) -> Result<Keep, Failure> {
    let valid = |(id, ifname): &(ContainerId, IfName)| ValidAttachment::new(id, ifname);
    let named = gc.keep.iter().map(valid).collect::<Vec<_>>();
    match () {
        () if gc.keep_live => Ok(Keep::Live(named)),
        () if !named.is_empty() => Ok(Keep::Only(named)),
        () if gc.all || is_like_go() => Ok(Keep::Nothing),
        () => Err(nothing_to_keep(network)),
    }
}

fn nothing_to_keep(network: &str) -> Failure {
    Failure::usage(format!("no option says which attachments of network `{network}` to keep")).with_hint(
        "name them with `--keep ID:IFNAME`, keep those whose namespace exists with `--keep-live`, or delete \
         everything with `--all`; `--dry-run` shows what would go",
    )
}

fn print_stale(stale: &[Entry]) -> io::Result<()> {
    if is_json() {
        let mut object = Object::new();
        object.set("delete", &stale.iter().map(Entry::subject).collect::<Vec<_>>());
        return print_json(&object);
    }
    let line = |entry: &Entry| {
        let Entry { container_id, ifname, network, .. } = entry;
        format!("would delete interface `{ifname}` of container `{container_id}` from network `{network}`")
    };
    match stale {
        [] => print("nothing to delete"),
        some => print(&printable(&some.iter().map(line).collect::<Vec<_>>().join("\n"))),
    }
}
