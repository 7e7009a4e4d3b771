//! `cnitool status`.

use clap::Args;

use super::target::Network;
use crate::context::library::load;
use crate::context::options::{Loading, Negotiation, Output, Running};
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
    _output: Output,
}

pub(crate) fn status(status: &Status, signals: Option<&Signals>) -> Result<(), Failure> {
    let cni = status.running.cni(signals.and_then(Signals::token))?;
    let network = load(&status.loading.conf_dir(), &status.target.network)?;
    Ok(cni.status(&status.negotiation.negotiated(&cni, network)?)?)
}
