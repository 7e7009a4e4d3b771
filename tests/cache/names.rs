//! File names of entries.

use std::fs;

use libcni::cache::unlocked;

use super::{OwnCache, entry, key};
use crate::support::chain;

#[test]
fn two_keys_that_want_one_file_both_keep_their_entry() {
    let own = OwnCache::new();
    let keys = [key("a-b", "c", "eth0"), key("a", "b-c", "eth0")];
    let entries = keys.each_ref().map(|key| own.write(key));
    for (key, entry) in keys.iter().zip(&entries) {
        assert_eq!(own.read(key).as_ref(), Some(entry), "{key:?}");
    }
    let mut listed = own.cache.attachments(None).unwrap().entries;
    listed.sort_by(|a, b| b.network.cmp(&a.network));
    assert_eq!(listed, entries);
}

#[test]
fn removing_one_of_two_keys_that_want_one_file_leaves_the_other() {
    for (removed, kept) in [(0, 1), (1, 0)] {
        let own = OwnCache::new();
        let keys = [key("a-b", "c", "eth0"), key("a", "b-c", "eth0")];
        keys.iter().for_each(|key| drop(own.write(key)));
        unlocked::remove(&own.cache, &keys[removed]).unwrap();
        assert_eq!(own.read(&keys[removed]), None);
        assert_eq!(own.read(&keys[kept]), Some(entry(&keys[kept])));
    }
}

#[test]
fn an_entry_beside_the_usual_file_is_replaced_and_not_doubled() {
    let own = OwnCache::new();
    let keys = [key("a-b", "c", "eth0"), key("a", "b-c", "eth0")];
    keys.iter().for_each(|key| drop(own.write(key)));
    unlocked::remove(&own.cache, &keys[0]).unwrap();
    let newer = entry(&keys[1]).netns("/run/netns/red");
    unlocked::write(&own.cache, &keys[1], &newer).unwrap();
    assert_eq!(own.read(&keys[1]).as_ref(), Some(&newer));
    assert_eq!(own.cache.attachments(None).unwrap().entries, [newer]);
    unlocked::remove(&own.cache, &keys[1]).unwrap();
    assert_eq!(own.read(&keys[1]), None);
    assert_eq!(own.cache.attachments(None).unwrap().entries, []);
    assert!(own.files().is_empty(), "{:?}", own.files());
}

#[test]
fn names_that_are_too_long_for_a_file_work() {
    let own = OwnCache::new();
    let long = "x".repeat(300);
    let keys = [key(&long, "c1", "eth0"), key("net", &long, "eth0"), key("net", &long, "eth1")];
    let entries = keys.each_ref().map(|key| own.write(key));
    for (key, entry) in keys.iter().zip(entries) {
        assert_eq!(own.read(key).as_ref(), Some(&entry));
        let listing = own.cache.attachments_to(&key.network).unwrap();
        assert!(listing.entries.contains(&entry), "{} is not listed by its network", entry.ifname);
        let listing = own.cache.attachments(Some(&key.container_id)).unwrap();
        assert!(listing.entries.contains(&entry), "{} is not listed by its container", entry.ifname);
        unlocked::remove(&own.cache, key).unwrap();
        assert_eq!(own.read(key), None);
    }
    assert!(own.files().is_empty());
}

#[test]
fn unfinished_files_are_not_listed() {
    let own = OwnCache::new();
    let key = key("net", "c1", "eth0");
    own.write(&key);
    fs::copy(own.file("net-c1-eth0"), own.file(".tmp-123-0-abc")).unwrap();
    let listing = own.cache.attachments(None).unwrap();
    assert_eq!(listing.entries.len(), 1);
    assert!(listing.unreadable.is_empty(), "{listing:?}");
}

#[test]
fn the_content_and_not_the_file_name_says_whose_an_entry_is() {
    let own = OwnCache::new();
    own.write(&key("net", "c1", "eth0"));
    fs::rename(own.file("net-c1-eth0"), own.file("net-c2-eth0")).unwrap();
    let error = own.cache.read(&key("net", "c2", "eth0")).unwrap_err();
    assert!(chain(&error).contains("it belongs to interface `eth0` of container `c1` on network `net`"), "{error:?}");
    unlocked::remove(&own.cache, &key("net", "c2", "eth0")).unwrap();
    assert_eq!(own.files(), ["net-c2-eth0"], "the entry of another attachment is not removed");
}
