//! The subject of most verbs: a network and an attachment.

use std::path::PathBuf;

use clap::Args;

use crate::context::options::{Attached, Host};

/// One attachment: its network and its namespace, on this host.
#[derive(Args, Debug)]
pub(crate) struct Target {
    /// The name of the network
    pub(crate) network: String,
    /// A network namespace: a path, or a name as `ip netns` has it
    pub(crate) netns: PathBuf,
    /// Show what each plugin would be sent, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) attached: Attached,
    #[command(flatten)]
    pub(crate) host: Host,
}

/// A network alone.
#[derive(Args, Debug)]
pub(crate) struct Network {
    /// The name of the network
    pub(crate) network: String,
    /// Accepted for compatibility, and ignored
    #[arg(hide = true)]
    _netns: Option<PathBuf>,
}
