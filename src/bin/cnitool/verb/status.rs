//! `cnitool status`.

use clap::Args;
use libcni::spec::Command;

use super::target::Network;
use crate::context::library::{load, note_unasked};
use crate::context::options::{Loading, Negotiation, Notes, Output, Running};
use crate::context::signals::Signals;
use crate::output::failure::Failure;

/// The arguments of `status`.
#[derive(Args, Debug)]
pub(crate) struct Status {
    #[command(flatten)]
    target: Network,
    #[command(flatten)]
    loading: Loading,
    #[command(flatten)]
    running: Running,
    #[command(flatten)]
    negotiation: Negotiation,
    #[command(flatten)]
    _notes: Notes,
    #[command(flatten)]
    _output: Output,
}

pub(crate) fn status(status: &Status, signals: Option<&Signals>) -> Result<(), Failure> {
    let cni = status.running.cni(signals.and_then(Signals::token))?;
    let network = load(&status.loading.conf_dir(), status.target.alone("status")?)?;
    let network = status.negotiation.negotiated(&cni, network)?;
    cni.status(&network)?;
    note_unasked(&network, Command::Status);
    Ok(())
}
