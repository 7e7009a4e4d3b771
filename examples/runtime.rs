//! A container runtime in one page: it makes a network namespace, adds it to networks as eth0, eth1, …, runs a command
//! in it, and removes everything again, whatever failed. (`cnitool run` does that after signals, too.)
//!
//!     runtime NETWORK[,NETWORK...] COMMAND [ARGUMENT...]
//!
//! NETCONFPATH and CNI_PATH say where configurations and plugins are, as for `cnitool`.

#![allow(clippy::print_stderr, reason = "a program talks to its user")]

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};

use libcni::conf::{ConfDir, NetworkConfig};
use libcni::netns::{Namespace, Pin};
use libcni::{Attachment, Chain, Cni};

/// A container that is nothing but a network namespace with a name, and goes when this is dropped.
struct Container {
    id: String,
    pin: Pin,
}

impl Container {
    fn create() -> Result<Self, Box<dyn Error>> {
        let id = format!("runtime-{}", std::process::id());
        let pin = Namespace::create()?.pin(Path::new("/run/netns").join(&id))?;
        pin.namespace().bring_loopback_up()?;
        Ok(Self { id, pin })
    }

    fn attachment(&self, number: usize) -> Result<Attachment, Box<dyn Error>> {
        let attachment = Attachment::new(self.id.parse()?, format!("eth{number}").parse()?);
        Ok(attachment.netns(self.pin.path()))
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(networks), Some(command)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: runtime NETWORK[,NETWORK...] COMMAND [ARGUMENT...]");
        return ExitCode::from(2);
    };
    let names: Vec<&str> = networks.split(',').collect();
    run(&names, Command::new(command).args(arguments)).unwrap_or_else(|error| {
        eprintln!("runtime: {}", Chain(&*error));
        ExitCode::FAILURE
    })
}

fn run(names: &[&str], command: &mut Command) -> Result<ExitCode, Box<dyn Error>> {
    let dir = std::env::var_os("NETCONFPATH").map_or_else(ConfDir::default, ConfDir::new);
    let mut cni = Cni::builder();
    if let Some(path) = std::env::var_os("CNI_PATH") {
        cni = cni.plugin_dirs(std::env::split_paths(&path));
    }
    let cni = cni.build()?;
    let container = Container::create()?;
    let attach = |(number, name): (usize, &&str)| Ok((dir.load(name)?.network, container.attachment(number)?));
    let attachments = names.iter().enumerate().map(attach).collect::<Result<Vec<_>, Box<dyn Error>>>()?;

    let ended = add(&cni, &attachments).and_then(|()| Ok(container.pin.namespace().run(|| command.status())??));
    // In any case: DEL also works if the attachment was added in part, or not at all.
    let removed = attachments.iter().rev().map(|(network, attachment)| cni.del(network, attachment));
    let removed = removed.fold(Ok(()), Result::and);
    let status = ended?;
    removed?;
    Ok(ExitCode::from(status.code().and_then(|code| code.try_into().ok()).unwrap_or(1)))
}

/// Adds the container to each network, and says which addresses it got.
fn add(cni: &Cni, attachments: &[(NetworkConfig, Attachment)]) -> Result<(), Box<dyn Error>> {
    for (network, attachment) in attachments {
        let result = cni.add(network, attachment)?.latest();
        let addresses: Vec<_> = result.ips.iter().map(|ip| ip.address.to_string()).collect();
        eprintln!("runtime: {} on {}: {}", attachment.ifname, network.name(), addresses.join(" "));
    }
    Ok(())
}
