//! Plugins killed in the middle of ADD: the DEL that follows leaves nothing behind.
//!
//! `LIBCNI_KILLS` says how often each test kills; `LIBCNI_KILLS=500 cargo test --test kernel killed` takes a minute.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use nix::libc::{SYS_sendto, c_long};
use nix::sys::ptrace;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::{DUAL_STACK, bridge, ipam, plugins};
use crate::Test;
use crate::host::Host;
use crate::traffic::{HOST, Sender, serve_udp};

pub(crate) const TESTS: &[Test] = &[
    ("ours::killed::bridge_killed_at_any_moment_leaves_nothing", bridge_killed_at_any_moment),
    ("ours::killed::an_address_is_not_given_to_nobody", an_address_is_not_given_to_nobody),
    ("ours::killed::portmap_killed_at_any_moment_leaves_nothing", portmap_killed_at_any_moment),
    ("ours::killed::a_del_of_portmap_that_was_killed_can_be_made_good", portmap_killed_in_del),
];

pub(super) fn kills() -> u32 {
    std::env::var_os("LIBCNI_KILLS").map_or(40, |kills| kills.into_string().unwrap().parse().unwrap())
}

/// Starts a plugin as a runtime does.
fn start(verb: &str, config: &Value) -> Child {
    let mut child = start_paused(verb, config);
    child.stdin.take().unwrap().write_all(config.to_string().as_bytes()).unwrap();
    child
}

/// The same, but for its configuration, which it waits for.
pub(super) fn start_paused(verb: &str, config: &Value) -> Child {
    let dir = plugins();
    let mut command = Command::new(dir.join(config["type"].as_str().unwrap()));
    command.env("CNI_COMMAND", verb).env("CNI_CONTAINERID", "c1").env("CNI_IFNAME", "eth0");
    command.env("CNI_NETNS", "/run/netns/blue").env("CNI_PATH", dir);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Runs a plugin to its end, and returns its answer.
#[track_caller]
pub(super) fn succeeds(verb: &str, config: &Value) -> Value {
    let output = start(verb, config).wait_with_output().unwrap();
    assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// Kills ADD again and again, after times that are spread over all that it takes, and runs DEL each time.
fn kill_and_delete(config: &Value) {
    let began = Instant::now();
    succeeds("ADD", config);
    let whole = began.elapsed();
    succeeds("DEL", config);
    let kills = kills();
    for n in 0..kills {
        let mut add = start("ADD", config);
        // A little more than the whole: some come too late.
        std::thread::sleep(whole.mul_f64(1.1 * f64::from(n) / f64::from(kills)));
        add.kill().unwrap();
        drop(add.stdout.take());
        add.wait().unwrap();
        succeeds("DEL", config);
    }
    // An IPAM plugin that outlived its caller has had its time.
    std::thread::sleep(Duration::from_millis(200));
}

fn bridge_killed_at_any_moment(host: &Host) {
    kill_and_delete(&json!({"cniVersion": "1.1.0", "name": "net", "type": "bridge", "bridge": "cni0",
        "isDefaultGateway": true, "ipMasq": true, "macspoofchk": true, "ipam": ipam(host, DUAL_STACK)}));
    host.is_clean();
    assert_eq!(host.run("ip -n blue -o link show type veth"), "");
}

fn an_address_is_not_given_to_nobody(host: &Host) {
    let config = json!({"cniVersion": "1.1.0", "name": "net", "type": "host-local", "ipam": ipam(host, DUAL_STACK)});
    std::fs::create_dir_all(host.path("ipam/net")).unwrap();
    let lock = std::fs::File::create(host.path("ipam/net/lock")).unwrap();
    let lock = Flock::lock(lock, FlockArg::LockExclusive).unwrap();
    // It waits for the lock, and meanwhile its caller goes away, and DEL comes and finds nothing.
    let mut add = start("ADD", &config);
    drop(add.stdout.take());
    drop(lock);
    assert!(!add.wait().unwrap().success());
    host.is_clean();
}

fn portmap_killed_at_any_moment(host: &Host) {
    let ports: Vec<_> = (8000..8020).map(|port| json!({"hostPort": port, "containerPort": 80})).collect();
    kill_and_delete(&json!({"cniVersion": "1.1.0", "name": "net", "type": "portmap",
        "prevResult": {"cniVersion": "1.0.0", "ips": [{"address": "10.77.0.2/24"}, {"address": "fd00:77::2/64"}]},
        "runtimeConfig": {"portMappings": ports}}));
    host.is_clean();
}

fn portmap_killed_in_del(host: &Host) {
    host.make_world();
    let network = bridge(host, json!({}));
    host.add(&network, "blue");
    let config = json!({"cniVersion": "1.1.0", "name": "net", "type": "portmap",
        "prevResult": {"cniVersion": "1.0.0", "ips": [{"address": "10.77.0.2/24"}]},
        "runtimeConfig": {"portMappings": [{"hostPort": 5353, "containerPort": 53, "protocol": "udp"}]}});
    serve_udp(HOST, 5353);
    serve_udp("blue", 53);
    // Without any port mapped, the kernel would leave even known connections as they are.
    let mut neighbour = config.clone();
    neighbour["name"] = json!("neighbours");
    neighbour["runtimeConfig"]["portMappings"][0]["hostPort"] = json!(5354);
    succeeds("ADD", &neighbour);
    // At one message to the kernel after another, until it is through.
    for messages in 0.. {
        succeeds("ADD", &config);
        let sender = Sender::new("world", "192.0.2.1:5353");
        sender.is_answered_by("blue");
        let is_through = kill_at(messages, start_paused("DEL", &config), &config);
        succeeds("DEL", &config);
        // A client that keeps on sending must not get to whoever has the address next.
        sender.is_answered_by(HOST);
        if is_through {
            break;
        }
    }
    succeeds("DEL", &neighbour);
    host.del(&network, "blue");
    host.is_clean();
}

/// Gives a plugin its configuration and kills it when it has sent so many messages, or is about to send one more; says
/// whether it came to its end before.
pub(super) fn kill_at(messages: u32, mut plugin: Child, config: &Value) -> bool {
    let is_through = run_until(messages, &mut plugin, config).is_some();
    if !is_through {
        plugin.kill().unwrap();
        waitpid(Pid::from_raw(plugin.id().try_into().unwrap()), None).unwrap();
    }
    is_through
}

/// How many messages a plugin sends to the kernel for a configuration.
pub(super) fn messages(verb: &str, config: &Value) -> u32 {
    run_until(u32::MAX, &mut start_paused(verb, config), config).expect("it comes to its end")
}

/// Gives a plugin its configuration and lets it run until it has sent so many messages, or is about to send one more.
/// Where it comes to its end before, says how many it has sent.
fn run_until(messages: u32, plugin: &mut Child, config: &Value) -> Option<u32> {
    let mut sending = 0;
    let is_through = follow(plugin, config, |call| {
        // It stops twice: before and after.
        sending += u32::from(call == SYS_sendto);
        sending <= messages
    });
    is_through.then_some(sending / 2)
}

/// Gives a plugin its configuration and lets it run, but for a stop before and after each system call: `goes_on` is
/// given the number of the call. Says whether it came to its end.
pub(super) fn follow(plugin: &mut Child, config: &Value, mut goes_on: impl FnMut(c_long) -> bool) -> bool {
    let pid = Pid::from_raw(plugin.id().try_into().unwrap());
    ptrace::seize(pid, ptrace::Options::PTRACE_O_EXITKILL).unwrap();
    ptrace::interrupt(pid).unwrap();
    waitpid(pid, None).unwrap();
    plugin.stdin.take().unwrap().write_all(config.to_string().as_bytes()).unwrap();
    let mut call = None;
    while call.is_none_or(&mut goes_on) {
        ptrace::syscall(pid, None).unwrap();
        if let WaitStatus::Exited(..) = waitpid(pid, None).unwrap() {
            return true;
        }
        let shown = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap();
        call = shown.split(' ').next().and_then(|number| number.parse().ok());
    }
    false
}
