//! Symbolic links on the way to a file.

use super::Watched;

#[test]
fn a_directory_that_is_a_link_is_followed_to_its_new_target() {
    let mut watched = Watched::new();
    watched.mkdir("v1").network("v1/one.conflist", "one").mkdir("v2").network("v2/two.conflist", "two");
    watched.link("v1", "net.d").next();
    watched.relink("v2", "net.d").until(["two"]);
    watched.network("v1/one.conflist", "stale").nothing_new();
    watched.network("v2/two.conflist", "three").until(["three"]);
}

#[test]
fn a_link_in_the_middle_of_the_path_is_followed_to_its_new_target() {
    let mut watched = Watched::below("current/cni/net.d");
    for version in ["v1", "v2"] {
        watched.mkdir(&format!("{version}/cni/net.d"));
        watched.network(&format!("{version}/cni/net.d/file.conflist"), version);
    }
    watched.link(watched.path("v1"), "current").next();
    watched.relink(watched.path("v2"), "current").until(["v2"]);
    watched.network("v2/cni/net.d/file.conflist", "changed").until(["changed"]);
}

#[test]
fn the_files_of_a_kubernetes_config_map_are_followed() {
    let mut watched = Watched::new();
    watched.mkdir("net.d/..2024_01").network("net.d/..2024_01/10-net.conflist", "old");
    watched.link("..2024_01", "net.d/..data").link("..data/10-net.conflist", "net.d/10-net.conflist");
    watched.until(["old"]);
    for (version, before) in [("..2024_02", "..2024_01"), ("..2024_03", "..2024_02")] {
        watched.mkdir(&format!("net.d/{version}"));
        watched.network(&format!("net.d/{version}/10-net.conflist"), version);
        watched.relink(version, "net.d/..data").remove(&format!("net.d/{before}")).until([version]);
    }
}

#[test]
fn the_target_of_a_linked_file_is_followed() {
    let mut watched = Watched::with_one();
    watched.mkdir("generated").link("../generated/net.conflist", "net.d/two.conflist");
    watched.next();
    watched.network("generated/net.conflist", "two").until(["one", "two"]);
    watched.network("generated/net.conflist", "changed").until(["one", "changed"]);
    watched.rename("generated", "away").mkdir("generated").network("generated/net.conflist", "again");
    watched.until(["one", "again"]);
}

#[test]
fn links_that_lead_nowhere_are_survived() {
    let mut watched = Watched::new();
    watched.link("net.d", "loop").link("loop", "net.d").next();
    watched.remove("net.d").mkdir("net.d").link("itself.conf", "net.d/itself.conf");
    watched.network("net.d/one.conflist", "one").until(["one"]);
}
