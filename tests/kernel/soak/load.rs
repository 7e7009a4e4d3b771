//! Verbs without end, some of which come to a bad one.

use std::fs;
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use libcni::conf::NetworkConfig;
use libcni::spec::capability::{PortMapping, Protocol};
use libcni::{AsyncCni, Attachment, Cni};
use serde_json::json;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::killed::kill_one;
use crate::host::Host;
use crate::ours::plugins;

/// How many containers come and go at once.
const WORKERS: usize = 8;

/// How many verbs were run, and what happened to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    pub(super) verbs: usize,
    pub(super) killed: usize,
    pub(super) dropped: usize,
    pub(super) failed: usize,
}

/// The containers, and who connects them.
pub(super) struct Load {
    workers: Vec<Worker>,
    done: Arc<Mutex<Done>>,
}

#[derive(Clone)]
struct Worker {
    number: usize,
    cni: AsyncCni,
    network: Arc<NetworkConfig>,
    tool: Arc<Vec<String>>,
    done: Arc<Mutex<Done>>,
}

impl Load {
    pub(super) fn new(host: &Host) -> Self {
        let ipam = json!({"type": "host-local", "dataDir": host.path("ipam"), "subnet": "10.77.0.0/24"});
        let bridge =
            json!({"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipMasq": true, "ipam": ipam});
        let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
        let list = json!({"cniVersion": "1.1.0", "name": "net", "plugins": [bridge, portmap]}).to_string();
        fs::create_dir(host.path("net.d")).unwrap();
        fs::write(host.path("net.d/net.conflist"), &list).unwrap();
        // Flows of clients that nobody forgets stay longer than this takes, and what else is tracked goes at once.
        for (kind, seconds) in [("udp", 86_400), ("icmp", 1), ("generic", 1)] {
            host.run(&format!("echo {seconds} >/proc/sys/net/netfilter/nf_conntrack_{kind}_timeout || true"));
        }
        let options =
            [("--cache-dir", host.path("cache")), ("--conf-dir", host.path("net.d")), ("--plugin-dir", plugins())];
        let text = |(option, path): (&str, std::path::PathBuf)| [option.to_owned(), path.to_str().unwrap().to_owned()];
        let tool = Arc::new(options.into_iter().flat_map(text).collect());
        let cni = Cni::builder().plugin_dirs([plugins()]).cache_dir(host.path("cache")).on_notice(|_| {});
        let cni = cni.timeout(Duration::from_secs(300)).build().unwrap().into_async();
        let network = Arc::new(NetworkConfig::parse(&list).unwrap());
        let done = Arc::new(Mutex::new(Done::default()));
        let worker = |number| {
            host.run(&format!("ip netns add w{number}"));
            Worker { number, cni: cni.clone(), network: network.clone(), tool: Arc::clone(&tool), done: done.clone() }
        };
        Self { workers: (0..WORKERS).map(worker).collect(), done: done.clone() }
    }

    /// Runs that many verbs.
    pub(super) async fn run(&self, verbs: usize) {
        let pairs = verbs / 2;
        let share = |worker: &Worker| pairs / WORKERS + usize::from(worker.number < pairs % WORKERS);
        let tasks: Vec<_> = self.workers.iter().map(|w| tokio::spawn(w.clone().run(share(w)))).collect();
        for task in tasks {
            task.await.unwrap();
        }
        self.workers[0].cni.settled().await;
    }

    pub(super) fn done(&self) -> Done {
        self.done.lock().unwrap().clone()
    }
}

/// Random enough, and the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }

    /// A moment of a verb.
    fn moment(&mut self) -> Duration {
        Duration::from_micros(self.below(40_000) as u64)
    }
}

impl Worker {
    async fn run(self, pairs: usize) {
        let mut random = Random(self.number as u64);
        for _ in 0..pairs {
            if self.verb("add", &mut random).await {
                // A client that is tracked, and must be forgotten.
                let port = self.port();
                let _ = UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.send_to(b"hello", ("10.77.0.1", port)));
            }
            for attempt in 0.. {
                assert!(attempt < 50, "DEL of {} does not come to its end", self.number);
                if self.verb("del", &mut random).await {
                    break;
                }
            }
            self.done.lock().unwrap().verbs += 2;
        }
    }

    fn port(&self) -> u16 {
        8000 + u16::try_from(self.number).unwrap()
    }

    /// Runs a verb, by the tool or by this process, and says whether it succeeded. Of a hundred, one or two are killed,
    /// and five are given up.
    async fn verb(&self, verb: &'static str, random: &mut Random) -> bool {
        let (kill, drop) = (random.below(70) == 0, random.below(20) == 0);
        if kill {
            let (moment, number, done) = (random.moment(), random.below(1000), Arc::clone(&self.done));
            tokio::spawn(async move {
                sleep(moment).await;
                let killed = spawn_blocking(move || kill_one(number)).await.unwrap();
                done.lock().unwrap().killed += usize::from(killed);
            });
        }
        let succeeded = match random.below(3) {
            0 => self.by_tool(verb).await,
            _ if drop => timeout(random.moment(), self.by_library(verb)).await.unwrap_or_else(|_| {
                self.done.lock().unwrap().dropped += 1;
                false
            }),
            _ => self.by_library(verb).await,
        };
        self.done.lock().unwrap().failed += usize::from(!succeeded);
        succeeded
    }

    async fn by_library(&self, verb: &str) -> bool {
        let (id, netns) = (format!("w{}", self.number), format!("/run/netns/w{}", self.number));
        let mut attachment = Attachment::new(id.parse().unwrap(), "eth0".parse().unwrap()).netns(netns);
        attachment.capability_args.set_port_mappings(&[PortMapping::new(Protocol::Udp, self.port(), 80)]);
        match verb {
            "add" => self.cni.add(&self.network, &attachment).await.is_ok(),
            _ => self.cni.del(&self.network, &attachment).await.is_ok(),
        }
    }

    async fn by_tool(&self, verb: &str) -> bool {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cnitool"));
        let (id, netns) = (format!("w{}", self.number), format!("/run/netns/w{}", self.number));
        let port = json!({"portMappings": [{"hostPort": self.port(), "containerPort": 80, "protocol": "udp"}]});
        command.args([verb, "net", &netns, "--container-id", &id, "--cap", &port.to_string()]).args(&*self.tool);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        spawn_blocking(move || command.status().unwrap().success()).await.unwrap()
    }
}
