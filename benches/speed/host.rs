//! The directories of a host, on the file system that the run was given, and the programs that are run.

use std::fs;
use std::path::{Path, PathBuf};

use libcni::conf::NetworkConfig;
use libcni::{Attachment, Cni};

/// The name of the network that is used.
pub(crate) const NETWORK: &str = "net";

/// The namespace of the containers, which the script made.
pub(crate) const NETNS: &str = "/run/netns/bench";

pub(crate) struct Host {
    dir: PathBuf,
    /// What the script built: `noop`, `spawner` and `peak`.
    programs: PathBuf,
    /// The tool, by how it was built.
    pub(crate) cnitool: [(&'static str, PathBuf); 2],
    /// Everything small and short, to see that it runs.
    pub(crate) quick: bool,
}

impl Host {
    pub(crate) fn new(dir: PathBuf, programs: PathBuf, cnitool: [PathBuf; 2], quick: bool) -> Self {
        let [dynamic, fixed] = cnitool;
        let cnitool = [("", dynamic), (", static build", fixed)];
        let host = Self { dir, programs, cnitool, quick };
        fs::create_dir_all(host.bin()).unwrap();
        fs::create_dir_all(host.net_d()).unwrap();
        fs::copy(host.program("noop"), host.noop()).unwrap();
        fs::write(host.net_d().join("10-net.conflist"), list(NETWORK, 1)).unwrap();
        host
    }

    /// So many, or fewer when only the run itself is of interest.
    pub(crate) fn count(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn bin(&self) -> PathBuf {
        self.path("bin")
    }

    pub(crate) fn noop(&self) -> PathBuf {
        self.path("bin/noop")
    }

    pub(crate) fn net_d(&self) -> PathBuf {
        self.path("net.d")
    }

    pub(crate) fn cni(&self) -> Cni {
        Cni::builder().plugin_dirs([self.bin()]).cache_dir(self.path("cache")).build().unwrap()
    }

    /// A fresh directory.
    pub(crate) fn empty(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        if path.exists() {
            fs::remove_dir_all(&path).unwrap();
        }
        fs::create_dir_all(&path).unwrap();
        path
    }
}

/// The text of a network of so many plugins that do nothing.
pub(crate) fn list(name: &str, plugins: usize) -> String {
    let plugins =
        vec![r#"{"type": "noop", "mtu": 1400, "ipam": {"type": "host-local", "subnet": "10.1.0.0/16"}}"#; plugins];
    format!(r#"{{"cniVersion": "1.1.0", "name": "{name}", "plugins": [{}]}}"#, plugins.join(", "))
}

pub(crate) fn network(plugins: usize) -> NetworkConfig {
    NetworkConfig::parse(&list(NETWORK, plugins)).unwrap()
}

pub(crate) fn attachment(container: &str) -> Attachment {
    // All are in one namespace, where each has an interface of its own.
    Attachment::new(container.parse().unwrap(), container.parse().unwrap()).netns(NETNS)
}

/// Reads every file of a directory whole.
pub(crate) fn read_all(dir: &Path) -> usize {
    let files = fs::read_dir(dir).unwrap();
    files.map(|file| fs::read(file.unwrap().path()).unwrap().len()).sum()
}
