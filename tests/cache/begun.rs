//! What somebody else put in the place of a record of what is begun, or of a lock.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use libcni::cache::unlocked;
use libcni::runtime::Keep;
use libcni::spec::Command;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::{OwnCache, entry, key};
use crate::support::{Sandbox, attachment, promptly};

/// The files in the cache's directory whose names start like this.
fn files(dir: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(prefix)).collect()
}

/// The name of the record of an ADD to `net` of `c1`'s eth0.
fn intent() -> String {
    let own = OwnCache::new();
    let key = key("net", "c1", "eth0");
    unlocked::begin(&own.cache, &key, &entry(&key)).unwrap();
    let [path] = &files(own.cache.dir(), ".intent-")[..] else { panic!("no record") };
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Every verb ends, whatever is in this place; what is outside stays as it is.
#[track_caller]
fn blocks_no_verb(name: &str, plant: impl Fn(&Path)) {
    let sandbox = Sandbox::new().plugins(["one"]);
    fs::create_dir(sandbox.path("cache")).unwrap();
    fs::write(sandbox.path("victim"), "precious").unwrap();
    plant(&sandbox.path("cache").join(name));
    let cni = sandbox.builder().on_notice(|_| {}).build().unwrap();
    let (network, mine) = (sandbox.network(), attachment("c1", "eth0"));
    let other = attachment("c2", "eth0");
    promptly(|| {
        cni.add(&network, &other).unwrap_or_else(|e| panic!("ADD of another: {e:?}"));
        let added = cni.add(&network, &mine);
        let deleted = cni.del(&network, &mine);
        let collected = cni.gc(&network, &Keep::Nothing);
        assert!(collected.is_ok(), "{name}: {added:?} {deleted:?} {collected:?}");
    });
    assert_eq!(fs::read_to_string(sandbox.path("victim")).unwrap(), "precious");
    assert!(sandbox.calls().contains(&format!("{} one", Command::Del)), "{:?}", sandbox.calls());
    assert!(sandbox.cached().is_empty(), "{name}: {:?}", sandbox.cached());
}

fn victim(path: &Path) -> PathBuf {
    path.parent().unwrap().parent().unwrap().join("victim")
}

#[test]
fn nothing_in_the_place_of_a_record_blocks_a_verb() {
    let name = intent();
    for name in [&*name, ".intent-net-c9-eth0.0123456789abcdef"] {
        blocks_no_verb(name, |path| mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap());
        blocks_no_verb(name, |path| symlink(victim(path), path).unwrap());
        blocks_no_verb(name, |path| symlink("nowhere", path).unwrap());
        blocks_no_verb(name, |path| symlink("/dev/zero", path).unwrap());
        blocks_no_verb(name, |path| fs::hard_link(victim(path), path).unwrap());
        blocks_no_verb(name, |path| fs::write(path, "").unwrap());
        blocks_no_verb(name, |path| fs::write(path, b"{\xff").unwrap());
        blocks_no_verb(name, |path| fs::write(path, "[".repeat(100_000)).unwrap());
        blocks_no_verb(name, |path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap());
    }
}

#[test]
fn nothing_in_the_place_of_a_lock_that_is_no_file_blocks_a_verb_for_ever() {
    for name in [".lock-network-other", ".lock-container-c9"] {
        blocks_no_verb(name, |path| mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap());
        blocks_no_verb(name, |path| symlink(victim(path), path).unwrap());
        blocks_no_verb(name, |path| fs::create_dir(path).unwrap());
    }
    for name in [".lock-network-net", ".lock-container-c1"] {
        blocks_no_verb(name, |path| fs::write(path, [0xff; 100_000]).unwrap());
        blocks_no_verb(name, |path| fs::hard_link(victim(path), path).unwrap());
    }
}
