//! The process between the caller and the judge. It is not in the caller's session, and makes a PID namespace.

use std::fs;
use std::io;
use std::process::{ExitStatus, Stdio};

use nix::unistd::{close, setsid};

use super::{NotIsolated, OWN, Stage, failed, rights};
use crate::Chain;
use crate::conformance::messages::{Message, say};
use crate::netns::{Kind, unshare, unshare_as_root};

/// Starts the judge, and ends with it.
pub(in crate::conformance) fn run() -> ! {
    let status = match enter() {
        Ok(status) => status.code().unwrap_or(1),
        Err(error) => {
            // Without somebody to hear it, this process has nothing left to do.
            let _ = say(&Message::NotMade(Chain(&error).to_string()));
            1
        }
    };
    std::process::exit(status)
}

fn enter() -> Result<ExitStatus, NotIsolated> {
    rights::end_with_parent()?;
    // Without a controlling terminal, nobody can type into it.
    setsid().map_err(failed("begin a session"))?;
    close_inherited().map_err(failed("close the descriptors of the caller"))?;
    match unshare(&[Kind::Pid]) {
        Err(error) if error.is_refused() => unshare_as_root(&[Kind::Pid])?,
        done => done?,
    }
    let judge = Stage::Judge.command(OWN).stdout(Stdio::inherit()).spawn();
    let mut judge = judge.map_err(failed("run the program in a new PID namespace"))?;
    judge.wait().map_err(failed("wait for the process that makes the checks"))
}

/// Closes the descriptors that a plugin would inherit: those above the standard ones that are not closed by themselves.
fn close_inherited() -> io::Result<()> {
    const CLOSED_BY_ITSELF: u32 = 0o2_000_000;
    let entries = fs::read_dir("/proc/self/fd")?.collect::<io::Result<Vec<_>>>()?;
    let numbers = entries.iter().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    for number in numbers.filter(|number: &i32| *number > 2) {
        // The one that the list was read with is closed by now.
        let Ok(info) = fs::read_to_string(format!("/proc/self/fdinfo/{number}")) else { continue };
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok()).unwrap_or_default();
        if flags & CLOSED_BY_ITSELF == 0 {
            close(number)?;
        }
    }
    Ok(())
}
