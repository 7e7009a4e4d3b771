//! The reservations of one network on disk, shared with the plugin of the same name in Go.
//!
//! `DATADIR/NETWORK` holds one file for each reserved address, called like the address, whose content is its owner;
//! `last_reserved_ip.N`, the address that set N gave last; and `lock`, on which everybody holds `flock` while they
//! read or change any of it. The content of `lock` is an index that only this implementation reads ([`super::index`]).

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use libcni::spec::{ErrorCode, ErrorReply};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::{AccessFlags, access};
use rustix::fs::{FlockOperation, flock};
use rustix::io::retry_on_intr;

use crate::directory;
use crate::host_local::owner::Owner;

/// The store can't be read or changed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}", path.display())]
pub(crate) struct StoreError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl From<StoreError> for ErrorReply {
    fn from(error: StoreError) -> Self {
        Self::new(ErrorCode::IO, error.to_string()).with_details(error.source.to_string())
    }
}

/// A planted link is not followed, and a FIFO not waited for.
const AS_IT_IS: i32 = OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY).bits();

fn failed<E: Into<io::Error>>(doing: &'static str, path: &Path) -> impl FnOnce(E) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError { doing, path, source: source.into() }
}

/// An address and its owner.
#[derive(Clone, Debug)]
pub(crate) struct Reservation {
    pub(crate) address: IpAddr,
    /// No owner: the process that made the file crashed before it wrote to it, since we hold the lock now.
    pub(crate) owner: Option<Owner>,
}

/// The store of one network, locked as long as the value lives.
#[derive(Debug)]
pub(crate) struct Store {
    pub(super) dir: PathBuf,
    pub(super) lock: File,
}

impl Store {
    /// Opens and locks the store in a directory, and makes the directory if there is none.
    pub(crate) fn create(dir: PathBuf) -> Result<Self, StoreError> {
        if let Some(store) = Self::open(dir.clone())? {
            return Ok(store);
        }
        let made = DirBuilder::new().recursive(true).mode(0o755).create(&dir);
        made.map_err(failed("create directory", &dir))?;
        let gone = || failed("open directory", &dir)(Errno::ENOENT);
        Self::open(dir.clone())?.ok_or_else(gone)
    }

    /// Opens and locks the store in a directory, if there is one.
    pub(crate) fn open(dir: PathBuf) -> Result<Option<Self>, StoreError> {
        let path = dir.join("lock");
        // With the mode that Go gives it.
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o750).custom_flags(AS_IT_IS);
        let file = match options.open(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            // A user who may not write can still read.
            Err(e) if e.kind() == ErrorKind::PermissionDenied => {
                let mut options = OpenOptions::new();
                options.read(true).custom_flags(AS_IT_IS).open(&path).map_err(failed("open", &path))?
            }
            opened => opened.map_err(failed("open", &path))?,
        };
        let lock = lock(file).map_err(failed("lock", &path))?;
        Ok(Some(Self { dir, lock }))
    }

    /// All reserved addresses, of every owner.
    pub(crate) fn addresses(&self) -> Result<BTreeSet<IpAddr>, StoreError> {
        let mut addresses = BTreeSet::new();
        self.each_file(|name| addresses.extend(address_of(name)))?;
        Ok(addresses)
    }

    /// Calls a function with the name of each regular file.
    fn each_file(&self, call: impl FnMut(&OsStr)) -> Result<(), StoreError> {
        directory::each_file(&self.dir, call).map_err(failed("list", &self.dir))
    }

    /// Every reservation, in no order.
    pub(crate) fn reservations(&self) -> Result<Vec<Reservation>, StoreError> {
        let mut content = Vec::new();
        let mut reservations = Vec::new();
        let mut names = Vec::new();
        self.each_file(|name| names.push(name.to_owned()))?;
        for name in names {
            let Some(address) = address_of(&name) else { continue };
            let path = self.dir.join(name);
            match read(&path, &mut content) {
                // Freed by somebody who does not lock.
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                read => read.map_err(failed("read", &path))?,
            }
            let owner = Owner::parse(&String::from_utf8_lossy(&content));
            reservations.push(Reservation { address, owner });
        }
        Ok(reservations)
    }

    pub(super) fn reserve(&self, address: IpAddr, owner: &Owner) -> Result<bool, StoreError> {
        let path = self.path(address);
        let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => return Ok(false),
            opened => opened.map_err(failed("create", &path))?,
        };
        let written = file.write_all(owner.to_string().as_bytes());
        written.map(|()| true).map_err(|e| {
            let error = failed("write", &path)(e);
            // The first error is the one to tell.
            let _ = self.release(address);
            error
        })
    }

    /// Frees an address; succeeds if it is free. The index is built again then.
    pub(crate) fn release(&self, address: IpAddr) -> Result<(), StoreError> {
        let path = self.path(address);
        match fs::remove_file(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(failed("remove", &path)),
        }
    }

    /// The address that a set gave last; `None` when that is not known, which costs no more than the turn.
    pub(super) fn last_reserved(&self, set: usize) -> Option<IpAddr> {
        let mut content = Vec::new();
        read(&self.last_reserved_path(set), &mut content).ok()?;
        std::str::from_utf8(&content).ok()?.trim().parse().ok()
    }

    pub(super) fn set_last_reserved(&self, set: usize, address: IpAddr) -> Result<(), StoreError> {
        let path = self.last_reserved_path(set);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600).custom_flags(AS_IT_IS);
        let file = options.open(&path);
        let written = file.and_then(|mut file| file.write_all(address.to_string().as_bytes()));
        written.map_err(failed("write", &path))
    }

    pub(super) fn path(&self, address: IpAddr) -> PathBuf {
        self.dir.join(address.to_string())
    }

    fn last_reserved_path(&self, set: usize) -> PathBuf {
        self.dir.join(format!("last_reserved_ip.{set}"))
    }
}

/// Returns true if addresses could be reserved in a directory, or the directory be made. Changes nothing.
pub(crate) fn check_writable(dir: &Path) -> Result<(), StoreError> {
    let existing = dir.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(dir);
    access(existing, AccessFlags::W_OK | AccessFlags::X_OK).map_err(failed("write to", existing))
}

/// Locks a file until it is closed.
fn lock(file: File) -> io::Result<File> {
    retry_on_intr(|| flock(&file, FlockOperation::LockExclusive))?;
    Ok(file)
}

/// The address whose reservation a file is; `None` for the other files of the directory.
fn address_of(file_name: &OsStr) -> Option<IpAddr> {
    file_name.to_str()?.parse().ok()
}

/// Reads a small file: an ADD reads one for each address in use, so each system call counts.
pub(super) fn read(path: &Path, content: &mut Vec<u8>) -> io::Result<()> {
    const ENOUGH: usize = 1024;
    let mut file = OpenOptions::new().read(true).custom_flags(AS_IT_IS).open(path)?;
    content.resize(ENOUGH, 0);
    let length = retry_on_intr(|| rustix::io::read(&file, content.as_mut_slice()))?;
    content.truncate(length);
    match length {
        ENOUGH => file.read_to_end(content).map(drop),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
