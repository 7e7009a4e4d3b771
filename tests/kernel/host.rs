//! A host made of namespaces, with a container's namespace `blue` in it.

use std::ffi::OsString;
use std::fs;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use libcni::runtime::Notice;
use libcni::{Attachment, Cni};
use tempfile::TempDir;

/// Where Debian's package containernetworking-plugins puts them.
pub(crate) const PLUGINS: &str = "/usr/lib/cni";

/// Tells the test program which test it is to run, in the namespaces that it was started in.
const INSIDE: &str = "LIBCNI_TEST_INSIDE";

/// What every test needs of its host, as a shell sees it.
const PROBE: &str = "mount -t tmpfs tmpfs /run && ip netns add probe && ip link add probe type bridge &&
    ip link set lo up && echo 1 >/proc/sys/net/ipv4/ip_forward";
/// What Debian's plugins need besides.
const PROBE_IPTABLES: &str = "mount -t tmpfs tmpfs /run && iptables -t nat -N PROBE && iptables-save >/dev/null";

/// The name of the test that this process is to run.
pub(crate) fn asked_for() -> Option<String> {
    std::env::var_os(INSIDE).map(|name| name.into_string().unwrap())
}

/// True if a notice says which delegate's error it is that a plugin returns.
fn is_of_failure(notice: &Notice<'_>) -> bool {
    let Notice::Stderr { text, .. } = notice else { return false };
    text.starts_with(b"plugin `") && notice.to_string().contains(" failed on ")
}

/// A command in new namespaces; without root, in a user namespace that has one.
fn isolated(program: impl Into<OsString>) -> Command {
    let mut command = Command::new("unshare");
    if !is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--net", "--mount", "--propagation", "private", "--"]).arg(program.into());
    command.stdin(Stdio::null());
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Why this machine can't run tests with Debian's plugins, if it can't.
pub(crate) fn missing() -> Option<String> {
    lacks_plugins(Path::new(PLUGINS), &["bridge", "firewall", "host-local", "portmap", "tuning", "loopback"])
        .or_else(|| lacks(PROBE))
        .or_else(|| lacks(PROBE_IPTABLES))
}

/// Why this machine can't run tests with the plugins of a directory, if it can't.
pub(crate) fn lacks_plugins(dir: &Path, plugins: &[&str]) -> Option<String> {
    let absent = plugins.iter().map(|plugin| dir.join(plugin)).find(|path| !path.exists());
    absent.map(|path| format!("no {}", path.display()))
}

/// Why this machine has no hosts made of namespaces, or no host in which a shell command succeeds, if it has none.
pub(crate) fn lacks_host(command: &str) -> Option<String> {
    lacks(PROBE).or_else(|| lacks(command))
}

fn lacks(command: &str) -> Option<String> {
    match isolated("sh").args(["-c", command]).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("fails: {command}: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Some(format!("no unshare: {error}")),
    }
}

/// Runs a test of this program in namespaces of its own.
pub(crate) fn run(name: &str) -> Result<(), String> {
    let mut command = isolated(std::env::current_exe().unwrap());
    let output = command.env(INSIDE, name).output().map_err(|e| format!("{command:?}: {e}"))?;
    if output.status.success() { Ok(()) } else { Err(told(&command, &output)) }
}

/// Runs a test here, and shows the state of the host when it fails.
pub(crate) fn run_inside(test: fn(&Host)) -> ExitCode {
    let host = Host::new();
    if catch_unwind(AssertUnwindSafe(|| test(&host))).is_ok() {
        return ExitCode::SUCCESS;
    }
    for command in ["ip -o addr", "ip -n blue -o addr", "nft list ruleset", "iptables-save", "find ."] {
        let output = host.shell(command).output().unwrap();
        let _ = std::io::Write::write_all(&mut std::io::stderr(), told_short(command, &output).as_bytes());
    }
    ExitCode::FAILURE
}

fn told_short(command: &str, output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("$ {command}\n{}{}", text(&output.stdout), text(&output.stderr))
}

fn told(command: &Command, output: &Output) -> String {
    told_short(&format!("{command:?}"), output) + &output.status.to_string()
}

/// Waits until something holds, but not for ever.
pub(crate) fn eventually(mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() && began.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) struct Host {
    dir: TempDir,
}

impl Host {
    fn new() -> Self {
        let host = Self { dir: tempfile::tempdir().unwrap() };
        // Names of namespaces and the lock of iptables are in /run.
        host.run("mount -t tmpfs tmpfs /run");
        host.run("ip link set lo up");
        host.run("ip netns add blue");
        host
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A `PATH` for plugins, without ip6tables: with it, CHECK of portmap 1.1.1 looks for the IPv4 rules among those
    /// of IPv6, and always fails.
    pub(crate) fn plugin_path(&self) -> PathBuf {
        self.run("mkdir -p sbin && ln -sf $(command -v iptables) sbin/iptables");
        self.path("sbin")
    }

    /// The library with Debian's plugins.
    pub(crate) fn cni(&self) -> Cni {
        let path = [("PATH", self.plugin_path())];
        self.cni_with([PLUGINS]).to_builder().env(path).build().unwrap()
    }

    /// The library with the plugins of directories.
    pub(crate) fn cni_with(&self, dirs: impl IntoIterator<Item = impl Into<PathBuf>>) -> Cni {
        // Fifty plugins at once take minutes in an emulator.
        let patience = Duration::from_secs(300);
        let cni = Cni::builder().plugin_dirs(dirs).cache_dir(self.path("cache")).timeout(patience);
        cni.on_notice(|notice| assert!(is_of_failure(notice), "unexpected notice: {notice}")).build().unwrap()
    }

    /// The attachment of the namespace `blue`.
    pub(crate) fn attachment(&self) -> Attachment {
        Attachment::new("c1".parse().unwrap(), "eth0".parse().unwrap()).netns("/run/netns/blue")
    }

    pub(crate) fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    /// A process in the container's namespace.
    pub(crate) fn inside_blue(&self, line: &str) -> Child {
        let mut command = Command::new("nsenter");
        command.arg("--net=/run/netns/blue").args(line.split(' ')).stdin(Stdio::null());
        let child = command.spawn().unwrap();
        let inside = || fs::read_link(format!("/proc/{}/ns/net", child.id())).ok();
        while inside() == fs::read_link("/proc/self/ns/net").ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child
    }

    /// What a shell command prints; it must succeed.
    #[track_caller]
    pub(crate) fn run(&self, line: &str) -> String {
        self.run_command(&mut self.shell(line))
    }

    #[track_caller]
    pub(crate) fn run_command(&self, command: &mut Command) -> String {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", told(command, &output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The addresses that host-local has given away.
    pub(crate) fn reservations(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("ipam/net")).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.retain(|name| name.parse::<IpAddr>().is_ok());
        names.sort();
        names
    }

    /// Checks that no attachment is left anywhere.
    #[track_caller]
    pub(crate) fn has_no_trace(&self) {
        // The kernel takes the links of a deleted namespace down in its own time.
        let links = || self.run("ip -o link show type veth");
        eventually(|| links().is_empty());
        assert_eq!(links(), "");
        assert_eq!(self.reservations(), Vec::<String>::new());
        // Rules for a container name it in a comment; those that are shared by all stay.
        let rules = self.run("iptables-save");
        assert!(!rules.contains("id: ") && !rules.contains("-A CNI-DN-"), "{rules}");
        assert_eq!(fs::read_dir(self.path("cache/results")).into_iter().flatten().count(), 0);
    }
}
