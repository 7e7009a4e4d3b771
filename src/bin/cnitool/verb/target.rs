//! The subject of most verbs: a network and an attachment.

use std::path::PathBuf;

use clap::Args;

use crate::context::environment::is_like_go;
use crate::context::options::{Attached, Host};
use crate::output::failure::Failure;

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
    network: String,
    /// Accepted where the behaviour of the Go cnitool is wanted, and ignored
    #[arg(hide = true)]
    netns: Option<PathBuf>,
}

impl Network {
    /// Refuses a namespace where a verb is about a whole network.
    pub(crate) fn alone(&self, verb: &str) -> Result<&str, Failure> {
        match &self.netns {
            Some(netns) if !is_like_go() => {
                let message = format!("`{verb}` is about a whole network, and takes no namespace: {}", netns.display());
                Err(Failure::usage(message))
            }
            _ => Ok(&self.network),
        }
    }
}
