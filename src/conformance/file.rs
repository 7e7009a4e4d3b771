//! Files that the caller names, which may be anything.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 8 << 20;

/// The text of a regular file. A FIFO is not waited for, and a device is not opened.
pub(super) fn read(path: &Path) -> io::Result<String> {
    // Opening alone makes some devices act. The name may lead elsewhere by the time that it is opened.
    refuse_no_file(&fs::metadata(path)?)?;
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    refuse_no_file(&file.metadata()?)?;
    let mut text = String::new();
    if file.take(LONGEST + 1).read_to_string(&mut text)? as u64 > LONGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

fn refuse_no_file(found: &Metadata) -> io::Result<()> {
    if found.is_file() { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")) }
}
