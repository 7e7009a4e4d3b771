//! The directory itself, and those above it.

use std::fs;
use std::os::fd::AsRawFd;

use libcni::conf::{ConfDir, LoadError};
use libcni::watch::{Snapshot, Watcher};

use super::{Watched, quick};

#[test]
fn a_directory_that_does_not_exist_yet_is_waited_for() {
    let mut watched = Watched::below("etc/cni/net.d");
    let snapshot = watched.next();
    assert!(matches!(snapshot.listing(), Err(LoadError::NoConfigs { exists: false, .. })), "{snapshot:#?}");
    // One by one, each seen before the next is there.
    watched.mkdir("etc").nothing_new();
    watched.mkdir("etc/cni").nothing_new();
    let exists = |snapshot: &Snapshot| matches!(snapshot.listing(), Err(LoadError::NoConfigs { exists: true, .. }));
    watched.mkdir("etc/cni/net.d").until_it("has an empty directory", exists);
    watched.network("etc/cni/net.d/one.conflist", "one").until(["one"]);
}

#[test]
fn a_directory_that_is_made_with_all_in_it_at_once_is_seen() {
    let mut watched = Watched::below("etc/cni/net.d");
    watched.next();
    watched.mkdir("etc/cni/net.d").network("etc/cni/net.d/one.conflist", "one").until(["one"]);
}

#[test]
fn a_directory_that_is_removed_and_made_again_is_followed_on() {
    let mut watched = Watched::with_one();
    watched.next();
    for name in ["two", "three"] {
        watched.remove("net.d").until([]);
        watched.mkdir("net.d").network("net.d/file.conflist", name).until([name]);
    }
}

#[test]
fn a_directory_that_is_replaced_in_one_go_is_followed_on() {
    let mut watched = Watched::with_one();
    watched.next();
    watched.remove("net.d").mkdir("net.d").network("net.d/two.conflist", "two").until(["two"]);
    watched.network("net.d/two.conflist", "three").until(["three"]);
}

#[test]
fn a_directory_that_is_renamed_away_and_back_is_followed_on() {
    let mut watched = Watched::with_one();
    watched.next();
    watched.rename("net.d", "net.d.old").until([]);
    watched.network("net.d.old/one.conflist", "changed").nothing_new();
    watched.rename("net.d.old", "net.d").until(["changed"]);
}

#[test]
fn another_directory_renamed_into_its_place_is_followed() {
    let mut watched = Watched::with_one();
    watched.mkdir("new").network("new/two.conflist", "two").next();
    watched.rename("net.d", "old").rename("new", "net.d").until(["two"]);
    watched.network("old/one.conflist", "stale").nothing_new();
    watched.network("net.d/two.conflist", "three").until(["three"]);
}

#[test]
fn a_parent_that_is_moved_and_replaced_is_followed_on() {
    let mut watched = Watched::below("a/b/net.d");
    watched.mkdir("a/b/net.d").network("a/b/net.d/one.conflist", "one");
    watched.next();
    watched.rename("a", "away").until([]);
    watched.mkdir("a/b/net.d").network("a/b/net.d/two.conflist", "two").until(["two"]);
    watched.remove("a").rename("away", "a").until(["one"]);
    watched.network("a/b/net.d/one.conflist", "changed").until(["changed"]);
}

#[test]
fn a_file_in_place_of_the_directory_is_survived() {
    let mut watched = Watched::with_one();
    watched.next();
    watched.remove("net.d").write("net.d", "a file").until([]);
    watched.remove("net.d").mkdir("net.d").network("net.d/two.conflist", "two").until(["two"]);
}

#[test]
fn more_changes_than_the_kernel_remembers_hide_none() {
    let mut watched = Watched::with_one();
    watched.next();
    let queue = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let queue: usize = queue.trim().parse().unwrap();
    // Beside the directory, so that none of the events that fit is a reason to look.
    let (name, other) = (watched.path("name"), watched.path("other"));
    fs::write(&name, "").unwrap();
    for _ in 0..=queue / 4 {
        fs::rename(&name, &other).unwrap();
        fs::rename(&other, &name).unwrap();
    }
    watched.network("net.d/two.conflist", "two").until(["one", "two"]);
}

#[test]
fn a_relative_directory_counts_from_the_working_directory() {
    let up = "../".repeat(std::env::current_dir().unwrap().components().count());
    let dir = tempfile::tempdir().unwrap();
    let relative = format!("{up}{}", dir.path().join("net.d").display());
    let mut watched = Watched::in_dir(dir, &relative, quick());
    watched.next();
    watched.mkdir("net.d").network("net.d/one.conflist", "one").until(["one"]);
}

#[test]
fn what_is_no_longer_on_the_way_is_no_longer_watched() {
    let mut watched = Watched::with_one();
    watched.next();
    let before = watches(&watched);
    assert!(before > 0);
    for n in 0..5 {
        watched.rename("net.d", &format!("old-{n}")).until([]);
        watched.mkdir("net.d").network("net.d/one.conflist", "one").until(["one"]);
    }
    assert_eq!(watches(&watched), before);
}

/// How many watches the kernel keeps for a watcher, which has an inotify instance in its epoll instance.
fn watches(watched: &Watched) -> usize {
    let info = |fd: &str| fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap();
    let epoll = info(&watched.watcher.as_raw_fd().to_string());
    let inside = epoll.lines().filter_map(|line| line.strip_prefix("tfd:")?.split_whitespace().next());
    inside.map(|fd| info(fd).lines().filter(|line| line.starts_with("inotify wd:")).count()).sum()
}

#[test]
fn several_directories_are_followed_and_the_earlier_one_wins() {
    let mut watched = Watched::new();
    watched.mkdir("bin");
    let dirs = ConfDir::new(watched.path("etc")).or(watched.path("usr"));
    watched.watcher = Watcher::new(&dirs, [watched.path("bin")]).unwrap().pace(quick());
    watched.next();
    watched.mkdir("usr").network("usr/10.conflist", "net").until(["net"]);
    let from = |dir: &'static str| {
        move |snapshot: &Snapshot| {
            let path = snapshot.default_network().and_then(|network| network.path());
            path.is_some_and(|path| path.parent().is_some_and(|parent| parent.ends_with(dir)))
        }
    };
    watched.mkdir("etc").network("etc/90.conflist", "net").until_it("has that of etc", from("etc"));
    watched.remove("etc").until_it("has that of usr", from("usr"));
}
