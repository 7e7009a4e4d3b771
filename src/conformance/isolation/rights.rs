//! The privileges that the judge gives up, and those that plugins never have.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::{set_dumpable, set_no_new_privs, set_pdeathsig};
use nix::sys::signal::Signal;
use rustix::fs::{CWD, Gid, Uid};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, move_mount};
use rustix::process::{getegid, geteuid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set, set_capabilities,
    set_keep_capabilities, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::{NotIsolated, failed};

/// Ends this process with the one that started it. The kernel forgets that with every change of rights.
pub(super) fn end_with_parent() -> Result<(), NotIsolated> {
    set_pdeathsig(Signal::SIGKILL).map_err(failed("tie the process to its parent"))
}

/// Takes other ids than root's, and keeps the rights over the namespaces for now.
pub(super) fn become_unprivileged(ids: Option<(Uid, Gid)>) -> Result<(), NotIsolated> {
    let Some((uid, gid)) = ids else { return Ok(()) };
    let change = || {
        set_thread_groups(&[])?;
        set_keep_capabilities(true)?;
        set_thread_res_gid(gid, gid, gid)?;
        set_thread_res_uid(uid, uid, uid)?;
        let kept = capabilities(None)?;
        set_capabilities(None, CapabilitySets { effective: kept.permitted, ..kept })
    };
    change().map_err(failed("take the ids of an ordinary user"))
}

/// Enters a user namespace, with everything in it new that a plugin has rights over.
///
/// The mounts are locked from here on: they are those of a more privileged namespace. /proc alone is put there now,
/// since it is the judge's, and no plugin's.
pub(super) fn enter_user_namespace(processes: &OwnedFd) -> Result<(), NotIsolated> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    let new = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    unshare(new).map_err(failed("make a user namespace"))?;
    move_mount(processes.as_fd(), "", CWD, "/proc", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .map_err(failed("mount /proc"))?;
    // The change of ids has made these files root's.
    set_dumpable(true).map_err(failed("write its own maps"))?;
    let map = |file: &str, text: String| fs::write(file, text).map_err(failed("become root in a user namespace"));
    map("/proc/self/setgroups", "deny".to_owned())?;
    map("/proc/self/uid_map", format!("0 {uid} 1"))?;
    map("/proc/self/gid_map", format!("0 {gid} 1"))
}

/// The rights over namespaces, and over files, that plugins need. All the others have no use in a user namespace, or
/// would let a plugin trace processes that are not its own.
const NEEDED: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::NET_BROADCAST)
    .union(CapabilitySet::NET_ADMIN)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::SYS_ADMIN)
    .union(CapabilitySet::IPC_OWNER)
    .union(CapabilitySet::MKNOD);

/// The number of rights that a kernel can have.
const RIGHTS: u32 = 64;

/// Keeps this process out of everybody's reach, and rights that no plugin needs out of all programs that it starts.
pub(super) fn give_up_rights() -> Result<(), NotIsolated> {
    for right in (0..RIGHTS).map(|number| CapabilitySet::from_bits_retain(1 << number)) {
        if !NEEDED.contains(right) {
            match remove_capability_from_bounding_set(right) {
                // A right that this kernel does not know.
                Ok(()) | Err(Errno::INVAL) => {}
                Err(error) => return Err(failed("give up rights")(error)),
            }
        }
    }
    set_no_new_privs().map_err(failed("give up set-user-ID programs"))?;
    set_dumpable(false).map_err(failed("forbid to trace it"))?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .map_err(failed("make mounts private"))
}
