//! Obstacles to running a program, where the system's reason misleads.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::errno::Errno;

/// Says more than the error number, if there is more to say.
pub(super) fn obstacle(program: &Path, errno: Errno) -> Option<String> {
    let metadata = fs::metadata(program).ok()?;
    match errno {
        Errno::ENOENT => Some(match interpreter(program) {
            Some(interpreter) => format!("its interpreter `{}` is missing", interpreter.escape_debug()),
            None => "the program's loader, named in its ELF header, is missing".to_owned(),
        }),
        // Nothing but a file has an interpreter; opening a FIFO would wait for somebody to write to it.
        Errno::EACCES if !metadata.is_file() => Some("it is not a regular file".to_owned()),
        Errno::EACCES if metadata.permissions().mode() & 0o111 == 0 => Some("nobody may execute the file".to_owned()),
        Errno::EACCES => {
            let may_be = |interpreter: String| {
                format!("it or its interpreter `{}` may not be executed", interpreter.escape_debug())
            };
            interpreter(program).map(may_be)
        }
        Errno::ENOEXEC => Some("it is neither a script with `#!` nor a program for this machine".to_owned()),
        _ => None,
    }
}

/// The program that a script names in its first line.
fn interpreter(program: &Path) -> Option<String> {
    // The kernel looks no further.
    const LONGEST: u64 = 256;
    let mut first = Vec::new();
    BufReader::new(File::open(program).ok()?.take(LONGEST)).read_until(b'\n', &mut first).ok()?;
    let line = first.strip_prefix(b"#!")?.trim_ascii_start();
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let name = line.split(|byte| matches!(byte, b' ' | b'\t')).next()?;
    Some(OsStr::from_bytes(name).to_string_lossy().into_owned())
}
