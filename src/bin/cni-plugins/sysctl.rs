//! IPv6 settings of interfaces, for which netlink has no request.

use std::fs::File;
use std::io::{self, Read, Write};

use libcni::plugin::{Answer, Failure};
use rustix::fs::{Mode, OFlags, openat};

const DIR: &str = "/proc/sys/net/ipv6/conf";

/// The IPv6 settings of the interfaces of one network namespace. Keeps to that namespace wherever it is used.
#[derive(Debug)]
pub(crate) struct Ipv6Settings {
    /// None on a kernel without IPv6.
    dir: Option<File>,
}

impl Ipv6Settings {
    /// Those of the namespace of the calling thread.
    pub(crate) fn here() -> Answer<Self> {
        match File::open(DIR) {
            Ok(dir) => Ok(Self { dir: Some(dir) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self { dir: None }),
            Err(error) => Err(Failure::internal(format!("cannot open {DIR}: {error}"))),
        }
    }

    /// Sets a setting to a value, unless it has it. A kernel that does not know it is fine.
    pub(crate) fn ensure(&self, ifname: &str, key: &str, value: &str) -> Answer {
        let Some(set) = self.write(ifname, key, value) else { return Ok(()) };
        match set {
            Err(error) if error.kind() == io::ErrorKind::NotFound || self.is(ifname, key, value) => Ok(()),
            set => set.map_err(|error| cannot_set(ifname, key, value, &error)),
        }
    }

    /// Sets a setting to a value, unless it has it; looks first, since setting this one takes the kernel long.
    ///
    /// # Errors
    /// It can't be set, or the kernel does not know it.
    pub(crate) fn require(&self, ifname: &str, key: &str, value: &str) -> Answer {
        if self.is(ifname, key, value) {
            return Ok(());
        }
        let unknown = || Err(io::Error::new(io::ErrorKind::NotFound, "the kernel has no IPv6"));
        let set = self.write(ifname, key, value).unwrap_or_else(unknown);
        set.map_err(|error| cannot_set(ifname, key, value, &error))
    }

    /// Sets a setting if that can be done.
    pub(crate) fn prefer(&self, ifname: &str, key: &str, value: &str) {
        let _ = self.write(ifname, key, value);
    }

    fn write(&self, ifname: &str, key: &str, value: &str) -> Option<io::Result<()>> {
        let file = self.open(ifname, key, OFlags::WRONLY)?;
        Some(file.and_then(|mut file| file.write_all(value.as_bytes())))
    }

    fn is(&self, ifname: &str, key: &str, value: &str) -> bool {
        let Some(Ok(mut file)) = self.open(ifname, key, OFlags::RDONLY) else { return false };
        let mut text = String::new();
        file.read_to_string(&mut text).is_ok() && text.trim_end() == value
    }

    fn open(&self, ifname: &str, key: &str, how: OFlags) -> Option<io::Result<File>> {
        let file = openat(self.dir.as_ref()?, format!("{ifname}/{key}"), how | OFlags::CLOEXEC, Mode::empty());
        Some(file.map(File::from).map_err(io::Error::from))
    }
}

fn cannot_set(ifname: &str, key: &str, value: &str, error: &io::Error) -> Failure {
    Failure::internal(format!("cannot set {DIR}/{ifname}/{key} to {value}: {error}"))
}
