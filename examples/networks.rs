//! A daemon that attaches pods to several networks: to the default network as `eth0`, and to those of an annotation as
//! `net1`, `net2`, … or as it says.
//!
//!     networks DIR
//!
//! DIR has `net.d`, which may change at any time, and gets `cache`; CNI_PATH says where plugins are. Each line of stdin
//! is what a pod is to have, and is answered by a line with the status of its interfaces, or with an error:
//!
//! ```json
//! {"sandbox": "4f5a9b", "pod": "web", "netns": "/run/netns/web", "networks": "storage, storage@data0"}
//! {"sandbox": "4f5a9b", "pod": "web", "netns": "/run/netns/web", "networks": "storage"}
//! {"sandbox": "4f5a9b", "pod": "web"}
//! ```
//!
//! The second line takes `data0` away again; the third, without `netns`, everything.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a program talks to its user")]

use std::collections::HashSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, PoisonError, RwLock};

use libcni::cache::{Attached, Key};
use libcni::conf::{ConfDir, NetworkConfig};
use libcni::runtime::{Keep, OnMissingPlugin};
use libcni::spec::{ContainerId, Pod};
use libcni::watch::{Snapshot, Watcher};
use libcni::{Attachment, Chain, Cni};
use serde::Deserialize;
use serde_json::{Value, json};

type Failure = Box<dyn Error + Send + Sync>;

/// A pod, and the networks that it is to have.
#[derive(Deserialize)]
struct Request {
    sandbox: String,
    pod: String,
    netns: Option<PathBuf>,
    #[serde(default)]
    networks: String,
}

impl Request {
    /// The networks with their interfaces, in order; none for a pod that is gone.
    fn wanted<'a>(&self, snapshot: &'a Snapshot) -> Result<Vec<(&'a NetworkConfig, Attachment)>, Failure> {
        let Some(netns) = &self.netns else { return Ok(Vec::new()) };
        let attachment = |ifname: &str| -> Result<_, Failure> {
            let attachment = Attachment::new(self.sandbox.parse()?, ifname.parse()?).netns(netns);
            Ok(attachment.pod(&Pod::new("default", &self.pod))?)
        };
        let default = snapshot.default_network().ok_or("there is no default network")?;
        let mut wanted = vec![(default, attachment("eth0")?)];
        let words = self.networks.split(',').map(str::trim).filter(|word| !word.is_empty());
        for (word, number) in words.zip(1..) {
            let (name, ifname) = word.split_once('@').unwrap_or((word, ""));
            let ifname = if ifname.is_empty() { format!("net{number}") } else { ifname.to_owned() };
            let network = snapshot.network(name).ok_or_else(|| format!("there is no network `{name}`"))?;
            wanted.push((network, attachment(&ifname)?));
        }
        Ok(wanted)
    }
}

struct Daemon {
    cni: Cni,
    latest: RwLock<Arc<Snapshot>>,
}

impl Daemon {
    fn new(cni: Cni, mut watcher: Watcher) -> Result<Arc<Self>, Failure> {
        let daemon = Arc::new(Self { cni, latest: RwLock::new(watcher.recv()?) });
        let weak = Arc::downgrade(&daemon);
        std::thread::spawn(move || {
            for snapshot in watcher {
                let (Ok(snapshot), Some(daemon)) = (snapshot, weak.upgrade()) else { break };
                *daemon.latest.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
            }
        });
        Ok(daemon)
    }

    fn latest(&self) -> Arc<Snapshot> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes good what an earlier run did not finish.
    fn recover(&self) -> Result<(), Failure> {
        for network in self.latest().networks() {
            self.cni.gc(network, &Keep::Live(Vec::new()))?;
        }
        Ok(())
    }

    /// Gives a pod what it is to have, and returns the status of its interfaces.
    fn serve(&self, request: &str) -> Result<Value, Failure> {
        let request: Request = serde_json::from_str(request)?;
        let snapshot = self.latest();
        let wanted = request.wanted(&snapshot)?;
        let wanted_keys = wanted.iter().map(|(network, attachment)| Ok(attachment.key(network.network_name()?)));
        let wanted_keys = wanted_keys.collect::<Result<HashSet<Key>, Failure>>()?;
        let has = self.remove_others(&request.sandbox.parse()?, &wanted_keys)?;
        let mut missing = Vec::new();
        for (network, attachment) in &wanted {
            if !has.contains(&attachment.key(network.network_name()?)) {
                missing.push((*network, attachment));
            }
        }
        self.cni.add_all(&missing)?;
        let status =
            wanted.iter().enumerate().map(|(at, (network, attachment))| self.status(network, attachment, at == 0));
        status.collect()
    }

    /// Removes the attachments of a container that nobody wants or that were not finished, the last ones first, and
    /// returns the others.
    fn remove_others(&self, container: &ContainerId, wanted: &HashSet<Key>) -> Result<HashSet<Key>, Failure> {
        let mut kept = HashSet::new();
        let attached = self.cni.cache().named(container.as_str())?;
        let own = |attached: &&Attached| attached.entry.container_id == container.as_str();
        for attached in attached.iter().rev().filter(own) {
            let key = Key::of(&attached.entry)?;
            if attached.is_finished() && wanted.contains(&key) {
                kept.insert(key);
            } else {
                self.cni.del_cached(&key, OnMissingPlugin::Stop)?;
            }
        }
        Ok(kept)
    }

    /// An entry of the annotation `k8s.v1.cni.cncf.io/network-status`, from what is on record.
    fn status(&self, network: &NetworkConfig, attachment: &Attachment, is_default: bool) -> Result<Value, Failure> {
        let key = attachment.key(network.network_name()?);
        let cached = self.cni.cache().read(&key)?.ok_or("the attachment is gone")?;
        let body = cached.result()?.latest();
        let ifname = attachment.ifname.as_str();
        let ips: Vec<_> = body.ips_of(ifname).map(|ip| ip.address.addr()).collect();
        let mac = body.container_interface(ifname).and_then(|interface| interface.mac.clone());
        Ok(json!({"name": network.name(), "interface": ifname, "ips": ips, "mac": mac, "default": is_default}))
    }
}

fn run(dir: &Path) -> Result<(), Failure> {
    let plugins = std::env::var_os("CNI_PATH").unwrap_or_else(|| "/opt/cni/bin".into());
    let plugins: Vec<_> = std::env::split_paths(&plugins).collect();
    let watcher = Watcher::new(&ConfDir::new(dir.join("net.d")), &plugins)?;
    let cni = Cni::builder().plugin_dirs(plugins).cache_dir(dir.join("cache")).build()?;
    let daemon = Daemon::new(cni, watcher)?;
    daemon.recover()?;
    // Pods don't wait for each other. A client that asks for a pod again waits for the answer first.
    std::thread::scope(|scope| {
        for line in std::io::stdin().lines() {
            let (line, daemon) = (line?, &daemon);
            scope.spawn(move || match daemon.serve(&line) {
                Ok(status) => println!("{status}"),
                Err(error) => println!("{}", json!({"error": Chain(&*error).to_string()})),
            });
        }
        Ok(())
    })
}

fn main() -> ExitCode {
    let Some(dir) = std::env::args_os().nth(1) else {
        eprintln!("usage: networks DIR");
        return ExitCode::from(2);
    };
    run(Path::new(&dir)).map_or_else(
        |error| {
            eprintln!("networks: {}", Chain(&*error));
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
