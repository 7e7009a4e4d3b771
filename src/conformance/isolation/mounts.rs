//! Mounts, one kind each.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use rustix::fs::{Gid, Uid};

const NONE: Option<&str> = None;

/// Neither set-user-ID programs nor devices.
pub(in crate::conformance) const SAFE: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV);

/// A new and empty file system in memory, which can't take all of it.
pub(in crate::conformance) fn memory(at: impl AsRef<Path>) -> io::Result<()> {
    Ok(mount(Some("tmpfs"), at.as_ref(), Some("tmpfs"), SAFE, Some("mode=0755,size=512m"))?)
}

/// A mount of one path at another.
pub(in crate::conformance) fn bind(from: &Path, at: &Path) -> io::Result<()> {
    Ok(mount(Some(from), at, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?)
}

/// A file system of the kernel's.
pub(in crate::conformance) fn kernel(kind: &str, at: &str) -> io::Result<()> {
    Ok(mount(Some(kind), at, Some(kind), SAFE | MsFlags::MS_NOEXEC, NONE)?)
}

/// Takes a mount away, with all that is mounted below it.
pub(in crate::conformance) fn take_away(at: impl AsRef<Path>) -> io::Result<()> {
    Ok(umount2(at.as_ref(), MntFlags::MNT_DETACH)?)
}

/// A directory that can be written to, which does not change the one below it. What is written is in another directory.
pub(super) fn writable(below: &Path, at: &Path, written: &Path) -> io::Result<()> {
    let (upper, work) = (written.join("upper"), written.join("work"));
    [written, &upper, &work].into_iter().try_for_each(fs::create_dir)?;
    let mut options = b"lowerdir=".to_vec();
    options.extend(escaped(below));
    for (option, dir) in [(",upperdir=", &upper), (",workdir=", &work)] {
        options.extend(option.as_bytes());
        options.extend(escaped(dir));
    }
    // In a user namespace, it keeps its notes in attributes of another name.
    let within = [options.as_slice(), b",userxattr"].concat();
    let overlay = |options: &[u8]| {
        let options = OsString::from_vec(options.to_vec());
        mount(Some("overlay"), at, Some("overlay"), SAFE, Some(options.as_os_str()))
    };
    Ok(overlay(&options).or_else(|_| overlay(&within))?)
}

/// A path as an option of a mount.
fn escaped(path: &Path) -> Vec<u8> {
    let is_special = |byte: u8| matches!(byte, b'\\' | b':' | b',');
    path.as_os_str()
        .as_bytes()
        .iter()
        .flat_map(|byte| is_special(*byte).then_some(b'\\').into_iter().chain([*byte]))
        .collect()
}

/// Gives a directory to a user, and what is in it and can't be read or run by everybody.
pub(super) fn give(dir: &Path, (uid, gid): (Uid, Gid)) -> io::Result<()> {
    let own = |path: &Path| chown(path, Some(uid.as_raw()), Some(gid.as_raw()));
    own(dir)?;
    for entry in fs::read_dir(dir)? {
        let (path, meta) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
        if !meta.is_symlink() && !is_open(&meta) {
            own(&path)?;
        }
    }
    Ok(())
}

/// Returns true if everybody can read a file, and run it if anybody can.
pub(super) fn is_open(meta: &fs::Metadata) -> bool {
    let runs = meta.mode() & 0o111 != 0;
    meta.mode() & 0o004 != 0 && (!runs || meta.mode() & 0o001 != 0)
}

/// A file of the host at a path; a copy of it, where the user could not read it otherwise.
pub(super) fn file(from: &Path, at: &Path, ids: Option<(Uid, Gid)>) -> io::Result<()> {
    let meta = fs::metadata(from)?;
    if ids.is_none() || is_open(&meta) {
        fs::File::create(at)?;
        return bind(from, at);
    }
    copy(from, at)
}

/// A copy of a program.
pub(super) fn copy(from: &Path, at: &Path) -> io::Result<()> {
    fs::copy(from, at)?;
    fs::set_permissions(at, Permissions::from_mode(0o755))
}

/// A mount, as /proc/self/mountinfo has it.
#[derive(Debug, PartialEq, Eq)]
struct Mounted {
    at: PathBuf,
    flags: MsFlags,
}

/// Makes everything that is mounted at or below some paths read-only, except some mounts.
pub(super) fn read_only(paths: &[PathBuf], but: &[PathBuf]) -> io::Result<()> {
    let text = fs::read("/proc/self/mountinfo")?;
    for Mounted { at, flags } in text.split(|byte| *byte == b'\n').filter_map(mounted) {
        if paths.iter().any(|path| at.starts_with(path)) && !but.contains(&at) {
            let flags = flags | MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | MsFlags::MS_NOSUID;
            mount(NONE, &at, NONE, flags, NONE)?;
        }
    }
    Ok(())
}

fn mounted(line: &[u8]) -> Option<Mounted> {
    let mut words = line.split(|byte| *byte == b' ').skip(4);
    let at = PathBuf::from(OsString::from_vec(unescaped(words.next()?)));
    let known = |option: &[u8]| match option {
        b"nosuid" => MsFlags::MS_NOSUID,
        b"nodev" => MsFlags::MS_NODEV,
        b"noexec" => MsFlags::MS_NOEXEC,
        _ => MsFlags::empty(),
    };
    let flags = words.next()?.split(|byte| *byte == b',').map(known).collect();
    Some(Mounted { at, flags })
}

/// A path in which `\040` is a space.
fn unescaped(word: &[u8]) -> Vec<u8> {
    let mut path = Vec::new();
    let mut rest = word;
    while let Some((byte, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| *byte == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(escaped) => {
                path.push(escaped);
                rest = &after[3..];
            }
            None => {
                path.push(*byte);
                rest = after;
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_read_with_spaces_in_their_paths() {
        let line = br"98 1 0:24 /x /usr/my\040dir rw,nosuid,relatime shared:1 - ext4 /dev/vda rw";
        let expected = Mounted { at: "/usr/my dir".into(), flags: MsFlags::MS_NOSUID };
        assert_eq!(mounted(line), Some(expected));
        assert_eq!(mounted(b""), None);
    }

    #[test]
    fn paths_are_options_whatever_is_in_them() {
        assert_eq!(escaped(Path::new("/a:b,c\\d")), br"/a\:b\,c\\d");
    }
}
