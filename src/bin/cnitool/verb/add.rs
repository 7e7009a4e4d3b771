//! `cnitool add`.

use std::path::Path;

use clap::Args;
use libcni::cache::Entry;
use libcni::spec::ErrorCode;
use libcni::{Error, Occupied};

use super::target::Target;
use crate::context::environment::this_with;
use crate::context::library::{must_be_there, warn_untaken};
use crate::context::options::Output;
use crate::context::signals::Signals;
use crate::output::failure::Failure;
use crate::output::{dry_run, print};

/// The arguments of `add`.
#[derive(Args, Debug)]
pub(crate) struct Add {
    #[command(flatten)]
    target: Target,
    /// When adding fails, remove what it may have added
    #[arg(long)]
    rollback: bool,
    #[command(flatten)]
    _output: Output,
}

pub(crate) fn add(add: &Add, signals: Option<&Signals>) -> Result<(), Failure> {
    let Target { network, netns, attached, host, .. } = &add.target;
    let cni = host.cni(signals.and_then(Signals::token))?;
    let attachment = attached.attachment(netns)?;
    let network = host.network(&cni, network)?;
    if add.target.dry_run {
        return Ok(dry_run::print(&cni.add_requests(&network, &attachment)?)?);
    }
    must_be_there(&attachment)?;
    warn_untaken(&network, &attachment.capability_args);
    let added =
        if add.rollback { cni.add_with_rollback(&network, &attachment) } else { cni.add(&network, &attachment) };
    print(&added.map_err(|error| not_added(error, &undo()))?.to_json_pretty()).map_err(|error| {
        let message = format!("the container is added, but its result can't be written to stdout: {error}");
        Failure::new(ErrorCode::IO, message).with_hint(undo())
    })
}

/// The command that takes back what this one has added.
fn undo() -> String {
    format!("`{}` undoes it", this_with("del", "add", "--rollback"))
}

/// Why something is not added, and what can be done about it.
pub(super) fn not_added(error: Error, undo: &str) -> Failure {
    let hint = match &error {
        Error::Occupied(occupied) => match &**occupied {
            Occupied { by: Some(Entry { container_id, .. }), .. } => {
                format!("`cnitool inspect {container_id}` shows it; `--ifname` chooses another name")
            }
            Occupied { netns, ifname, .. } => {
                let netns = netns.as_deref().unwrap_or(Path::new("")).display();
                format!("`nsenter --net={netns} ip link show {ifname}` shows it; `--ifname` chooses another name")
            }
        },
        error if error.needs_cleanup() => {
            format!("plugins may have done part of their work; {undo}")
        }
        _ => return error.into(),
    };
    Failure::from(error).with_hint(hint)
}
