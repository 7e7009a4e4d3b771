//! The reservations of one owner, found by the index, or, without an index, by reading all files.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

use crate::host_local::index::Index;
use crate::host_local::owner::Owner;
use crate::host_local::store::{Reservation, Store, StoreError, read};

/// The reservations of some owners, and the store, to change them.
pub(crate) struct Held<'a> {
    store: &'a Store,
    /// `None` without an index, so that every file must be read each time.
    index: Option<Index<'a>>,
    reservations: Vec<Reservation>,
    is_changed: bool,
}

impl Store {
    /// The reservations of some owners; `None` is nobody. As the index has them, where there is one.
    pub(crate) fn held_by(&self, owners: &[Option<Owner>]) -> Result<Held<'_>, StoreError> {
        // Without an index everything is slower, and all the same.
        if let Ok(Some(index)) = Index::open(&self.lock, &self.dir)
            && let Ok(Some(reservations)) = self.look_up(&index, owners)
        {
            return Ok(Held { store: self, index: Some(index), reservations, is_changed: false });
        }
        self.read_for(owners)
    }

    /// The same, for whoever has some: where the index knows of none, all files are read. A file that somebody edited
    /// in its place still says whose it is.
    pub(crate) fn surely_held_by(&self, owners: &[Option<Owner>]) -> Result<Held<'_>, StoreError> {
        let held = self.held_by(owners)?;
        if held.is_changed || held.reservations.iter().any(|reservation| reservation.owner.is_some()) {
            return Ok(held);
        }
        drop(held);
        self.read_for(owners)
    }

    fn read_for(&self, owners: &[Option<Owner>]) -> Result<Held<'_>, StoreError> {
        let mut reservations = self.reservations()?;
        let all: Vec<_> = reservations.iter().map(|r| (r.address, r.owner.clone())).collect();
        let index = Index::make(&self.lock, &self.dir, &all).ok();
        reservations.retain(|reservation| owners.contains(&reservation.owner));
        Ok(Held { store: self, index, reservations, is_changed: true })
    }

    /// The addresses in the index, checked with the files; `None` when they say otherwise.
    fn look_up(&self, index: &Index<'_>, owners: &[Option<Owner>]) -> io::Result<Option<Vec<Reservation>>> {
        let mut content = Vec::new();
        let mut reservations = Vec::new();
        for owner in owners {
            for address in index.addresses(owner.as_ref())? {
                read(&self.path(address), &mut content)?;
                let found = Owner::parse(&String::from_utf8_lossy(&content));
                if found != *owner {
                    return Ok(None);
                }
                reservations.push(Reservation { address, owner: found });
            }
        }
        Ok(Some(reservations))
    }
}

impl Held<'_> {
    pub(crate) fn reservations(&self) -> &[Reservation] {
        &self.reservations
    }

    /// Reserves an address; false when it is already reserved.
    pub(crate) fn reserve(&mut self, address: IpAddr, owner: &Owner) -> Result<bool, StoreError> {
        let is_reserved = self.store.reserve(address, owner)?;
        if is_reserved {
            self.is_changed = true;
            // If there is no room, or it can't be written, the next call builds it again.
            self.index.take_if(|index| !index.insert(owner, address).unwrap_or(false));
        }
        Ok(is_reserved)
    }

    /// Frees an address of an owner, or one without an owner; succeeds if it is free.
    pub(crate) fn release(&mut self, address: IpAddr, owner: Option<&Owner>) -> Result<(), StoreError> {
        self.store.release(address)?;
        self.is_changed = true;
        self.index.take_if(|index| index.remove(owner, address).is_err());
        Ok(())
    }

    pub(crate) fn last_reserved(&self, set: usize) -> Option<IpAddr> {
        self.store.last_reserved(set)
    }

    pub(crate) fn set_last_reserved(&mut self, set: usize, address: IpAddr) -> Result<(), StoreError> {
        self.is_changed = true;
        self.store.set_last_reserved(set, address)
    }

    pub(crate) fn taken(&self) -> Result<BTreeSet<IpAddr>, StoreError> {
        self.store.addresses()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(index) = self.index.take().filter(|_| self.is_changed) {
            // An index without its seal is built again.
            let _ = index.seal();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;

    use super::*;

    fn store(dir: &Path) -> Store {
        Store::create(dir.join("net")).unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The addresses of an owner, as the store says.
    fn of(store: &Store, owner: &Owner) -> Vec<IpAddr> {
        let held = store.held_by(&[Some(owner.clone())]).unwrap();
        let mut addresses: Vec<_> = held.reservations().iter().map(|reservation| reservation.address).collect();
        addresses.sort();
        addresses
    }

    /// The addresses of an owner, as the files say.
    fn in_files(store: &Store, owner: &Owner) -> Vec<IpAddr> {
        let of = store.reservations().unwrap().into_iter().filter(|r| r.owner.as_ref() == Some(owner));
        let mut addresses: Vec<_> = of.map(|reservation| reservation.address).collect();
        addresses.sort();
        addresses
    }

    #[test]
    fn what_others_do_to_the_files_is_seen_whoever_changed_them_when() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let owners: Vec<_> = (0..5).map(|n| Owner::new(format!("c{n}"), "eth0")).collect();
        // Steps that differ from run to run would hide what they find.
        let mut random = 7_u32;
        for _ in 0..400 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [what, owner, last, _] = random.to_be_bytes();
            let (owner, address) = (&owners[usize::from(owner) % 5], IpAddr::from([10, 0, 0, last % 32]));
            match what % 5 {
                0 | 1 => drop(store.held_by(&[]).unwrap().reserve(address, owner).unwrap()),
                2 => {
                    let mut held = store.held_by(&[Some(owner.clone())]).unwrap();
                    for reservation in held.reservations().to_vec() {
                        held.release(reservation.address, reservation.owner.as_ref()).unwrap();
                    }
                }
                3 if !store.path(address).exists() => fs::write(store.path(address), owner.to_string()).unwrap(),
                _ => drop(fs::remove_file(store.path(address))),
            }
            for owner in &owners {
                assert_eq!(of(&store, owner), in_files(&store, owner), "{owner}");
            }
        }
    }

    #[test]
    fn an_owner_is_found_without_opening_the_files_of_others() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let owner = Owner::new("c1", "eth0");
        let mut held = store.held_by(&[]).unwrap();
        for last in 1..200 {
            held.reserve(IpAddr::from([10, 0, 0, last]), &Owner::new(format!("other{last}"), "eth0")).unwrap();
        }
        held.reserve(address("fd00::7"), &owner).unwrap();
        drop(held);
        assert_eq!(of(&store, &owner), [address("fd00::7")]);
        // Reading this one would fail.
        let modified = fs::metadata(&store.dir).unwrap().modified().unwrap();
        fs::remove_file(store.path(address("10.0.0.9"))).unwrap();
        std::os::unix::fs::symlink("/proc/self/mem", store.path(address("10.0.0.9"))).unwrap();
        File::open(&store.dir).unwrap().set_modified(modified).unwrap();
        assert_eq!(of(&store, &owner), [address("fd00::7")]);
    }

    #[test]
    fn a_file_that_was_edited_in_its_place_says_whose_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let (before, after) = (Owner::new("c1", "eth0"), Owner::new("c1", "eth0").without_ifname());
        store.held_by(&[]).unwrap().reserve(address("10.0.0.2"), &before).unwrap();
        fs::write(store.path(address("10.0.0.2")), after.to_string()).unwrap();
        for owner in [&before, &after] {
            let held = store.surely_held_by(&[Some(owner.clone())]).unwrap();
            assert_eq!(held.reservations().len(), usize::from(owner == &after), "{owner}");
        }
    }

    #[test]
    fn a_lock_with_anything_in_it_is_no_index() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let owner = Owner::new("c1", "eth0");
        store.held_by(&[]).unwrap().reserve(address("10.0.0.2"), &owner).unwrap();
        let lock = store.dir.join("lock");
        let whole = fs::read(&lock).unwrap();
        for length in [0, 1, 63, 64, 65, whole.len() - 1] {
            fs::write(&lock, &whole[..length]).unwrap();
            assert_eq!(of(&store, &owner), [address("10.0.0.2")], "{length}");
        }
        fs::write(&lock, vec![0xff; whole.len()]).unwrap();
        assert_eq!(of(&store, &owner), [address("10.0.0.2")]);
    }
}
