//! A host in a directory: configurations, plugins that do as told, a cache, and a record of every call.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use libcni::conf::{ConfDir, NetworkConfig};
use libcni::runtime::Builder;
use libcni::{Attachment, Cni};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Prints its record when the test fails.
pub(crate) struct Sandbox {
    dir: TempDir,
    plugins: Vec<String>,
}

/// An attachment to a namespace that no plugin of a sandbox looks at.
#[track_caller]
pub(crate) fn attachment(container_id: &str, ifname: &str) -> Attachment {
    Attachment::new(container_id.parse().unwrap(), ifname.parse().unwrap()).netns("/run/netns/blue")
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["net.d", "bin", "behaviour", "calls"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        Self { dir, plugins: Vec::new() }
    }

    /// Installs the test double under these types, which make up the sandbox's network.
    pub(crate) fn plugins<const N: usize>(mut self, types: [&str; N]) -> Self {
        let double = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/plugin.sh");
        types.iter().for_each(|name| symlink(&double, self.bin().join(name)).unwrap());
        self.plugins.extend(types.map(str::to_owned));
        self
    }

    /// The behaviour of a plugin on a verb, in shell. It finds the record of the call in `$call` and the sandbox in
    /// `$home`.
    pub(crate) fn on(self, plugin: &str, verb: &str, shell: &str) -> Self {
        self.now_on(plugin, verb, shell);
        self
    }

    /// The same, for the calls from now on.
    pub(crate) fn now_on(&self, plugin: &str, verb: &str, shell: &str) {
        fs::write(self.path("behaviour").join(format!("{plugin}.{verb}")), shell).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn bin(&self) -> PathBuf {
        self.path("bin")
    }

    pub(crate) fn net_d(&self) -> PathBuf {
        self.path("net.d")
    }

    /// The library for this host, with a notice as good as an error.
    pub(crate) fn cni(&self) -> Cni {
        self.builder().build().unwrap()
    }

    /// The same, with more to be set.
    pub(crate) fn builder(&self) -> Builder {
        let cni = Cni::builder().plugin_dirs([self.bin()]).cache_dir(self.path("cache"));
        cni.timeout(Duration::from_secs(20)).on_notice(|notice| panic!("unexpected notice: {notice:?}"))
    }

    /// The text of the network of all plugins, named `net`, in the newest version.
    fn list(&self) -> Value {
        let plugins: Vec<Value> = self.plugins.iter().map(|name| json!({"type": name})).collect();
        json!({"cniVersion": "1.1.0", "name": "net", "plugins": plugins})
    }

    pub(crate) fn network(&self) -> NetworkConfig {
        self.network_with(json!({}))
    }

    /// The network with some keys of the list replaced.
    #[track_caller]
    pub(crate) fn network_with(&self, keys: Value) -> NetworkConfig {
        let mut list = self.list();
        let keys = keys.as_object().unwrap().clone();
        list.as_object_mut().unwrap().extend(keys);
        NetworkConfig::parse(&list.to_string()).unwrap()
    }

    /// Writes a file into the directory of configurations.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.net_d().join(name), content).unwrap();
        self
    }

    pub(crate) fn conf_dir(&self) -> ConfDir {
        ConfDir::new(self.net_d())
    }

    /// The names of the files in the cache.
    pub(crate) fn cached(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("cache/results")).into_iter().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Puts a file in the place of a cache entry.
    pub(crate) fn plant_cached(&self, name: &str, content: &str) {
        fs::create_dir_all(self.path("cache/results")).unwrap();
        fs::write(self.path("cache/results").join(name), content).unwrap();
    }

    fn call_dirs(&self) -> impl Iterator<Item = PathBuf> {
        let dirs = (1..).map(|n| self.path("calls").join(n.to_string()));
        dirs.take_while(|dir| dir.exists())
    }

    /// The calls so far, each as `VERB type`.
    pub(crate) fn calls(&self) -> Vec<String> {
        // No name yet: the plugin was ended before it had read its stdin.
        let name = |dir: PathBuf| fs::read_to_string(dir.join("name")).unwrap_or_default().trim().to_owned();
        self.call_dirs().map(name).collect()
    }

    pub(crate) fn forget_calls(&self) {
        self.call_dirs().collect::<Vec<_>>().iter().for_each(|dir| fs::remove_dir_all(dir).unwrap());
    }

    /// The record of the last call of a verb.
    #[track_caller]
    fn record_of(&self, plugin: &str, verb: &str) -> PathBuf {
        let wanted = format!("{verb} {plugin}");
        let last = self.calls().iter().rposition(|call| *call == wanted);
        let last = last.unwrap_or_else(|| panic!("no call {wanted}"));
        self.call_dirs().nth(last).unwrap()
    }

    /// The stdin that a plugin was given, byte for byte.
    #[track_caller]
    pub(crate) fn stdin_of(&self, plugin: &str, verb: &str) -> String {
        fs::read_to_string(self.record_of(plugin, verb).join("stdin")).unwrap()
    }

    #[track_caller]
    pub(crate) fn request_of(&self, plugin: &str, verb: &str) -> Value {
        serde_json::from_str(&self.stdin_of(plugin, verb)).unwrap()
    }

    /// The environment that a plugin was given, repeated variables included.
    #[track_caller]
    pub(crate) fn env_of(&self, plugin: &str, verb: &str) -> Vec<String> {
        let env = fs::read_to_string(self.record_of(plugin, verb).join("env")).unwrap();
        env.split_terminator('\0').map(str::to_owned).collect()
    }

    /// One variable of that environment.
    #[track_caller]
    pub(crate) fn variable_of(&self, plugin: &str, verb: &str, name: &str) -> String {
        let env = self.env_of(plugin, verb);
        let value = env.iter().find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("no {name} in {env:?}")).to_owned()
    }

    fn story(&self) -> String {
        let show = |path: PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).replace('\0', "\n    ");
        let mut story = String::from("calls of plugins:");
        for dir in self.call_dirs() {
            let part = |name| show(dir.join(name));
            story += &format!("\n- {}  env:\n    {}\n  stdin: {}", part("name"), part("env"), part("stdin"));
        }
        story += "\nbehaviour of plugins:";
        for entry in fs::read_dir(self.path("behaviour")).into_iter().flatten().flatten() {
            story += &format!("\n- {:?}: {}", entry.file_name(), show(entry.path()));
        }
        story
    }
}

impl Drop for Sandbox {
    #[allow(clippy::print_stderr, reason = "the only output that the test harness shows with the failure")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.story());
        }
    }
}
