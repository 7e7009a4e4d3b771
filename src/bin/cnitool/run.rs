//! `cnitool run`: a command in a namespace of its own that is added to networks, and everything taken back.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use clap::Args;
use libcni::conf::NetworkConfig;
use libcni::plugin::netns::{NetnsError, run_in};
use libcni::spec::IfName;
use libcni::{Attachment, Chain, Cni, Error};

use crate::cli::Arguments;
use crate::namespace::{Namespace, NotMade};
use crate::options::Invalid;
use crate::output::say;
use crate::rootless;
use crate::signals::Signals;

/// The arguments of `run`.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// All networks of the configuration directory, in the order of their files
    #[arg(long)]
    all: bool,
    /// The networks, as eth0, eth1, …
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    networks: Vec<String>,
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Why a command could not be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error(transparent)]
    Arguments(#[from] Invalid),
    #[error("{}", Chain(.0))]
    Cni(#[from] Error),
    #[error(transparent)]
    Namespace(#[from] NotMade),
    #[error(transparent)]
    Rootless(#[from] rootless::NotAllowed),
    #[error("{}", Chain(.0))]
    Enter(#[from] NetnsError),
    #[error("cannot run `{command}`: {source}")]
    Command { command: String, source: io::Error },
    #[error("no file descriptor is left to wait for signals with")]
    NoSignals,
    #[error("cannot wait for the command: {0}")]
    Wait(io::Error),
}

/// Runs the command, and returns its exit status, or 128 and the number of the signal that ended it.
pub(crate) fn run(arguments: &Arguments, cni: &Cni, run: &Run, signals: Option<&Signals>) -> Result<u8, RunError> {
    let signals = signals.ok_or(RunError::NoSignals)?;
    if rootless::is_needed() {
        rootless::enter()?;
    }
    let networks = networks(arguments, cni, run)?;
    let namespace = Namespace::create()?;
    namespace.bring_loopback_up()?;
    let names = IfNames::default();
    let attachments = names.zip(&networks).map(|(ifname, network)| {
        let attachment = arguments.attachment_in(namespace.path(), Some(ifname))?;
        Ok((network, attachment))
    });
    let attachments = attachments.collect::<Result<Vec<_>, Invalid>>()?;
    let attachments: Vec<_> = attachments.iter().map(|(network, attachment)| (*network, attachment)).collect();
    cni.add_all(&attachments)?;
    // What is taken back is taken back whatever signals come: each plugin has its deadline.
    let mut added = Added { cni: cni.clone().uncancelled(), attachments: &attachments };
    let status = supervise(&namespace, run, signals)?;
    added.take_back()?;
    Ok(exit_code(status))
}

fn networks(arguments: &Arguments, cni: &Cni, run: &Run) -> Result<Vec<NetworkConfig>, Error> {
    if !run.all {
        return run.networks.iter().map(|name| crate::network(arguments, cni, name)).collect();
    }
    let networks = crate::list::networks_in_file_order(arguments)?;
    match arguments.negotiates() {
        true => networks.iter().map(|network| cni.negotiate(network)).collect(),
        false => Ok(networks),
    }
}

/// The names of interfaces: eth0, eth1, …; a network of nothing but `loopback` has `lo`.
#[derive(Default)]
struct IfNames {
    count: usize,
}

impl IfNames {
    fn zip(mut self, networks: &[NetworkConfig]) -> impl Iterator<Item = (IfName, &NetworkConfig)> {
        networks.iter().map(move |network| (self.next_for(network), network))
    }

    fn next_for(&mut self, network: &NetworkConfig) -> IfName {
        let name = match network.plugins().iter().all(|plugin| plugin.plugin_type() == "loopback") {
            true => "lo".to_owned(),
            false => {
                self.count += 1;
                format!("eth{}", self.count - 1)
            }
        };
        IfName::new(name).expect("short, and without odd characters")
    }
}

/// What was added; taken back at the latest when it is dropped.
struct Added<'a> {
    cni: Cni,
    attachments: &'a [(&'a NetworkConfig, &'a Attachment)],
}

impl Added<'_> {
    fn take_back(&mut self) -> Result<(), Error> {
        self.cni.del_all(std::mem::take(&mut self.attachments))
    }
}

impl Drop for Added<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.take_back() {
            say(&format!("error: {}", Chain(&error)));
        }
    }
}

/// Runs the command in the namespace; signals that came to this program alone are passed on to it.
fn supervise(namespace: &Namespace, run: &Run, signals: &Signals) -> Result<ExitStatus, RunError> {
    let (program, arguments) = run.command.split_first().expect("clap asks for one");
    let spawn = || {
        // In a thread that ends here; the command inherits what it blocks.
        Signals::unblock();
        Command::new(program).args(arguments).spawn()
    };
    let spawned = run_in(namespace.path(), spawn)?;
    let command = program.to_string_lossy().into_owned();
    let mut child = spawned.map_err(|source| RunError::Command { command, source })?;
    signals.wait_for(&mut child).map_err(RunError::Wait)
}

/// The exit status as a shell gives it.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    let signal = status.signal().map(|number| 128 + number);
    status.code().or(signal).and_then(|code| code.try_into().ok()).unwrap_or(1)
}
