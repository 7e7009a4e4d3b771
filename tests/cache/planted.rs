//! What somebody else put in the place of an entry.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;

use libcni::cache::unlocked;
use libcni::cache::{CacheError, Cached};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::{OwnCache, entry, key};
use crate::support::chain;

/// What is planted is not read as an entry, is listed as unreadable, is replaced by a write, and is removed itself.
#[track_caller]
fn is_never_taken_for_an_entry(plant: impl Fn(&Path)) {
    let own = OwnCache::new();
    let (key, file) = (key("net", "c1", "eth0"), own.file("net-c1-eth0"));
    plant(&file);
    let error = own.cache.read(&key).expect_err("it is no entry");
    assert!(chain(&error).contains("net-c1-eth0"), "{error}");
    let listing = own.cache.attachments(None).unwrap();
    assert!(listing.entries.is_empty() && listing.unreadable.len() == 1, "{listing:?}");
    unlocked::remove(&own.cache, &key).unwrap();
    assert!(fs::symlink_metadata(&file).is_err(), "it is still there");
    plant(&file);
    own.write(&key);
    assert!(fs::symlink_metadata(&file).unwrap().is_file(), "it was written through");
    assert_eq!(own.read(&key), Some(entry(&key)));
}

#[test]
fn a_link_is_not_followed_and_removed_itself() {
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    let other = OwnCache::new();
    other.write(&key("net", "c1", "eth0"));
    fs::copy(other.file("net-c1-eth0"), &victim).unwrap();
    let before = fs::read(&victim).unwrap();
    is_never_taken_for_an_entry(|path| symlink(&victim, path).unwrap());
    assert_eq!(fs::read(&victim).unwrap(), before);
}

#[test]
fn a_dangling_link_does_not_make_its_target() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("made");
    is_never_taken_for_an_entry(|path| symlink(&target, path).unwrap());
    assert!(!target.exists());
}

#[test]
fn a_fifo_does_not_block() {
    is_never_taken_for_an_entry(|path| mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap());
}

#[test]
fn a_link_to_a_device_is_not_read() {
    is_never_taken_for_an_entry(|path| symlink("/dev/zero", path).unwrap());
}

#[test]
fn garbage_is_never_taken_for_an_entry() {
    for garbage in [b"".as_slice(), b"{", b"[]", b"\xff\xfe", b"null", br#"{"kind":"cniCacheV1","config":"%"}"#] {
        is_never_taken_for_an_entry(|path| fs::write(path, garbage).unwrap());
    }
}

#[test]
fn an_entry_that_was_cut_short_is_never_taken_for_an_entry() {
    let own = OwnCache::new();
    own.write(&key("net", "c1", "eth0"));
    let whole = fs::read(own.file("net-c1-eth0")).unwrap();
    for length in (0..whole.len()).step_by(29) {
        is_never_taken_for_an_entry(|path| fs::write(path, &whole[..length]).unwrap());
    }
}

#[test]
fn an_entry_that_is_deep_is_read_or_refused_and_ends_nobody() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let own = OwnCache::new();
    let key = key("net", "c1", "eth0");
    own.write(&key);
    let whole = fs::read_to_string(own.file("net-c1-eth0")).unwrap();
    fs::write(own.file("net-c1-eth0"), whole.replace(r#""odd":12345678901234567890"#, &format!(r#""odd":{deep}"#)))
        .unwrap();
    let read = own.read(&key).unwrap();
    assert!(read.result.get("odd").unwrap().as_str() == deep);
    assert!(Cached::Entry(read).result().unwrap().to_json_pretty().len() < 2 * deep.len());
    for key in ["cniArgs", "containerId", "capabilityArgs", "result"] {
        is_never_taken_for_an_entry(|path| {
            fs::write(path, format!(r#"{{"kind":"cniCacheV1","networkName":"net","ifName":"eth0","{key}":{deep}}}"#))
                .unwrap()
        });
    }
}

#[test]
fn a_huge_file_is_not_read() {
    is_never_taken_for_an_entry(|path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap());
}

#[test]
fn a_hard_link_to_another_file_is_replaced_and_not_written_through() {
    let own = OwnCache::new();
    let victim = own.file("victim");
    fs::write(&victim, "precious").unwrap();
    fs::hard_link(&victim, own.file("net-c1-eth0")).unwrap();
    own.write(&key("net", "c1", "eth0"));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

#[test]
fn a_fifo_is_still_there_after_reading() {
    let own = OwnCache::new();
    let file = own.file("net-c1-eth0");
    mkfifo(&file, Mode::S_IRUSR).unwrap();
    own.cache.read(&key("net", "c1", "eth0")).expect_err("a FIFO is no entry");
    assert!(fs::metadata(&file).unwrap().file_type().is_fifo());
}

#[test]
fn a_directory_in_the_place_of_an_entry_is_an_error_that_names_it() {
    let own = OwnCache::new();
    fs::create_dir(own.file("net-c1-eth0")).unwrap();
    let key = key("net", "c1", "eth0");
    for error in [
        own.cache.read(&key).map(drop),
        unlocked::write(&own.cache, &key, &entry(&key)),
        unlocked::remove(&own.cache, &key),
    ] {
        let error = error.expect_err("a directory is no entry");
        assert!(matches!(&error, CacheError::Io { path, .. } if path.ends_with("net-c1-eth0")), "{error:?}");
    }
    assert_eq!(own.files(), ["net-c1-eth0"], "nothing unfinished is left");
}
