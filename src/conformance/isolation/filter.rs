//! System calls that no plugin may make, since they reach objects outside of every namespace.

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

/// The error number of the calls: as if the kernel did not have them.
const ERROR: u32 = libc::ENOSYS as u32;

/// Forbids the calls to this thread, and to threads and programs that it starts; returns what does not hold, if so.
pub(super) fn apply() -> Option<String> {
    let weakness = |error: seccompiler::Error| {
        format!(
            "the plugin can use the caller's keyrings, and make user namespaces: no filter of system calls ({error})"
        )
    };
    program().and_then(|program| apply_filter(&program)).map_err(weakness).err()
}

fn program() -> Result<BpfProgram, seccompiler::Error> {
    let mut calls: BTreeMap<i64, Vec<SeccompRule>> = KEYS.iter().map(|call| (*call, Vec::new())).collect();
    // Its flags are where no filter can look. Programs that use it fall back to the older one.
    calls.insert(libc::SYS_clone3, Vec::new());
    for call in [libc::SYS_clone, libc::SYS_unshare] {
        let rules = NAMESPACES.iter().map(|flag| with_flag(*flag)).collect::<Result<_, _>>()?;
        calls.insert(call, rules);
    }
    // The same calls by their second numbers.
    if cfg!(target_arch = "x86_64") {
        const X32: i64 = 0x4000_0000;
        let again: Vec<_> = calls.iter().map(|(call, rules)| (call | X32, rules.clone())).collect();
        calls.extend(again);
    }
    let architecture = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, SeccompAction::Errno(ERROR), architecture)?;
    Ok(filter.try_into()?)
}

/// The first argument has a flag.
fn with_flag(flag: i32) -> Result<SeccompRule, seccompiler::Error> {
    let flag = u64::from(flag.unsigned_abs());
    let has = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(flag), flag)?;
    Ok(SeccompRule::new(vec![has])?)
}
