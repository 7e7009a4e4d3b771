//! A container runtime in one page: it makes a network namespace, adds it to networks as eth0, eth1, …, runs a command
//! in it, and takes everything back, whatever happened.
//!
//!     runtime NETWORK[,NETWORK...] COMMAND [ARGUMENT...]
//!
//! NETCONFPATH and CNI_PATH say where configurations and plugins are, as for `cnitool`.

#![allow(clippy::print_stderr, reason = "a program talks to its user")]

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libcni::conf::{ConfDir, NetworkConfig};
use libcni::plugin::netns::run_in;
use libcni::{Attachment, Chain, Cni};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

/// A container that is nothing but a network namespace with a name.
struct Container {
    id: String,
    netns: PathBuf,
}

impl Container {
    /// A namespace lives as long as a process, a descriptor or, as here, a mount refers to it.
    fn create() -> Result<Self, Box<dyn Error>> {
        let id = format!("runtime-{}", std::process::id());
        let netns = Path::new("/run/netns").join(&id);
        fs::create_dir_all("/run/netns")?;
        File::create(&netns)?;
        let container = Self { id, netns };
        let path = container.netns.clone();
        // In a thread of its own: this process stays in the host's namespace.
        let made = std::thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET)?;
            mount(Some("/proc/thread-self/ns/net"), &path, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        });
        made.join().expect("the thread does not panic")?;
        Ok(container)
    }

    fn attachment(&self, number: usize) -> Result<Attachment, Box<dyn Error>> {
        let attachment = Attachment::new(self.id.parse()?, format!("eth{number}").parse()?);
        Ok(attachment.netns(self.netns.to_string_lossy()))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = umount2(&self.netns, MntFlags::MNT_DETACH);
        let _ = fs::remove_file(&self.netns);
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
    let networks = names.iter().map(|name| Ok(dir.load(name)?.network)).collect::<Result<Vec<_>, libcni::Error>>()?;
    let mut cni = Cni::new();
    if let Some(path) = std::env::var_os("CNI_PATH") {
        cni = cni.plugin_dirs(std::env::split_paths(&path));
    }
    let container = Container::create()?;
    let status = attach(&cni, &networks, &container, 0, || run_in(&container.netns, || command.status()))???;
    Ok(ExitCode::from(status.code().and_then(|code| code.try_into().ok()).unwrap_or(1)))
}

/// Adds the container to the networks from `number` on, calls `inside`, and removes it in reverse order.
fn attach<T>(
    cni: &Cni,
    networks: &[NetworkConfig],
    container: &Container,
    number: usize,
    inside: impl FnOnce() -> T,
) -> Result<T, Box<dyn Error>> {
    let Some((network, rest)) = networks.split_first() else { return Ok(inside()) };
    let attachment = container.attachment(number)?;
    let done = match cni.add(network, &attachment) {
        Ok(result) => {
            let addresses: Vec<_> = result.latest().ips.iter().map(|ip| ip.address.to_string()).collect();
            eprintln!("runtime: {} on {}: {}", attachment.ifname, network.name(), addresses.join(" "));
            attach(cni, rest, container, number + 1, inside)
        }
        Err(error) if !error.needs_cleanup() => return Err(error.into()),
        // A part of the list may have done its work.
        Err(error) => Err(error.into()),
    };
    cni.del(network, &attachment)?;
    done
}
