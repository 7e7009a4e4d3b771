//! A cache on a disk that is full or read-only.

use libcni::Error;
use libcni::cache::CacheError;
use libcni::runtime::Notice;

use crate::Test;
use crate::chain::network;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("disk::an_add_on_a_full_disk_leaves_nothing", an_add_on_a_full_disk_leaves_nothing),
    ("disk::del_works_on_a_full_disk", del_works_on_a_full_disk),
    ("disk::nothing_is_added_on_a_read_only_disk", nothing_is_added_on_a_read_only_disk),
    ("disk::del_on_a_read_only_disk_says_what_is_left", del_on_a_read_only_disk_says_what_is_left),
];

/// A file system of a few pages for the cache. It goes first: a directory that it is mounted on can't be removed.
struct SmallDisk<'a>(&'a Host);

impl<'a> SmallDisk<'a> {
    fn new(host: &'a Host) -> Self {
        host.run("mkdir cache && mount -t tmpfs -o size=32k tmpfs cache");
        Self(host)
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        self.0.run("umount cache && rmdir cache");
    }
}

fn fill(host: &Host) {
    host.run("dd if=/dev/zero of=cache/filler bs=1k count=64 2>/dev/null || true");
}

fn an_add_on_a_full_disk_leaves_nothing(host: &Host) {
    // Full at once, or after the record of what is begun, or in the middle of the entry.
    for free in [0, 1, 2] {
        let _disk = SmallDisk::new(host);
        host.run("mkdir cache/results");
        fill(host);
        host.run(&format!("truncate -s -$(({free} * 4096)) cache/filler"));
        let error = host.cni().add(&network(host, "1.0.0"), &host.attachment()).unwrap_err();
        assert!(!error.needs_cleanup(), "{free} pages: {error:?}");
        host.run("rm cache/filler");
        assert_eq!(host.run("find cache -type f"), "", "{free} pages");
        host.has_no_trace();
    }
}

fn del_works_on_a_full_disk(host: &Host) {
    let _disk = SmallDisk::new(host);
    host.cni().add(&network(host, "1.0.0"), &host.attachment()).unwrap();
    fill(host);
    let cni = host
        .cni()
        .to_builder()
        .on_notice(|notice| assert!(matches!(notice, Notice::Unlocked { .. }), "{notice:?}"))
        .build()
        .unwrap();
    cni.del(&network(host, "1.0.0"), &host.attachment()).unwrap();
    host.has_no_trace();
}

fn nothing_is_added_on_a_read_only_disk(host: &Host) {
    let _disk = SmallDisk::new(host);
    host.run("mount -o remount,ro cache");
    let error = host.cni().add(&network(host, "1.0.0"), &host.attachment()).unwrap_err();
    assert!(matches!(error, Error::Lock(_)) && !error.needs_cleanup(), "{error:?}");
    host.has_no_trace();
}

fn del_on_a_read_only_disk_says_what_is_left(host: &Host) {
    let _disk = SmallDisk::new(host);
    host.cni().add(&network(host, "1.0.0"), &host.attachment()).unwrap();
    host.run("mount -o remount,ro cache");
    let cni = host
        .cni()
        .to_builder()
        .on_notice(|notice| assert!(matches!(notice, Notice::Unlocked { .. }), "{notice:?}"))
        .build()
        .unwrap();
    let error = cni.del(&network(host, "1.0.0"), &host.attachment()).unwrap_err();
    assert!(matches!(error, Error::Cache(CacheError::Io { .. })), "{error:?}");
    assert_eq!(host.reservations(), Vec::<String>::new(), "the plugins have done their work");
    host.run("mount -o remount,rw cache");
    host.cni().del(&network(host, "1.0.0"), &host.attachment()).unwrap();
    host.has_no_trace();
}
