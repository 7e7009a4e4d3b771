//! Files that come, change and go.

use std::fs;

use libcni::watch::Snapshot;

use super::{Watched, broken, list, names};

#[test]
fn the_first_snapshot_comes_without_a_change() {
    let mut watched = Watched::with_one();
    watched.write("net.d/bad.conf", "{");
    let snapshot = watched.next();
    assert_eq!(names(&snapshot), ["one"]);
    assert_eq!(broken(&snapshot), ["bad.conf"]);
    assert_eq!(snapshot.network("one").unwrap().plugins()[0].plugin_type(), "plug");
}

#[test]
fn a_file_that_comes_changes_or_goes_is_a_snapshot() {
    let mut watched = Watched::with_one();
    watched.next();
    watched.network("net.d/two.conflist", "two").until(["one", "two"]);
    watched.network("net.d/two.conflist", "changed").until(["one", "changed"]);
    watched.remove("net.d/one.conflist").until(["changed"]);
    watched.remove("net.d/two.conflist").until([]);
}

#[test]
fn a_file_that_is_renamed_into_place_is_a_snapshot() {
    let mut watched = Watched::with_one();
    watched.next();
    watched.network("net.d/.one.tmp", "new").rename("net.d/.one.tmp", "net.d/one.conflist").until(["new"]);
    watched.rename("net.d/one.conflist", "net.d/one.disabled").until([]);
}

#[test]
fn a_file_that_is_written_by_another_name_is_a_snapshot() {
    let mut watched = Watched::with_one();
    fs::hard_link(watched.path("net.d/one.conflist"), watched.path("elsewhere")).unwrap();
    watched.next();
    watched.network("elsewhere", "new").until(["new"]);
}

#[test]
fn a_plugin_in_the_folder_of_a_network_is_a_snapshot() {
    let mut watched = Watched::with_one();
    watched.next();
    let plugins = |n| move |snapshot: &Snapshot| snapshot.networks()[0].plugins().len() == n;
    watched.mkdir("net.d/one").nothing_new();
    watched.write("net.d/one/10.conf", r#"{"type": "a"}"#).until_it("has the plugin", plugins(2));
    watched.write("net.d/one/20.conf", r#"{"type": "b"}"#).until_it("has both", plugins(3));
    watched.remove("net.d/one").until_it("has none of them", plugins(1));
}

#[test]
fn what_changes_nothing_is_no_snapshot() {
    let mut watched = Watched::with_one();
    let first = watched.next();
    watched.write("net.d/README", "not a configuration").mkdir("net.d/folder").mkdir("other");
    watched.write("other/one.conflist", &list("other"));
    watched.nothing_new();
    watched
        .network("net.d/one.conflist", "one")
        .rename("net.d/one.conflist", "away")
        .rename("away", "net.d/one.conflist");
    watched.nothing_new();
    assert_eq!(names(&first), ["one"], "a snapshot does not change");
}

#[test]
fn a_file_that_no_longer_hides_another_is_a_snapshot() {
    let mut watched = Watched::with_one();
    watched.network("net.d/two.conflist", "one");
    let shadowed = watched.next().listing().unwrap().shadowed.len();
    assert_eq!(shadowed, 1);
    watched.remove("net.d/one.conflist");
    let snapshot = watched.until(["one"]);
    assert_eq!(snapshot.networks()[0].path(), Some(&*watched.path("net.d/two.conflist")));
}

#[test]
fn the_default_network_is_that_of_the_first_file_now() {
    let mut watched = Watched::with_one();
    let default = |name: &'static str| {
        move |snapshot: &Snapshot| snapshot.default_network().is_some_and(|network| network.name() == name)
    };
    assert!(default("one")(&watched.next()));
    watched
        .write("net.d/a.conf", r#"{"name": "single", "type": "plug"}"#)
        .until_it("has `a.conf` first", default("single"));
    watched.remove("net.d/a.conf").until_it("has the list", default("one"));
    watched.remove("net.d/one.conflist").until_it("has none", |snapshot| snapshot.default_network().is_none());
}
