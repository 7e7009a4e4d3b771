//! What a plugin inherits, and what it does not.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use libcni::invoke::{ExecError, Parameters};
use libcni::spec::Command;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use crate::support::{FakeExec, Sandbox, Script, attachment, printing, promptly};

#[test]
fn a_plugin_gets_descriptors_0_1_and_2_only() {
    let inheritable = open("/dev/null", OFlag::O_RDONLY, Mode::empty()).unwrap();
    let script = Script::new("ls -l /proc/self/fd");
    let listing = script.stdout();
    drop(inheritable);
    // `ls` has the directory itself open.
    let links = listing.lines().filter_map(|line| line.split_once(" -> "));
    let fds = links.filter(|(_, target)| !target.starts_with("/proc/"));
    let numbers: Vec<_> = fds.map(|(entry, _)| entry.rsplit(' ').next().unwrap()).collect();
    assert_eq!(numbers, ["0", "1", "2"], "{listing}");
}

#[test]
fn a_plugin_has_the_usual_signal_state() {
    let status = Script::new("exec cat /proc/self/status").stdout();
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t"));
        u64::from_str_radix(line.unwrap(), 16).unwrap()
    };
    assert_eq!(mask("SigBlk"), 0, "{status}");
    // Bit 12 is SIGPIPE, which Rust programs ignore.
    assert_eq!(mask("SigIgn") & 1 << 12, 0, "{status}");
}

#[test]
fn a_plugin_has_a_session_of_its_own_and_no_terminal() {
    let stat = Script::new("exec cat /proc/self/stat").stdout();
    let after_name: Vec<i64> =
        stat.rsplit_once(") ").unwrap().1.split(' ').skip(1).map_while(|w| w.parse().ok()).collect();
    let pid = stat.split(' ').next().unwrap().parse().unwrap();
    let [_, group, session, terminal, ..] = after_name[..] else { panic!("{stat}") };
    assert_eq!((group, session, terminal), (pid, pid, 0), "{stat}");
}

/// The names of a plugin's variables, each as often as it occurs.
#[track_caller]
fn names(sandbox: &Sandbox) -> Vec<String> {
    let env = sandbox.env_of("one", "ADD");
    env.iter().map(|pair| pair.split_once('=').unwrap().0.to_owned()).collect()
}

#[test]
fn a_plugin_gets_each_variable_once_and_inherited_cni_ones_are_replaced() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let inherited = [
        ("PATH", "/usr/bin:/bin"),
        ("CNI_COMMAND", "DEL"),
        ("CNI_IFNAME", "stale0"),
        ("CNI_IFNAME", "stale1"),
        ("CNI_ARGS", "STALE=1"),
        ("HTTP_PROXY", "http://proxy"),
        ("HTTP_PROXY", "http://other"),
        ("CNI_NETNS_OVERRIDE", "1"),
    ];
    let cni = sandbox.builder().env(inherited).build().unwrap();
    cni.add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    let names = names(&sandbox);
    assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len(), "{names:?}");
    for (name, value) in [
        ("CNI_COMMAND", "ADD"),
        ("CNI_IFNAME", "eth0"),
        ("CNI_ARGS", ""),
        ("HTTP_PROXY", "http://proxy"),
        ("CNI_NETNS_OVERRIDE", "1"),
    ] {
        assert_eq!(sandbox.variable_of("one", "ADD", name), value, "{name}");
    }
}

#[test]
fn a_plugin_gets_the_environment_of_the_runtime() {
    let sandbox = Sandbox::new().plugins(["one"]);
    sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    let names: BTreeSet<_> = names(&sandbox).into_iter().collect();
    let own = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let missing: Vec<_> = own.filter(|name| !names.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_variable_that_is_not_utf8_reaches_the_plugin() {
    let mut script = Script::new("printf %s \"$ODD\"");
    script.request.env.set("ODD", OsString::from_vec(b"a\xffb".to_vec()));
    assert_eq!(script.run().unwrap().stdout, b"a\xffb");
}

#[test]
fn a_plugin_directory_that_is_not_utf8_is_passed_on_as_it_is() {
    let exec = FakeExec::new(|_| printing("{}"));
    let sandbox = Sandbox::new().plugins(["one"]);
    let dirs = [b"/a\xff".as_slice(), b"/b"].map(|dir| OsString::from_vec(dir.to_vec()));
    let cni = sandbox.builder().plugin_dirs(dirs).exec(exec.clone()).build().unwrap();
    cni.add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    assert_eq!(exec.requests()[0].env("CNI_PATH").unwrap().as_bytes(), b"/a\xff:/b");
}

#[test]
fn a_hundred_thousand_variables_take_a_moment() {
    let many: Vec<(OsString, OsString)> = (0..100_000).map(|n| (format!("V{n}").into(), "".into())).collect();
    let env = promptly(|| Parameters::default().environment(Command::Status, &many));
    assert_eq!(env.iter().count(), many.len() + 6);
}

#[test]
fn a_variable_with_nul_is_an_error_that_names_it() {
    let mut script = Script::new("touch ~/ran");
    script.request.env.set("SPLIT", "a\0CNI_COMMAND=DEL");
    let error = script.error();
    assert!(matches!(&error, ExecError::Environment { variable, .. } if variable == "SPLIT"), "{error:?}");
    assert!(!script.file("ran").exists());
}
