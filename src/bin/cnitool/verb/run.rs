//! `cnitool run`: runs a command in a namespace of its own that is added to networks, and removes everything again.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::Path;
use std::time::UNIX_EPOCH;

use clap::Args;
use libcni::conf::NetworkConfig;
use libcni::netns::{NAMED, Namespace, NetnsError, Pin, enter_own_host, supervise};
use libcni::runtime::interface_names;
use libcni::spec::ErrorCode;
use libcni::{Attachment, Chain, Cni, Error};
use rustix::process::geteuid;

use super::add::not_added;
use crate::context::environment::Invalid;
use crate::context::library::{attachment, in_file_order, warn_untaken};
use crate::context::options::{Container, Given, Host, Output};
use crate::context::signals::{Signals, exit_code};
use crate::output::failure::Failure;
use crate::output::{say, warn};

/// The command that removes the rest: the namespace goes with this process, and with it what a GC keeps.
const LEFT: &str = "`cnitool gc NETWORK --keep-live` removes what is left";

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
    #[command(flatten)]
    container: Container,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    _output: Output,
}

/// Runs the command, and returns its exit status, or 128 and the number of the signal that ended it.
pub(crate) fn run(run: &Run, signals: Option<&Signals>) -> Result<u8, Failure> {
    let signals = signals.ok_or_else(|| failed("no file descriptor is left to wait for signals with"))?;
    let cni = run.host.cni(signals.token())?;
    if !geteuid().is_root() {
        enter_own_host().map_err(|error| failed(Chain(&error)))?;
    }
    let networks = networks(&cni, run)?;
    let pin = namespace().map_err(|error| failed(Chain(&error)))?;
    let attachments = networks.iter().zip(interface_names(&networks)).map(|(network, ifname)| {
        let attachment = attachment(&run.container, &run.given, pin.path(), ifname)?;
        Ok((network, attachment))
    });
    let attachments = attachments.collect::<Result<Vec<_>, Invalid>>()?;
    let attachments: Vec<_> = attachments.iter().map(|(network, attachment)| (*network, attachment)).collect();
    attachments.iter().for_each(|(network, attachment)| warn_untaken(network, &attachment.capability_args));
    cni.add_all(&attachments).map_err(|error| not_added(error, LEFT))?;
    // No signal interrupts the removal: each plugin has its deadline.
    let mut added = Added { cni: cni.uncancelled(), attachments: &attachments };
    let tell = |left: &[i32]| warn(&format!("the command has left processes that can't be ended: {left:?}"));
    let status = supervise(pin.namespace(), &run.command, |child| signals.wait_for(child), tell);
    let status = status.map_err(|error| failed(Chain(&error)))?;
    let (code, left) = (exit_code(status), added.take_back().map_err(|error| Failure::from(error).with_hint(LEFT)));
    // The status of a command that failed is not to be lost.
    match left {
        Err(failure) if code == 0 => return Err(failure),
        left => left.unwrap_or_else(|failure| failure.tell()),
    }
    Ok(code)
}

fn failed(error: impl Display) -> Failure {
    Failure::new(ErrorCode::INTERNAL, error)
}

/// A new namespace with `lo` up. It has a name of `ip netns`, and is removed when this is dropped.
fn namespace() -> Result<Pin, NetnsError> {
    let now = UNIX_EPOCH.elapsed().unwrap_or_default().subsec_nanos();
    let path = Path::new(NAMED).join(format!("cnitool-{}-{now:x}", std::process::id()));
    let pin = Namespace::create()?.pin(path)?;
    pin.namespace().bring_loopback_up()?;
    Ok(pin)
}

fn networks(cni: &Cni, run: &Run) -> Result<Vec<NetworkConfig>, Error> {
    if !run.all {
        return run.networks.iter().map(|name| run.host.network(cni, name)).collect();
    }
    let networks = in_file_order(&run.host.loading.conf_dir())?;
    networks.into_iter().map(|network| run.host.negotiation.negotiated(cni, network)).collect()
}

/// The attachment that was added; removed at the latest when it is dropped.
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
