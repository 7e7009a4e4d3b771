//! The cache on disk.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use libcni::cache::unlocked;
use libcni::cache::{Cache, Cached, Entry, Key};
use libcni::netns::Identity;
use libcni::spec::Object;
use tempfile::TempDir;

mod begun;
mod names;
mod planted;

/// A cache in a directory of its own.
struct OwnCache {
    dir: TempDir,
    cache: Cache,
}

impl OwnCache {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().join("cni"));
        Self { dir, cache }
    }

    fn results(&self) -> PathBuf {
        self.dir.path().join("cni/results")
    }

    /// The path of a file of the cache, whose directory is there from now on.
    fn file(&self, name: &str) -> PathBuf {
        fs::create_dir_all(self.results()).unwrap();
        self.results().join(name)
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.results()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Writes an entry for this key, and returns it.
    #[track_caller]
    fn write(&self, key: &Key) -> Entry {
        let entry = entry(key);
        unlocked::write(&self.cache, key, &entry).unwrap();
        entry
    }

    #[track_caller]
    fn read(&self, key: &Key) -> Option<Entry> {
        match self.cache.read(key).unwrap() {
            Some(Cached::Entry(entry)) => Some(entry),
            None => None,
            other => panic!("{other:?}"),
        }
    }
}

#[track_caller]
fn key(network: &str, container_id: &str, ifname: &str) -> Key {
    let container_id = container_id.parse().unwrap();
    Key::new(network.parse().unwrap(), container_id, ifname.parse().unwrap())
}

fn entry(key: &Key) -> Entry {
    let result = r#"{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/24"}],"odd":12345678901234567890}"#;
    Entry::default()
        .container_id(key.container_id.as_str())
        .network(key.network.as_str())
        .ifname(key.ifname.as_str())
        .netns("/run/netns/blue")
        .netns_identity(Identity::parse("4026532400@1764000000.115672729").unwrap())
        .args("K=V;K=W".parse().unwrap())
        .capability_args(Object::parse(r#"{"rate":1e400}"#).unwrap().into())
        .config(b"{\"name\": \"net\"}\n\xff")
        .result_object(Object::parse(result).unwrap())
}

#[test]
fn an_entry_is_read_as_it_was_written() {
    let own = OwnCache::new();
    let key = key("net", "c1", "eth0");
    assert_eq!(own.read(&key), None);
    let entry = own.write(&key);
    assert_eq!(own.read(&key), Some(entry));
    assert_eq!(own.files(), ["net-c1-eth0"]);
    unlocked::remove(&own.cache, &key).unwrap();
    assert_eq!(own.read(&key), None);
    assert!(own.files().is_empty());
    unlocked::remove(&own.cache, &key).unwrap();
}

#[test]
fn an_entry_replaces_the_earlier_one() {
    let own = OwnCache::new();
    let key = key("net", "c1", "eth0");
    own.write(&key);
    let newer = entry(&key).netns("/run/netns/red");
    unlocked::write(&own.cache, &key, &newer).unwrap();
    assert_eq!(own.read(&key), Some(newer));
    assert_eq!(own.files(), ["net-c1-eth0"]);
}

#[test]
fn directory_and_files_are_for_the_owner_alone() {
    let own = OwnCache::new();
    own.write(&key("net", "c1", "eth0"));
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    for (path, expected) in [("cni", 0o700), ("cni/results", 0o700), ("cni/results/net-c1-eth0", 0o600)] {
        assert_eq!(mode(own.dir.path().join(path)), expected, "{path}");
    }
}

#[test]
fn what_an_entry_replaces_does_not_pass_on_its_mode() {
    let own = OwnCache::new();
    let file = own.file("net-c1-eth0");
    fs::write(&file, "{}").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    own.write(&key("net", "c1", "eth0"));
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn the_file_is_what_go_writes() {
    let own = OwnCache::new();
    let key = key("net", "c1", "eth0");
    let mut entry = entry(&key);
    entry.netns_identity = None;
    unlocked::write(&own.cache, &key, &entry).unwrap();
    let text = fs::read_to_string(own.file("net-c1-eth0")).unwrap();
    let expected = r#"{"kind":"cniCacheV1","containerId":"c1","config":"eyJuYW1lIjogIm5ldCJ9Cv8=","ifName":"eth0","networkName":"net","netns":"/run/netns/blue","cniArgs":[["K","V"],["K","W"]],"capabilityArgs":{"rate":1e400},"result":{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/24"}],"odd":12345678901234567890}}"#;
    assert_eq!(text, expected);
}

#[test]
fn an_entry_of_go_is_read_in_any_order_and_case_of_its_keys() {
    let own = OwnCache::new();
    let text = r#"{"result":{"cniVersion":"1.0.0","dns":{}},"capabilityArgs":{"mac":"x"},"cniArgs":[["IgnoreUnknown","1"]],"netns":"/proc/7/ns/net","NetworkName":"net","IFNAME":"eth0","config":"e30=","containerID":"c1","kind":"cniCacheV1","added":"later"}"#;
    fs::write(own.file("net-c1-eth0"), text).unwrap();
    let entry = own.read(&key("net", "c1", "eth0")).unwrap();
    assert_eq!((entry.netns.clone().unwrap(), entry.config.as_slice()), ("/proc/7/ns/net".into(), b"{}".as_slice()));
    assert_eq!(entry.args.to_string(), "IgnoreUnknown=1");
    assert_eq!(entry.capability_args.to_string(), r#"{"mac":"x"}"#);
    assert_eq!(own.cache.attachments(None).unwrap().entries, [entry]);
}

#[test]
fn a_bare_result_of_an_old_go_is_read_but_is_no_attachment() {
    let own = OwnCache::new();
    fs::write(own.file("net-c1-eth0"), r#"{"cniVersion":"0.3.1","dns":{"domain":"old"}}"#).unwrap();
    let cached = own.cache.read(&key("net", "c1", "eth0")).unwrap().unwrap();
    assert_eq!(cached.result().unwrap().latest().dns.domain.as_deref(), Some("old"));
    let listing = own.cache.attachments(None).unwrap();
    assert!(listing.entries.is_empty() && listing.unreadable.len() == 1, "{listing:?}");
}

#[test]
fn the_attachments_of_one_container_are_its_own() {
    let own = OwnCache::new();
    let [first, second] = [key("net", "c1", "eth0"), key("other", "c1", "eth1")].map(|key| own.write(&key));
    own.write(&key("net", "c2", "eth0"));
    own.write(&key("net-c1", "c3", "eth0"));
    let listing = own.cache.attachments(Some(&"c1".parse().unwrap())).unwrap();
    assert_eq!(listing.entries, [first, second]);
    assert_eq!(own.cache.attachments(None).unwrap().entries.len(), 4);
}

#[test]
fn a_cache_that_does_not_exist_is_empty() {
    let own = OwnCache::new();
    let listing = own.cache.attachments(None).unwrap();
    assert!(listing.entries.is_empty() && listing.unreadable.is_empty());
    assert!(!own.dir.path().join("cni").exists());
}

#[test]
fn readers_see_an_entry_whole_while_it_is_replaced() {
    let own = OwnCache::new();
    let key = key("net", "c1", "eth0");
    own.write(&key);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| (0..50).for_each(|_| drop(own.write(&key))));
        while !writing.is_finished() {
            assert_eq!(own.read(&key), Some(entry(&key)));
        }
    });
    assert_eq!(own.files(), ["net-c1-eth0"]);
}
