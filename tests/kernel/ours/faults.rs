//! Every system call fails once, or is where the program is killed.
//!
//! By default each call of each verb is tried with one of the errors in turn, the last time that it is made.
//! `scripts/faults.sh` tries all of them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::plugins;
use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("ours::faults::bridge_survives_them", |host| plugin_survives(host, &bridge(host))),
    ("ours::faults::portmap_survives_them", |host| plugin_survives(host, &portmap())),
    ("ours::faults::loopback_survives_them", |host| plugin_survives(host, &loopback())),
    ("ours::faults::host_local_survives_them", |host| plugin_survives(host, &host_local(host))),
    ("ours::faults::bandwidth_survives_them", bandwidth_survives),
    ("ours::faults::the_tool_survives_them", tool_survives),
];

/// Why this machine can't make calls fail, if it can't.
pub(crate) fn missing() -> Option<String> {
    let found = Command::new("strace").args(["-qq", "-o/dev/null", "true"]).output();
    if found.is_ok_and(|output| output.status.success()) { None } else { Some("no strace".to_owned()) }
}

const ERRORS: [&str; 7] =
    ["error=EIO", "error=ENOSPC", "error=ENOMEM", "error=EMFILE", "error=EACCES", "error=EINTR", "signal=KILL"];

/// Calls for memory and random numbers: the standard library gives up where they fail.
const STANDARD: [&str; 9] =
    ["mmap", "munmap", "mremap", "mprotect", "brk", "madvise", "sigaltstack", "prlimit64", "getrandom"];
/// Calls that can't fail so, or that end it.
const NEVER: [&str; 9] = [
    "clock_nanosleep",
    "nanosleep",
    "execve",
    "futex",
    "exit",
    "exit_group",
    "rt_sigreturn",
    "restart_syscall",
    "set_tid_address",
];

/// One call that goes wrong.
#[derive(Debug)]
struct Fault {
    call: String,
    nth: usize,
    how: &'static str,
}

const NONE: Fault = Fault { call: String::new(), nth: 0, how: "" };

/// A program with its input.
#[derive(Clone)]
struct Run {
    command: Vec<String>,
    env: Vec<(&'static str, String)>,
    stdin: String,
}

impl Run {
    fn new(program: PathBuf) -> Self {
        Self { command: vec![program.to_str().unwrap().to_owned()], env: Vec::new(), stdin: String::new() }
    }

    fn plugin(verb: &str, config: &Value) -> Self {
        let program = plugins().join(config["type"].as_str().unwrap());
        let path = plugins().to_str().unwrap().to_owned();
        let mut env = vec![("CNI_COMMAND", verb.to_owned()), ("CNI_PATH", path)];
        if verb != "GC" {
            let ifname = if config["type"] == "loopback" { "lo" } else { "eth0" };
            env.extend(
                [("CNI_CONTAINERID", "c1"), ("CNI_IFNAME", ifname), ("CNI_NETNS", "/run/netns/blue")]
                    .map(|(k, v)| (k, v.to_owned())),
            );
        }
        Self { env, stdin: config.to_string(), ..Self::new(program) }
    }

    fn plain(&self) -> Output {
        self.output(Command::new(&self.command[0]).args(&self.command[1..]))
    }

    /// Runs it with a fault, or to see its calls.
    fn traced(&self, host: &Host, fault: Option<&Fault>) -> Output {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-e", "signal=none", "-o"]).arg(host.path("calls"));
        if let Some(Fault { call, nth, how }) = fault {
            command.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:{how}:when={nth}")]);
        }
        self.output(command.arg("--").args(&self.command))
    }

    fn output(&self, command: &mut Command) -> Output {
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").envs(self.env.iter().cloned());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It may end without reading.
        let _ = child.stdin.take().unwrap().write_all(self.stdin.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// The calls that it makes: for each the first and the last time after its start, which is the standard library's.
    fn calls(&self, host: &Host) -> BTreeMap<String, (usize, usize)> {
        self.traced(host, None);
        let trace = fs::read_to_string(host.path("calls")).unwrap();
        let mut counts: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
        let (mut main, mut has_started) = (None, false);
        for line in trace.lines() {
            let Some((pid, rest)) = line.split_once(' ') else { continue };
            let Some((call, _)) = rest.trim_start().split_once('(') else { continue };
            if call.contains(['<', ' ']) || NEVER.contains(&call) {
                continue;
            }
            let is_main = *main.get_or_insert(pid) == pid;
            let count = counts.entry((pid.to_owned(), call.to_owned())).or_default();
            count.1 += 1;
            if is_main && !has_started {
                count.0 += 1;
            }
            has_started |= is_main && call == "sigaltstack";
        }
        let mut calls: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for ((_, call), (skipped, all)) in counts.into_iter().filter(|(_, (skipped, all))| skipped < all) {
            let (first, last) = calls.entry(call).or_insert((skipped + 1, 0));
            (*first, *last) = ((*first).max(skipped + 1), (*last).max(all));
        }
        calls
    }

    /// The faults to try.
    fn faults(&self, host: &Host) -> Vec<Fault> {
        let all = std::env::var_os("LIBCNI_FAULTS").is_some();
        let mut turn = ERRORS.iter().cycle();
        let mut faults = Vec::new();
        for (call, (first, last)) in self.calls(host) {
            let fault = |nth, how| Fault { call: call.clone(), nth, how };
            if all {
                faults.extend((first..=last).flat_map(|nth| ERRORS.map(|how| fault(nth, how))));
            } else {
                faults.push(fault(last.max(first), turn.next().unwrap()));
            }
        }
        faults
    }
}

/// Checks how a program took a fault, and returns what it answered where it claims to have succeeded.
#[track_caller]
fn survives(run: &Run, host: &Host, fault: &Fault, is_plugin: bool) -> Option<String> {
    let began = Instant::now();
    let output = run.traced(host, Some(fault));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let story = || format!("{:?} {:?} {fault:?}: {}\n{stdout}\n{stderr}", run.command, run.env, output.status);
    assert!(began.elapsed() < Duration::from_secs(30), "takes too long: {}", story());
    if fault.how == "signal=KILL" || STANDARD.contains(&&*fault.call) {
        return output.status.success().then(|| stdout.into_owned());
    }
    assert!(!stderr.contains("panicked"), "{}", story());
    let is_written = !matches!(&*fault.call, "write" | "writev");
    if is_plugin && !output.status.success() && is_written {
        let reply: Value = serde_json::from_str(&stdout).unwrap_or_default();
        assert!(reply["code"].is_u64() && reply["msg"].is_string(), "no error object: {}", story());
    }
    output.status.success().then(|| stdout.into_owned())
}

#[track_caller]
fn succeeds(run: &Run, fault: &Fault) -> String {
    let output = run.plain();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{:?} {:?} after {fault:?}: {}{}",
        run.command,
        run.env,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Verbs as programs, with what must be true after each.
struct Verbs {
    add: Run,
    /// CHECK with the answer of ADD.
    check: Box<dyn Fn(&str) -> Run>,
    del: Run,
    /// What else removes everything.
    gc: Run,
    is_plugin: bool,
}

impl Verbs {
    fn survive(&self, host: &Host, is_clean: &dyn Fn()) {
        for fault in self.add.faults(host) {
            if let Some(answer) = survives(&self.add, host, &fault, self.is_plugin) {
                succeeds(&(self.check)(&answer), &fault);
            }
            succeeds(&self.del, &fault);
            is_clean();
        }
        for removing in [&self.del, &self.gc] {
            succeeds(&self.add, &NONE);
            let faults = removing.faults(host);
            for fault in faults {
                succeeds(&self.add, &fault);
                if survives(removing, host, &fault, self.is_plugin).is_none() {
                    succeeds(removing, &fault);
                }
                is_clean();
            }
        }
        let check = (self.check)(&succeeds(&self.add, &NONE));
        for fault in check.faults(host) {
            survives(&check, host, &fault, self.is_plugin);
        }
        succeeds(&check, &NONE);
        succeeds(&self.del, &NONE);
        is_clean();
    }
}

/// One address of each family, so that every ADD has the same.
fn ipam(host: &Host) -> Value {
    let one = |subnet: &str, address: &str| json!([{"subnet": subnet, "rangeStart": address, "rangeEnd": address}]);
    let ranges = [one("10.77.0.0/24", "10.77.0.2"), one("fd00:77::/64", "fd00:77::2")];
    json!({"type": "host-local", "dataDir": host.path("ipam"), "ranges": ranges})
}

fn bridge(host: &Host) -> Value {
    json!({"cniVersion": "1.1.0", "name": "net", "type": "bridge", "bridge": "cni0", "isDefaultGateway": true,
        "ipMasq": true, "ipam": ipam(host)})
}

fn host_local(host: &Host) -> Value {
    json!({"cniVersion": "1.1.0", "name": "net", "type": "host-local", "ipam": ipam(host)})
}

fn loopback() -> Value {
    json!({"cniVersion": "1.1.0", "name": "lo", "type": "loopback"})
}

fn portmap() -> Value {
    json!({"cniVersion": "1.1.0", "name": "net", "type": "portmap",
        "prevResult": {"cniVersion": "1.1.0", "interfaces": [{"name": "eth0", "sandbox": "/run/netns/blue"}],
            "ips": [{"address": "10.77.0.2/24", "interface": 0}]},
        "runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "udp"}]}})
}

fn plugin_survives(host: &Host, config: &Value) {
    plugin_survives_in(host, config, &|_| {});
}

fn plugin_survives_in(host: &Host, config: &Value, more: &dyn Fn(&Host)) {
    let added = Run::plugin("ADD", config).plain();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stdout));
    let mut with_result = config.clone();
    with_result["prevResult"] = serde_json::from_slice(&added.stdout).unwrap();
    let mut stale = config.clone();
    stale.as_object_mut().unwrap().remove("prevResult");
    stale["cni.dev/valid-attachments"] = json!([]);
    let del = Run::plugin("DEL", &with_result);
    succeeds(&del, &NONE);
    let gc = Run::plugin("GC", &stale);
    let gc = if config["type"] == "loopback" { Run::plugin("DEL", &with_result) } else { gc };
    let verbs = Verbs { add: Run::plugin("ADD", config), check: checking(config.clone()), del, gc, is_plugin: true };
    verbs.survive(host, &|| {
        host.is_clean();
        more(host);
    });
}

/// CHECK of a plugin, with the answer of its ADD.
fn checking(config: Value) -> Box<dyn Fn(&str) -> Run> {
    Box::new(move |answer| {
        let mut config = config.clone();
        config["prevResult"] = serde_json::from_str(answer).unwrap();
        Run::plugin("CHECK", &config)
    })
}

fn bandwidth_survives(host: &Host) {
    let of = |run: Run| {
        let output = run.plain();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let result = of(Run::plugin("ADD", &bridge(host)));
    let config = json!({"cniVersion": "1.1.0", "name": "net", "type": "bandwidth", "prevResult": result,
        "ingressRate": 1_000_000, "ingressBurst": 80_000, "egressRate": 1_000_000, "egressBurst": 80_000});
    let rules = host.run("nft list ruleset");
    let mut with_result = config.clone();
    with_result["prevResult"] = of(Run::plugin("ADD", &config));
    let del = || Run::plugin("DEL", &with_result);
    succeeds(&del(), &NONE);
    let verbs = Verbs {
        add: Run::plugin("ADD", &config),
        check: checking(config.clone()),
        del: del(),
        gc: del(),
        is_plugin: true,
    };
    verbs.survive(host, &|| {
        assert_eq!(host.run("ip -o link show type ifb; tc qdisc show | grep -E 'tbf|ingress' || true"), "");
        assert_eq!(host.run("nft list ruleset"), rules);
    });
}

fn tool_survives(host: &Host) {
    fs::create_dir_all(host.path("net.d")).unwrap();
    let list = |rate: u64| {
        let bridge = json!({"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipam": ipam(host)});
        let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}, "x": rate});
        json!({"cniVersion": "1.1.0", "name": "net", "plugins": [bridge, portmap]}).to_string()
    };
    fs::write(host.path("net.d/net.conflist"), list(1)).unwrap();
    let run = |words: &[&str]| {
        let mut run = Run::new(env!("CARGO_BIN_EXE_cnitool").into());
        let options =
            [("--cache-dir", host.path("cache")), ("--conf-dir", host.path("net.d")), ("--plugin-dir", plugins())];
        run.command.extend(words.iter().map(|word| (*word).to_owned()));
        run.command.extend(
            options.iter().flat_map(|(option, path)| [(*option).to_owned(), path.to_str().unwrap().to_owned()]),
        );
        run
    };
    let of = |verb: &str| {
        run(&[verb, "net", "/run/netns/blue", r#"--cap={"portMappings":[{"hostPort":8080,"containerPort":80}]}"#])
    };
    let check = of("check");
    let verbs = Verbs {
        add: of("add"),
        check: Box::new(move |_| check.clone()),
        del: of("del"),
        gc: run(&["gc", "net", "--all"]),
        is_plugin: false,
    };
    let is_clean = || {
        host.is_clean();
        assert_eq!(host.run("find cache -name '.intent-*' 2>/dev/null || true"), "");
    };
    verbs.survive(host, &is_clean);

    succeeds(&verbs.add, &NONE);
    fs::write(host.path("net.d/net.conflist"), list(2)).unwrap();
    let update = run(&["update", "net", "/run/netns/blue"]);
    for (turn, fault) in (3..).zip(update.faults(host)) {
        fs::write(host.path("net.d/net.conflist"), list(turn)).unwrap();
        if survives(&update, host, &fault, false).is_none() {
            succeeds(&update, &fault);
        }
        succeeds(&of("check"), &fault);
    }
    succeeds(&verbs.del, &NONE);
    is_clean();
}
