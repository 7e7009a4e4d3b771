//! A file in the place of a cache entry.

use std::fs;
use std::path::Path;

use libcni::Chain;
use libcni::cache::unlocked;
use libcni::cache::{Cache, Cached, Key};
use tempfile::TempDir;

use super::parts;

thread_local! {
    static DIR: TempDir = parts::directory();
}

/// An entry that is read is written as the same entry; anything else is an error, or no entry, and can be removed.
pub fn holds(data: &[u8]) {
    DIR.with(|dir| holds_in(dir.path(), data));
}

fn holds_in(dir: &Path, data: &[u8]) {
    let cache = Cache::new(dir);
    let key = key("net", "c1", "eth0");
    let results = dir.join("results");
    fs::create_dir_all(&results).expect("a directory");
    fs::write(results.join("net-c1-eth0"), data).expect("a file");
    match cache.read(&key) {
        Ok(Some(Cached::Entry(entry))) => {
            let _ = Cached::Entry(entry.clone()).result();
            unlocked::write(&cache, &key, &entry).expect("it can be written");
            assert_eq!(cache.read(&key).expect("it can be read"), Some(Cached::Entry(entry)));
        }
        Ok(Some(bare)) => drop(bare.result()),
        Ok(None) => {}
        Err(error) => assert!(!Chain(&error).to_string().is_empty()),
    }
    let _ = cache.attachments(None);
    unlocked::remove(&cache, &key).expect("it can be removed");
}

fn key(network: &str, container_id: &str, ifname: &str) -> Key {
    let message = "a name";
    Key::new(network.parse().expect(message), container_id.parse().expect(message), ifname.parse().expect(message))
}
