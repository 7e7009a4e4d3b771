//! The plugins that networks name.

use libcni::watch::Snapshot;

use super::Watched;

/// Whether all plugins of the only network are there.
fn is_usable(snapshot: &Snapshot) -> bool {
    snapshot.missing_plugins(&snapshot.networks()[0]).is_empty()
}

fn is_unusable(snapshot: &Snapshot) -> bool {
    !is_usable(snapshot)
}

#[test]
fn a_plugin_that_comes_or_goes_is_a_snapshot() {
    let mut watched = Watched::with_one();
    assert!(is_unusable(&watched.next()));
    watched.write("bin/plug", "");
    let snapshot = watched.until_it("has the plugin", is_usable);
    assert_eq!(snapshot.plugin("plug").unwrap().unwrap(), watched.path("bin/plug"));
    watched.remove("bin/plug").until_it("lacks the plugin", is_unusable);
}

#[test]
fn a_plugin_directory_that_does_not_exist_yet_is_waited_for() {
    let mut watched = Watched::with_one();
    watched.remove("bin").next();
    watched.mkdir("bin").write("bin/plug", "").until_it("has the plugin", is_usable);
}

#[test]
fn a_plugin_behind_links_is_followed() {
    let mut watched = Watched::with_one();
    watched.mkdir("v1").mkdir("v2").write("v2/plug", "").link("v1", "current").link("../current/plug", "bin/plug");
    watched.next();
    watched.relink("v2", "current").until_it("has the plugin", is_usable);
    watched.remove("v2/plug").until_it("lacks the plugin", is_unusable);
}

#[test]
fn a_plugin_for_ipam_is_followed_but_may_be_missing() {
    let mut watched = Watched::with_one();
    let text = r#"{"name": "one", "plugins": [{"type": "plug", "ipam": {"type": "leases"}}]}"#;
    let snapshot = watched.write("bin/plug", "").write("net.d/one.conflist", text).next();
    assert!(is_usable(&snapshot) && snapshot.plugin("leases").unwrap().is_err(), "{snapshot:#?}");
    let snapshot = watched.write("bin/leases", "").next();
    assert_eq!(snapshot.plugin("leases").unwrap().unwrap(), watched.path("bin/leases"));
}

#[test]
fn plugins_that_no_network_names_are_no_snapshot() {
    let mut watched = Watched::with_one();
    watched.next();
    watched.write("bin/another", "").remove("bin/another").nothing_new();
}

#[test]
fn a_type_that_is_a_path_is_never_looked_for() {
    let mut watched = Watched::with_one();
    watched.write("net.d/one.conflist", r#"{"name": "one", "plugins": [{"type": "../bin/plug"}]}"#);
    assert!(is_unusable(&watched.next()));
    watched.write("bin/plug", "").nothing_new();
}
