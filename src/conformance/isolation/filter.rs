//! System calls that no plugin may make, since they reach objects outside of every namespace, or the judge.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

/// Keyrings are the caller's: they come with the process.
const KEYS: [libc::c_long; 3] = [libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl];

/// Namespaces that would give further rights, and that no network needs.
const NAMESPACES: [i32; 3] = [libc::CLONE_NEWUSER, libc::CLONE_NEWCGROUP, CLONE_NEWTIME];
const CLONE_NEWTIME: i32 = 0x80;

/// Families of sockets that belong to a network namespace, or that lead to files. Others reach the machine: the
/// hypervisor, its neighbours on a bus, ciphers of the kernel.
const FAMILIES: [i32; 5] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_PACKET];

type Calls = BTreeMap<libc::c_long, Vec<SeccompRule>>;

/// Forbids the calls to this thread, and to threads and programs that it starts; returns what does not hold, if so.
pub(super) fn apply() -> Option<String> {
    let weakness = |error: seccompiler::Error| {
        format!(
            "the plugin can use the caller's keyrings, make user namespaces, and open sockets that belong to no \
             namespace: no filter of system calls ({error})"
        )
    };
    // As if the kernel did not have them.
    let forbidden = calls().and_then(|calls| forbid(calls, libc::ENOSYS));
    forbidden.and_then(|()| forbid(sockets()?, libc::EAFNOSUPPORT)).map_err(weakness).err()
}

/// Forbids this thread, and the programs that it starts, to change how many processes they may have.
pub(super) fn keep_limit_of_processes() -> Result<(), seccompiler::Error> {
    let is_of_processes = |argument| equals(argument, SeccompCmpOp::Eq, libc::RLIMIT_NPROC as u64);
    let changes = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)?;
    let calls = [
        (libc::SYS_setrlimit, vec![SeccompRule::new(vec![is_of_processes(0)?])?]),
        (libc::SYS_prlimit64, vec![SeccompRule::new(vec![is_of_processes(1)?, changes])?]),
    ];
    forbid(calls.into(), libc::EPERM)
}

fn calls() -> Result<Calls, seccompiler::Error> {
    let mut calls: Calls = KEYS.iter().map(|call| (*call, Vec::new())).collect();
    // Its flags are where no filter can look. Programs that use it fall back to the older one.
    calls.insert(libc::SYS_clone3, Vec::new());
    // It opens sockets without the call for it.
    calls.insert(libc::SYS_io_uring_setup, Vec::new());
    for call in [libc::SYS_clone, libc::SYS_unshare] {
        let rules = NAMESPACES.iter().map(|flag| with_flag(*flag)).collect::<Result<_, _>>()?;
        calls.insert(call, rules);
    }
    Ok(calls)
}

/// Sockets of all families but [`FAMILIES`].
fn sockets() -> Result<Calls, seccompiler::Error> {
    let is_another = |family: &i32| equals(0, SeccompCmpOp::Ne, u64::from(family.unsigned_abs()));
    let others = SeccompRule::new(FAMILIES.iter().map(is_another).collect::<Result<_, _>>()?)?;
    Ok([libc::SYS_socket, libc::SYS_socketpair].into_iter().map(|call| (call, vec![others.clone()])).collect())
}

/// Has the calls fail with an error number from here on.
fn forbid(calls: Calls, errno: i32) -> Result<(), seccompiler::Error> {
    let mut calls: BTreeMap<i64, _> = calls.into_iter().map(|(call, rules)| (number(call), rules)).collect();
    // The same calls by their second numbers.
    if cfg!(target_arch = "x86_64") {
        const X32: i64 = 0x4000_0000;
        let again: Vec<_> = calls.iter().map(|(call, rules)| (call | X32, rules.clone())).collect();
        calls.extend(again);
    }
    let architecture = std::env::consts::ARCH.try_into()?;
    let error = SeccompAction::Errno(errno.unsigned_abs());
    let program: BpfProgram = SeccompFilter::new(calls, SeccompAction::Allow, error, architecture)?.try_into()?;
    apply_filter(&program)
}

/// An argument, as the 32 bits of it that the kernel looks at, is a number or not.
fn equals(argument: u8, comparison: SeccompCmpOp, number: u64) -> Result<SeccompCondition, seccompiler::Error> {
    Ok(SeccompCondition::new(argument, SeccompCmpArgLen::Dword, comparison, number)?)
}

#[allow(clippy::useless_conversion, reason = "the type has 32 bits on some machines")]
fn number(call: libc::c_long) -> i64 {
    call.into()
}

/// The first argument has a flag.
fn with_flag(flag: i32) -> Result<SeccompRule, seccompiler::Error> {
    let flag = u64::from(flag.unsigned_abs());
    let has = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(flag), flag)?;
    Ok(SeccompRule::new(vec![has])?)
}
