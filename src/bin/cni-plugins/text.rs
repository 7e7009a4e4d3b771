//! Texts that people and other programs wrote, in any encoding, in files that may be something else.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// More than anybody writes into a file that plugins read.
const LONGEST: u64 = 1 << 20;
/// More than the configuration of any plugin has.
const LONGEST_KEPT: u64 = 1 << 26;

/// Reads a file. A FIFO or a device is not waited for, nor is more read than people write. See [`from_bytes`].
pub(crate) fn read(path: impl AsRef<Path>) -> io::Result<String> {
    let path = path.as_ref();
    bounded(path, &fs::metadata(path)?, OFlags::empty(), LONGEST)
}

/// Reads a file that a plugin keeps, in whose place there may be anything else by now: no link is followed.
pub(crate) fn read_kept(path: &Path) -> io::Result<String> {
    bounded(path, &fs::symlink_metadata(path)?, OFlags::NOFOLLOW, LONGEST_KEPT)
}

fn bounded(path: &Path, found: &Metadata, flags: OFlags, longest: u64) -> io::Result<String> {
    let must_be_file = |found: &Metadata| {
        let error = || io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
        found.is_file().then_some(()).ok_or_else(error)
    };
    must_be_file(found)?;
    // By now, the name may lead to a FIFO.
    let flags = (flags | OFlags::NONBLOCK).bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    must_be_file(&file.metadata()?)?;
    let mut bytes = Vec::new();
    let length = file.take(longest + 1).read_to_end(&mut bytes)? as u64;
    if length > longest {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {longest} bytes")));
    }
    Ok(from_bytes(bytes))
}

/// Returns bytes as text. Those that are not UTF-8 become U+FFFD, as in what Go writes: mostly they are in a comment.
pub(crate) fn from_bytes(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_not_utf8_is_replaced() {
        assert_eq!(from_bytes(b"r\xe9seau".to_vec()), "r\u{fffd}seau");
        assert_eq!(from_bytes("r\u{e9}seau".into()), "r\u{e9}seau");
    }

    #[test]
    fn what_is_no_small_file_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let said = |result: io::Result<String>| result.unwrap_err().to_string();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(said(read(&path)).contains("not a regular file"));
        assert!(said(read_kept(&path)).contains("not a regular file"));
        assert!(said(read("/dev/zero")).contains("not a regular file"));
        fs::remove_file(&path).unwrap();
        fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(said(read(&path)).contains("more than 1048576 bytes"));
        assert!(said(read_kept(&path)).contains("more than 67108864 bytes"));
        fs::write(&path, "text").unwrap();
        assert_eq!((read(&path).unwrap(), read_kept(&path).unwrap()), ("text".to_owned(), "text".to_owned()));
    }

    #[test]
    fn a_link_to_what_people_wrote_is_followed_and_another_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| dir.path().join(name));
        fs::write(&file, "text").unwrap();
        symlink(&file, &link).unwrap();
        assert_eq!(read(&link).unwrap(), "text");
        assert!(read_kept(&link).unwrap_err().to_string().contains("not a regular file"));
    }
}
