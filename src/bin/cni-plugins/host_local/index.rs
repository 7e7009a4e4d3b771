//! Which addresses an owner has, without opening every reservation.
//!
//! The index is the content of the file `lock`, which everybody holds `flock` on and nobody reads. It is a hash table
//! of records, changed in place. A mark ties it to the directory: after each change, the directory gets a modification
//! time that the kernel never gives, and the mark has the same one. Whoever else adds or removes a file sets another
//! time, and so does a crash half-way; then the index is made anew from the files. It does not outlive a boot, since
//! after a power failure the disk may have one without the other.
//!
//! Only hints come out of it: what a file says is read before it counts.

use std::fs::{self, File, FileTimes};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::host_local::owner::Owner;

const MAGIC: [u8; 8] = *b"cni-ix1\n";
const MARK: usize = 64;
const RECORD: usize = 32;
/// Records that are read at once.
const CHUNK: usize = 32;
const MIN_CAPACITY: u64 = 128;

/// The state of a directory that an index is for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark {
    boot: [u8; 16],
    modified: (i64, i64),
    inode: u64,
    capacity: u64,
    /// Records that are not empty, removed ones included.
    used: u64,
}

/// An owner's hash and one address of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Record {
    Empty,
    Removed,
    Address(u64, IpAddr),
}

/// The index of a locked directory.
pub(crate) struct Index<'a> {
    file: &'a File,
    dir: File,
    mark: Mark,
}

impl<'a> Index<'a> {
    /// Opens the index in a lock file; `None` when it is not that of the directory as it is now.
    pub(crate) fn open(file: &'a File, dir: &Path) -> io::Result<Option<Self>> {
        let mut bytes = [0; MARK];
        if file.read_at(&mut bytes, 0)? < MARK {
            return Ok(None);
        }
        let dir = File::open(dir)?;
        let index = Mark::parse(&bytes).filter(|mark| mark.is_of(&dir)).map(|mark| Self { file, dir, mark });
        Ok(index)
    }

    /// Builds the index again.
    pub(crate) fn make(file: &'a File, dir: &Path, reservations: &[(IpAddr, Option<Owner>)]) -> io::Result<Self> {
        let capacity = (reservations.len() as u64 * 4).next_power_of_two().max(MIN_CAPACITY);
        file.set_len(0)?;
        file.set_len(MARK as u64 + capacity * RECORD as u64)?;
        let mark = Mark { boot: boot(), modified: (0, 0), inode: 0, capacity, used: 0 };
        let mut records = vec![0; usize::try_from(capacity).unwrap_or_default() * RECORD];
        let mut index = Self { file, dir: File::open(dir)?, mark };
        for (address, owner) in reservations {
            let hash = hash(owner.as_ref());
            let mut slot = index.slot(hash);
            while !matches!(Record::parse(&records[slot * RECORD..]), Record::Empty) {
                slot = (slot + 1) % (records.len() / RECORD);
            }
            records[slot * RECORD..][..RECORD].copy_from_slice(&Record::Address(hash, *address).bytes());
            index.mark.used += 1;
        }
        index.file.write_all_at(&records, MARK as u64)?;
        Ok(index)
    }

    /// The addresses that an owner may have.
    pub(crate) fn addresses(&self, owner: Option<&Owner>) -> io::Result<Vec<IpAddr>> {
        let hash = hash(owner);
        let mut addresses = Vec::new();
        self.walk(hash, |_, record| {
            if let Record::Address(of, address) = record
                && of == hash
            {
                addresses.push(address);
            }
            record == Record::Empty
        })?;
        Ok(addresses)
    }

    /// Adds an address; false if there is no room, and the index must be built again.
    pub(crate) fn insert(&mut self, owner: &Owner, address: IpAddr) -> io::Result<bool> {
        if self.mark.used * 2 >= self.mark.capacity {
            return Ok(false);
        }
        let hash = hash(Some(owner));
        let found = self.walk(hash, |_, record| !matches!(record, Record::Address(..)))?;
        let Some((slot, record)) = found else { return Ok(false) };
        self.mark.used += u64::from(record == Record::Empty);
        self.write(slot, Record::Address(hash, address))?;
        Ok(true)
    }

    pub(crate) fn remove(&mut self, owner: Option<&Owner>, address: IpAddr) -> io::Result<()> {
        let wanted = Record::Address(hash(owner), address);
        let found = self.walk(hash(owner), |_, record| record == wanted || record == Record::Empty)?;
        match found.filter(|(_, record)| *record == wanted) {
            Some((slot, _)) => self.write(slot, Record::Removed),
            None => Ok(()),
        }
    }

    /// Ties the index to the directory as it is now.
    pub(crate) fn seal(mut self) -> io::Result<()> {
        // In the past: the kernel gives the present.
        let unique = SystemTime::now() - Duration::from_secs(2);
        self.dir.set_times(FileTimes::new().set_modified(unique))?;
        let found = self.dir.metadata()?;
        self.mark = Mark { modified: (found.mtime(), found.mtime_nsec()), inode: found.ino(), ..self.mark };
        self.file.write_all_at(&self.mark.bytes(), 0)
    }

    /// Goes through the records from where a hash belongs, up to the first one that ends the walk.
    fn walk(&self, hash: u64, mut ends: impl FnMut(usize, Record) -> bool) -> io::Result<Option<(usize, Record)>> {
        let capacity = usize::try_from(self.mark.capacity).unwrap_or_default();
        let (mut slot, mut left) = (self.slot(hash), capacity);
        let mut chunk = [0; CHUNK * RECORD];
        while left > 0 {
            let count = CHUNK.min(capacity - slot).min(left);
            let records = &mut chunk[..count * RECORD];
            self.file.read_exact_at(records, (MARK + slot * RECORD) as u64)?;
            for (n, bytes) in records.chunks_exact(RECORD).enumerate() {
                let record = Record::parse(bytes);
                if ends(slot + n, record) {
                    return Ok(Some((slot + n, record)));
                }
            }
            left -= count;
            slot = (slot + count) % capacity;
        }
        Ok(None)
    }

    fn slot(&self, hash: u64) -> usize {
        usize::try_from(hash % self.mark.capacity).unwrap_or_default()
    }

    fn write(&self, slot: usize, record: Record) -> io::Result<()> {
        self.file.write_all_at(&record.bytes(), (MARK + slot * RECORD) as u64)
    }
}

impl Mark {
    fn parse(bytes: &[u8; MARK]) -> Option<Self> {
        let number = |at: usize| bytes[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let mark = Self {
            boot: *bytes[8..].first_chunk()?,
            modified: (number(24).cast_signed(), number(32).cast_signed()),
            inode: number(40),
            capacity: number(48),
            used: number(56),
        };
        (bytes.starts_with(&MAGIC) && mark.capacity >= MIN_CAPACITY).then_some(mark)
    }

    fn bytes(&self) -> [u8; MARK] {
        let mut bytes = [0; MARK];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..24].copy_from_slice(&self.boot);
        let modified = [self.modified.0.cast_unsigned(), self.modified.1.cast_unsigned()];
        let numbers = modified.into_iter().chain([self.inode, self.capacity, self.used]);
        for (bytes, number) in bytes[24..].chunks_exact_mut(8).zip(numbers) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    fn is_of(&self, dir: &File) -> bool {
        let Ok(found) = dir.metadata() else { return false };
        self.modified == (found.mtime(), found.mtime_nsec()) && self.inode == found.ino() && self.boot == boot()
    }
}

impl Record {
    fn parse(bytes: &[u8]) -> Self {
        let hash = bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let address = bytes[16..].first_chunk::<16>().map(|bytes| Ipv6Addr::from(*bytes));
        match (bytes[8], address) {
            (1, Some(address)) => Self::Address(hash, address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4)),
            (2, _) => Self::Removed,
            _ => Self::Empty,
        }
    }

    fn bytes(self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        match self {
            Self::Empty => {}
            Self::Removed => bytes[8] = 2,
            Self::Address(hash, address) => {
                bytes[..8].copy_from_slice(&hash.to_le_bytes());
                bytes[8] = 1;
                let address = match address {
                    IpAddr::V4(address) => address.to_ipv6_mapped(),
                    IpAddr::V6(address) => address,
                };
                bytes[16..].copy_from_slice(&address.octets());
            }
        }
        bytes
    }
}

/// A hash of an owner, or of none, which is the same in all versions of this program: FNV-1a.
fn hash(owner: Option<&Owner>) -> u64 {
    let text = owner.map(ToString::to_string).unwrap_or_default();
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The ID that tells this boot from others; zeros where the kernel does not say.
fn boot() -> [u8; 16] {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).unwrap_or_default().to_be_bytes()
}
