//! `cnitool del` and `cnitool gc`: what goes, with which configuration, and what is kept.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;
use libcni::cache::{Entry, Key};
use libcni::invoke::Request;
use libcni::runtime::{Keep, OnMissingPlugin};
use libcni::spec::{ContainerId, IfName, InvalidName, NetworkName, Object, ValidAttachment};
use libcni::{Attachment, Cni, Error};

use crate::cli::Arguments;
use crate::dry_run;
use crate::failure::Failure;
use crate::network;
use crate::output::{print, print_json, printable};

/// The arguments of `del`.
#[derive(Args, Debug)]
pub(crate) struct Del {
    /// The name of the network
    network: String,
    /// A network namespace: a path, or a name as `ip netns` has it; with --container-id it may be empty
    #[arg(required_unless_present_all = ["cached", "container_id"])]
    netns: Option<OsString>,
    /// Use nothing but the cache: the configuration and the arguments that the container was added with
    #[arg(long)]
    cached: bool,
    /// Go on without plugins that are not installed; what they have added stays behind
    #[arg(long)]
    skip_missing: bool,
    /// Show what each plugin would be sent, and run nothing
    #[arg(long, conflicts_with = "skip_missing")]
    dry_run: bool,
}

impl Del {
    /// Without options of its own.
    pub(crate) fn plain(network: String, netns: OsString) -> Self {
        Self { network, netns: Some(netns), cached: false, skip_missing: false, dry_run: false }
    }
}

/// The arguments of `gc`.
#[derive(Args, Debug)]
pub(crate) struct Gc {
    /// The name of the network
    network: String,
    /// Accepted for compatibility, and ignored
    #[arg(hide = true)]
    _netns: Option<OsString>,
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
}

/// Reads `ID:IFNAME`. Neither can have a colon in it.
fn attachment(text: &str) -> Result<(ContainerId, IfName), String> {
    let (id, ifname) = text.split_once(':').ok_or("it must be ID:IFNAME")?;
    let invalid = |error: InvalidName| error.to_string();
    Ok((id.parse().map_err(invalid)?, ifname.parse().map_err(invalid)?))
}

pub(crate) fn del(arguments: &Arguments, del: &Del, cni: &Cni) -> Result<(), Failure> {
    let attachment = arguments.attachment_in(Path::new(del.netns.as_deref().unwrap_or_default()), None)?;
    if del.dry_run {
        let requests =
            del_requests(arguments, del, cni, attachment).map_err(|error| Failure::NotRemoved(Box::new(error)))?;
        return dry_run::print(arguments, &requests);
    }
    let on_missing = if del.skip_missing { OnMissingPlugin::Continue } else { OnMissingPlugin::Stop };
    let removed = match del.cached {
        true => key(&del.network, &attachment).and_then(|key| cni.del_cached(&key, on_missing)),
        false => network(arguments, cni, &del.network).and_then(|n| cni.del_with(&n, &attachment, on_missing)),
    };
    removed.map(drop).map_err(|error| Failure::NotRemoved(Box::new(error)))
}

fn del_requests(arguments: &Arguments, del: &Del, cni: &Cni, given: Attachment) -> Result<Vec<Request>, Error> {
    let (network, attachment) = match del.cached {
        true => cni.cached_attachment(&key(&del.network, &given)?)?,
        false => (network(arguments, cni, &del.network)?, given),
    };
    cni.del_requests(&network, &attachment)
}

fn key(network: &str, attachment: &Attachment) -> Result<Key, Error> {
    Ok(attachment.key(NetworkName::new(network)?))
}

pub(crate) fn gc(arguments: &Arguments, gc: &Gc, cni: &Cni) -> Result<(), Failure> {
    let network = network(arguments, cni, &gc.network)?;
    let keep = keep(arguments, gc)?;
    if gc.dry_run {
        return print_stale(arguments, &cni.stale(&network, &keep)?);
    }
    cni.gc(&network, &keep).map_err(|error| Failure::NotRemoved(Box::new(error)))
}

fn keep(arguments: &Arguments, gc: &Gc) -> Result<Keep, Failure> {
    let valid = |(id, ifname): &(ContainerId, IfName)| ValidAttachment {
        container_id: id.to_string(),
        ifname: ifname.to_string(),
    };
    let named = gc.keep.iter().map(valid).collect::<Vec<_>>();
    match () {
        () if gc.keep_live => Ok(Keep::Live(named)),
        () if !named.is_empty() => Ok(Keep::Only(named)),
        () if gc.all || arguments.is_like_go() => Ok(Keep::Nothing),
        () => Err(Failure::NothingToKeep { network: gc.network.clone() }),
    }
}

fn print_stale(arguments: &Arguments, stale: &[Entry]) -> Result<(), Failure> {
    if arguments.json() {
        let mut object = Object::new();
        object.set("delete", &stale.iter().map(describe).collect::<Vec<_>>());
        return Ok(print_json(&object)?);
    }
    let line = |entry: &Entry| {
        let Entry { container_id, ifname, network, .. } = entry;
        format!("would delete interface `{ifname}` of container `{container_id}` from network `{network}`")
    };
    match stale {
        [] => Ok(print("nothing to delete")?),
        some => Ok(print(&printable(&some.iter().map(line).collect::<Vec<_>>().join("\n")))?),
    }
}

fn describe(entry: &Entry) -> Object {
    let mut object = Object::new();
    object.set("network", &entry.network);
    object.set("containerID", &entry.container_id);
    object.set("ifname", &entry.ifname);
    object.set("netns", &entry.netns);
    object
}
