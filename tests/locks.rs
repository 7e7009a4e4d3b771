//! Locks: across threads, across processes, and after the death of a holder.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use libcni::CancelToken;
use libcni::lock::{FileLocks, Guard, LockError, Locking, Mode, Resource, Wanted};
use libcni::spec::{Command as Verb, ContainerId, NetworkName};
use libcni::{Cni, Error};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::support::{Sandbox, attachment, chain, eventually, is_gone, pid_in};

struct Locks {
    dir: TempDir,
    locks: FileLocks,
}

impl Locks {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let locks = FileLocks::new(dir.path().join("cni")).patience(Duration::from_millis(30));
        Self { dir, locks }
    }

    fn container(&self, id: &str) -> Result<Guard, LockError> {
        let id: ContainerId = id.parse().unwrap();
        self.locks.lock(&Wanted::new(Resource::Container(&id), Mode::Exclusive))
    }

    fn network(&self, mode: Mode) -> Result<Guard, LockError> {
        let name: NetworkName = "net".parse().unwrap();
        self.locks.lock(&Wanted::new(Resource::Network(&name), mode))
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path().join("cni")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

#[test]
fn a_container_is_held_by_one_at_a_time() {
    let own = Locks::new();
    let held = own.container("c1").unwrap();
    own.container("c2").unwrap();
    let error = own.container("c1").unwrap_err();
    assert!(matches!(error, LockError::Held { .. }) && error.is_retryable(), "{error:?}");
    drop(held);
    own.container("c1").unwrap();
}

#[test]
fn a_holder_is_named() {
    let own = Locks::new();
    let _held = own.container("c1").unwrap();
    let error = own.container("c1").unwrap_err().to_string();
    let expected = format!("container `c1` is in use by process {} (", std::process::id());
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn a_network_is_shared_unless_it_is_wanted_alone() {
    let own = Locks::new();
    let shared = (own.network(Mode::Shared).unwrap(), own.network(Mode::Shared).unwrap());
    own.network(Mode::Exclusive).unwrap_err();
    drop(shared);
    let alone = own.network(Mode::Exclusive).unwrap();
    own.network(Mode::Shared).unwrap_err();
    drop(alone);
    own.network(Mode::Shared).unwrap();
}

#[test]
fn no_file_is_left_of_a_lock_that_was_given_back() {
    let own = Locks::new();
    let held = (own.network(Mode::Shared).unwrap(), own.network(Mode::Shared).unwrap(), own.container("c1").unwrap());
    assert_eq!(own.files().len(), 2);
    drop(held);
    assert_eq!(own.files(), Vec::<String>::new());
}

#[test]
fn names_that_are_too_long_for_a_file_are_locked_apart() {
    let own = Locks::new();
    let [one, other] = ["a", "b"].map(|end| "x".repeat(400) + end);
    let _held = own.container(&one).unwrap();
    own.container(&other).unwrap();
    own.container(&one).unwrap_err();
}

#[test]
fn a_planted_link_or_fifo_is_not_locked_through() {
    let own = Locks::new();
    let victim = own.dir.path().join("victim");
    fs::write(&victim, "").unwrap();
    fs::create_dir(own.dir.path().join("cni")).unwrap();
    std::os::unix::fs::symlink(&victim, own.dir.path().join("cni/.lock-container-c1")).unwrap();
    nix::unistd::mkfifo(&own.dir.path().join("cni/.lock-container-c2"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for id in ["c1", "c2"] {
        assert!(matches!(own.container(id).unwrap_err(), LockError::Io { .. }));
    }
    assert_eq!(fs::read(&victim).unwrap(), b"");
}

#[test]
fn waiting_can_be_cancelled() {
    let own = Locks::new();
    let locks = own.locks.clone().patience(Duration::from_secs(60));
    let _held = own.container("c1").unwrap();
    let token = CancelToken::new().unwrap();
    token.cancel().unwrap();
    let id: ContainerId = "c1".parse().unwrap();
    let wanted = Wanted::new(Resource::Container(&id), Mode::Exclusive).cancel(&token);
    assert!(matches!(locks.lock(&wanted).unwrap_err(), LockError::Cancelled { .. }));
}

#[test]
fn many_threads_take_turns() {
    let own = Locks::new();
    let locks = own.locks.clone().patience(Duration::from_secs(60));
    let inside = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let id: ContainerId = "c1".parse().unwrap();
                start.wait();
                for _ in 0..50 {
                    let _held = locks.lock(&Wanted::new(Resource::Container(&id), Mode::Exclusive)).unwrap();
                    assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(own.files(), Vec::<String>::new());
}

/// Starts `cnitool add net NETNS` whose plugin hangs, and waits for that; `$home/pid` has the plugin's number.
#[cfg(feature = "cli")]
fn hanging_add(sandbox: &Sandbox) -> std::process::Child {
    hanging_add_after(sandbox, ":")
}

/// The same, after the plugin did this.
#[cfg(feature = "cli")]
fn hanging_add_after(sandbox: &Sandbox, shell: &str) -> std::process::Child {
    sandbox.now_on("one", "ADD", &format!("{shell}; echo $$ >$home/pid; exec sleep 100"));
    let mut tool: Command = sandbox.cnitool(["add", "net", "/dev/null", "--container-id", "c1"]);
    let child = tool.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    pid_in(&sandbox.path("pid"));
    child
}

fn impatient(sandbox: &Sandbox) -> Cni {
    sandbox.builder().lock_timeout(Duration::from_millis(50)).build().unwrap()
}

#[test]
#[cfg(feature = "cli")]
fn operations_of_two_processes_on_one_container_wait_for_each_other() {
    let sandbox = Sandbox::new().plugins(["one"]).configured();
    let mut tool = hanging_add(&sandbox);
    let attachment = attachment("c1", "eth1");
    for error in [
        impatient(&sandbox).add(&sandbox.network(), &attachment).unwrap_err(),
        impatient(&sandbox).del(&sandbox.network(), &attachment).unwrap_err(),
        impatient(&sandbox).check(&sandbox.network(), &attachment).unwrap_err(),
        impatient(&sandbox).gc(&sandbox.network(), &libcni::runtime::Keep::Nothing).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Lock(LockError::Held { .. })) && error.is_retryable(), "{error:?}");
        assert!(chain(&error).contains(&format!("process {} (cnitool)", tool.id())), "{error}");
    }
    assert_eq!(sandbox.calls(), ["ADD one"]);
    tool.kill().unwrap();
    tool.wait().unwrap();
}

#[test]
#[cfg(feature = "cli")]
fn what_a_killed_process_began_is_ended_and_deleted() {
    for clean_up in [
        |cni: Cni, sandbox: &Sandbox| cni.del(&sandbox.network(), &attachment("c1", "eth0")),
        |cni: Cni, sandbox: &Sandbox| cni.gc(&sandbox.network(), &libcni::runtime::Keep::Nothing),
    ] {
        let sandbox = Sandbox::new().plugins(["one"]).configured();
        let mut tool = hanging_add(&sandbox);
        tool.kill().unwrap();
        tool.wait().unwrap();
        let plugin = pid_in(&sandbox.path("pid"));
        assert!(!is_gone(plugin), "the plugin outlives the tool");
        assert_eq!(sandbox.cni().cache().unfinished().unwrap().entries.len(), 1);
        assert_eq!(sandbox.cni().cache().attachments(None).unwrap().entries, []);
        clean_up(sandbox.cni(), &sandbox).unwrap();
        eventually("the plugin ends", || is_gone(plugin));
        assert!(sandbox.calls().contains(&format!("{} one", Verb::Del)), "{:?}", sandbox.calls());
        assert_eq!(sandbox.cni().cache().unfinished().unwrap().entries, []);
        let left: Vec<_> = fs::read_dir(sandbox.path("cache")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| name == "results"), "{left:?}");
    }
}

#[test]
#[cfg(feature = "cli")]
fn a_daemon_that_a_plugin_started_on_purpose_lives_on() {
    // In a session of its own, with somebody who reads what it says.
    let daemon = "setsid sh -c 'echo $$ >$0; exec sleep 300' $home/daemon | setsid cat >/dev/null &";
    let sandbox = Sandbox::new().plugins(["one"]).configured();
    let mut tool = hanging_add_after(&sandbox, &format!("{{ {daemon} }} 2>/dev/null"));
    let daemon = pid_in(&sandbox.path("daemon"));
    tool.kill().unwrap();
    tool.wait().unwrap();
    sandbox.cni().del(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    assert!(is_gone(pid_in(&sandbox.path("pid"))) && !is_gone(daemon));
    kill(Pid::from_raw(daemon), Signal::SIGKILL).unwrap();
}

#[test]
fn an_embedder_can_bring_its_own_locking() {
    #[derive(Debug)]
    struct Never;
    impl Locking for Never {
        fn lock(&self, wanted: &Wanted<'_>) -> Result<Guard, LockError> {
            Err(LockError::cancelled(wanted.resource))
        }
    }
    let sandbox = Sandbox::new().plugins(["one"]);
    let error = sandbox
        .builder()
        .locking(Never)
        .build()
        .unwrap()
        .add(&sandbox.network(), &attachment("c1", "eth0"))
        .unwrap_err();
    assert!(matches!(error, Error::Lock(LockError::Cancelled { .. })), "{error:?}");
    assert_eq!(sandbox.calls(), Vec::<String>::new());
}

#[test]
fn two_hundred_containers_are_added_at_once() {
    let sandbox = Sandbox::new();
    let network =
        libcni::conf::NetworkConfig::parse(r#"{"cniVersion":"1.0.0","name":"net","plugins":[{"type":"one"}]}"#);
    let (network, exec) = (network.unwrap(), crate::support::FakeExec::new(|_| crate::support::printing("{}")));
    let cni = sandbox.builder().exec(exec).build().unwrap();
    std::thread::scope(|scope| {
        for number in 0..200 {
            let (cni, network) = (&cni, &network);
            scope.spawn(move || cni.add(network, &attachment(&format!("c{number}"), "eth0")).unwrap());
        }
    });
    assert_eq!(sandbox.cached().len(), 200);
    assert_eq!(cni.cache().unfinished().unwrap().entries, []);
}
