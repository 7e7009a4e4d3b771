//! A pod runtime on tokio that outlives its own death: it keeps pods on the default network, each with two mapped
//! ports.
//!
//!     pods DIR COUNT
//!
//! DIR has `net.d`, and gets `netns` and `cache`; CNI_PATH says where plugins are. When it starts, it takes over the
//! pods that an earlier run left, whatever ended that, and makes those that are missing. When its stdin ends, it
//! removes all.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a program talks to its user")]

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use libcni::cache::Key;
use libcni::conf::{ConfDir, NetworkConfig};
use libcni::netns::{self, Namespace, Pin};
use libcni::runtime::{Keep, OnMissingPlugin};
use libcni::spec::Pod;
use libcni::spec::capability::PortMapping;
use libcni::{AsyncCni, Attachment, Chain, Cni};
use tokio::task::JoinSet;

type Failure = Box<dyn Error + Send + Sync>;

/// The first of the ports on the host.
const PORTS: u16 = 20_000;

struct Runtime {
    cni: AsyncCni,
    network: NetworkConfig,
    namespaces: PathBuf,
}

impl Runtime {
    fn new(dir: &Path) -> Result<Self, Failure> {
        let mut cni = Cni::builder().cache_dir(dir.join("cache"));
        if let Some(path) = std::env::var_os("CNI_PATH") {
            cni = cni.plugin_dirs(std::env::split_paths(&path));
        }
        let network = ConfDir::new(dir.join("net.d")).default_network()?.network;
        let namespaces = dir.join("netns");
        fs::create_dir_all(&namespaces)?;
        Ok(Self { cni: cni.build()?.into_async(), network, namespaces })
    }

    fn attachment(&self, number: u16) -> Result<Attachment, Failure> {
        let name = format!("pod-{number}");
        let ports = [PortMapping::tcp(PORTS + number, 80), PortMapping::udp(PORTS + number, 53)];
        let attachment = Attachment::new(name.parse()?, "eth0".parse()?).netns(self.namespaces.join(&name));
        Ok(attachment.pod(&Pod::new("default", &name))?.port_mappings(&ports))
    }

    /// Makes good what an earlier run did not finish, and returns the names of the pods that it finished.
    async fn recover(&self) -> Result<BTreeSet<String>, Failure> {
        // Deletes attachments that were only begun, and those without a namespace; plugins get the list of those that
        // stay.
        self.cni.gc(&self.network, &Keep::Live(Vec::new())).await?;
        let namespaces = self.namespaces.clone();
        let recover = move |cni: &Cni| {
            let mut pods = BTreeSet::new();
            for attached in cni.cache().inventory()?.attached {
                if attached.is_finished() {
                    pods.insert(attached.entry.container_id);
                } else {
                    // The default network was another one then.
                    cni.del_cached(&Key::of(&attached.entry)?, OnMissingPlugin::Stop)?;
                }
            }
            for namespace in fs::read_dir(namespaces)? {
                let namespace = namespace?;
                if !namespace.file_name().to_str().is_some_and(|name| pods.contains(name)) {
                    netns::remove(namespace.path())?;
                }
            }
            Ok::<_, Failure>(pods)
        };
        self.cni.run(recover).await
    }

    /// Makes a pod, or nothing.
    async fn start(&self, number: u16) -> Result<(), Failure> {
        let attachment = self.attachment(number)?;
        let path = self.namespaces.join(attachment.container_id.as_str());
        let pin = self.cni.run(move |_| make_namespace(&path)).await?;
        let result = self.cni.add_with_rollback(&self.network, &attachment).await?;
        pin.keep();
        let addresses: Vec<_> = result.addresses("eth0").iter().map(ToString::to_string).collect();
        println!("{} {}", attachment.container_id, addresses.join(" "));
        Ok(())
    }

    async fn stop(&self, number: u16) -> Result<(), Failure> {
        let attachment = self.attachment(number)?;
        self.cni.del(&self.network, &attachment).await?;
        let path = self.namespaces.join(attachment.container_id.as_str());
        self.cni.run(move |_| Ok::<_, Failure>(netns::remove(path)?)).await
    }
}

fn make_namespace(path: &Path) -> Result<Pin, Failure> {
    let pin = Namespace::create()?.pin(path)?;
    pin.namespace().bring_loopback_up()?;
    Ok(pin)
}

/// Runs a task for each pod at the same time, and returns the first error once all have ended.
async fn for_each<F>(pods: impl Iterator<Item = u16>, task: impl Fn(u16) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let tasks: JoinSet<_> = pods.map(task).collect();
    tasks.join_all().await.into_iter().collect()
}

async fn run(dir: &Path, count: u16) -> Result<(), Failure> {
    let runtime = Arc::new(Runtime::new(dir)?);
    let up = runtime.recover().await?;
    up.iter().for_each(|pod| println!("{pod} is still there"));
    let missing = (1..=count).filter(|number| !up.contains(&format!("pod-{number}")));
    let start = |number| {
        let runtime = Arc::clone(&runtime);
        async move { runtime.start(number).await }
    };
    let started = for_each(missing, start).await;
    if started.is_ok() {
        println!("ready");
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    }
    let stop = |number| {
        let runtime = Arc::clone(&runtime);
        async move { runtime.stop(number).await }
    };
    let stopped = for_each(1..=count, stop).await;
    started.and(stopped)
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let dir = arguments.next().map(PathBuf::from);
    let count = arguments.next().and_then(|count| count.to_str()?.parse().ok());
    let (Some(dir), Some(count)) = (dir, count) else {
        eprintln!("usage: pods DIR COUNT");
        return ExitCode::from(2);
    };
    match run(&dir, count).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pods: {}", Chain(&*error));
            ExitCode::FAILURE
        }
    }
}
