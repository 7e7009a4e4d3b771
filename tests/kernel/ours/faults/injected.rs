//! Programs of which one system call goes wrong, by strace.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::host::Host;
use crate::ours::plugins;

const ERRORS: [&str; 7] =
    ["error=EIO", "error=ENOSPC", "error=ENOMEM", "error=EMFILE", "error=EACCES", "error=EINTR", KILL];
pub(super) const KILL: &str = "signal=KILL";
/// What only some calls meet: limits of processes and of what a socket takes, a datagram that has nothing in it.
const MORE_ERRORS: [(&str, &[&str]); 6] = [
    ("clone", &["error=EAGAIN"]),
    ("clone3", &["error=EAGAIN"]),
    ("recvfrom", &["error=ENOBUFS", "retval=0"]),
    ("sendto", &["error=ENOBUFS", "error=EAGAIN"]),
    ("flock", &["error=ENOLCK"]),
    ("openat", &["error=EROFS"]),
];
/// Calls by which a plugin changes links, rules and files.
const CHANGING: [&str; 7] = ["sendto", "rename", "renameat", "unlink", "unlinkat", "linkat", "write"];

/// Calls for memory and random numbers: the standard library gives up where they fail.
pub(super) const STANDARD: [&str; 9] =
    ["mmap", "munmap", "mremap", "mprotect", "brk", "madvise", "sigaltstack", "prlimit64", "getrandom"];
/// Calls that are made again where a signal interrupts them.
pub(super) const AGAIN: [&str; 5] = ["flock", "poll", "read", "recvfrom", "write"];
/// Calls that can't fail so, or that end it. The time is a call where the kernel can't let programs read it, as in an
/// emulated machine.
const NEVER: [&str; 10] = [
    "clock_gettime",
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

/// The verb to try all faults of, or `all`.
fn whole() -> Option<String> {
    std::env::var_os("LIBCNI_FAULTS").map(|verb| verb.into_string().unwrap())
}

/// Returns true if all faults are to be tried.
pub(super) fn is_whole() -> bool {
    whole().is_some()
}

/// Returns true if the faults of a verb are to be tried.
pub(super) fn is_wanted(verb: &str) -> bool {
    whole().is_none_or(|wanted| wanted == "all" || wanted.eq_ignore_ascii_case(verb))
}

/// One call that goes wrong.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) call: String,
    /// The number of the call, of each thread's calls of that name; with `+`, those after it, too.
    pub(super) when: String,
    pub(super) how: &'static str,
}

pub(super) const NONE: Fault = Fault { call: String::new(), when: String::new(), how: "" };

/// A program with its input.
#[derive(Clone)]
pub(super) struct Run {
    pub(super) command: Vec<String>,
    pub(super) env: Vec<(&'static str, String)>,
    stdin: String,
}

impl Run {
    pub(super) fn new(program: PathBuf) -> Self {
        Self { command: vec![program.to_str().unwrap().to_owned()], env: Vec::new(), stdin: String::new() }
    }

    pub(super) fn plugin(verb: &str, config: &Value) -> Self {
        let program = plugins().join(config["type"].as_str().unwrap());
        let path = plugins().to_str().unwrap().to_owned();
        let mut env = vec![("CNI_COMMAND", verb.to_owned()), ("CNI_PATH", path)];
        if !matches!(verb, "GC" | "STATUS") {
            let ifname = if config["type"] == "loopback" { "lo" } else { "eth0" };
            env.extend(
                [("CNI_CONTAINERID", "c1"), ("CNI_IFNAME", ifname), ("CNI_NETNS", "/run/netns/blue")]
                    .map(|(k, v)| (k, v.to_owned())),
            );
        }
        Self { env, stdin: config.to_string(), ..Self::new(program) }
    }

    pub(super) fn plain(&self) -> Output {
        self.output(Command::new(&self.command[0]).args(&self.command[1..]))
    }

    /// Runs it with a fault, or to see its calls.
    pub(super) fn traced(&self, host: &Host, fault: Option<&Fault>) -> Output {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-e", "signal=none", "-o"]).arg(host.path("calls"));
        if let Some(Fault { call, when, how }) = fault {
            command.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:{how}:when={when}")]);
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
        // Counted for each thread: the start of the program is passed over in the others, too.
        let mut calls: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for ((_, call), (skipped, all)) in counts {
            let (first, last) = calls.entry(call).or_insert((1, 0));
            (*first, *last) = ((*first).max(skipped + 1), (*last).max(all));
        }
        calls.retain(|_, (first, last)| first <= last);
        calls
    }

    /// The moments to kill it at: each call that changes something.
    pub(super) fn kills(&self, host: &Host) -> Vec<Fault> {
        let changing = self.calls(host).into_iter().filter(|(call, _)| CHANGING.contains(&&**call));
        changing.flat_map(|(call, (first, last))| (first..=last).map(move |nth| fault(&call, nth, KILL))).collect()
    }

    /// The faults to try.
    pub(super) fn faults(&self, host: &Host) -> Vec<Fault> {
        let mut turn = ERRORS.iter().cycle();
        let mut faults = Vec::new();
        for (call, (first, last)) in self.calls(host) {
            if is_whole() {
                let errors = errors(&call);
                faults.extend(
                    (first..=last).flat_map(|nth| errors.iter().map(|how| fault(&call, nth, how)).collect::<Vec<_>>()),
                );
            } else {
                faults.push(fault(&call, last, turn.next().unwrap()));
                faults.extend(AGAIN.contains(&&*call).then(|| fault(&call, last, "error=EINTR")));
            }
        }
        faults
    }
}

fn fault(call: &str, nth: usize, how: &'static str) -> Fault {
    Fault { call: call.to_owned(), when: nth.to_string(), how }
}

/// What a call is to meet.
fn errors(call: &str) -> Vec<&'static str> {
    // The kernel closes a descriptor even where that fails; a call that is made to fail leaves it open.
    if call == "close" {
        return vec![KILL];
    }
    let more = MORE_ERRORS.iter().filter(|(name, _)| *name == call).flat_map(|(_, errors)| *errors);
    ERRORS.iter().chain(more).copied().collect()
}
