//! `cnitool check`.

use clap::Args;
use libcni::spec::Command;

use super::target::Target;
use crate::context::library::{must_be_there, note_unasked};
use crate::context::options::Output;
use crate::context::signals::Signals;
use crate::output::dry_run;
use crate::output::failure::Failure;

/// The arguments of `check`.
#[derive(Args, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    _output: Output,
}

pub(crate) fn check(check: &Check, signals: Option<&Signals>) -> Result<(), Failure> {
    let Target { network, netns, attached, host, .. } = &check.target;
    let cni = host.cni(signals.and_then(Signals::token))?;
    let attachment = attached.attachment(netns)?;
    let network = host.network(&cni, network)?;
    if check.target.dry_run {
        return Ok(dry_run::print(&cni.check_requests(&network, &attachment)?)?);
    }
    must_be_there(&attachment)?;
    cni.check(&network, &attachment)?;
    note_unasked(&network, Command::Check);
    Ok(())
}
