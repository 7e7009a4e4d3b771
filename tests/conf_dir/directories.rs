//! Several directories by priority, and one file.

use std::fs;
use std::path::PathBuf;

use libcni::conf::{ConfDir, LoadError, NetworkConfig};
use tempfile::TempDir;

use crate::support::chain;

fn list(name: &str) -> String {
    format!(r#"{{"name":"{name}","plugins":[{{"type":"one"}}]}}"#)
}

/// Files with their content, below a directory of their own.
fn files<const N: usize>(files: [(&str, String); N]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

fn etc_then_usr(dir: &TempDir) -> ConfDir {
    ConfDir::new(dir.path().join("etc")).or(dir.path().join("usr"))
}

#[test]
fn the_earlier_directory_wins_whatever_the_names_and_kinds_of_its_files() {
    let single = r#"{"name":"net","type":"two"}"#.to_owned();
    let dir = files([("etc/90.conf", single), ("usr/10.conflist", list("net")), ("usr/20.conflist", list("other"))]);
    let networks = etc_then_usr(&dir);
    let path = |network: &NetworkConfig| network.path().unwrap().strip_prefix(dir.path()).unwrap().to_owned();
    assert_eq!(path(&networks.load("net").unwrap().network), PathBuf::from("etc/90.conf"));
    assert_eq!(path(&networks.load("other").unwrap().network), PathBuf::from("usr/20.conflist"));
    assert_eq!(path(&networks.default_network().unwrap().network), PathBuf::from("etc/90.conf"));
    let listing = networks.list().unwrap();
    let all = |networks: &[NetworkConfig]| networks.iter().map(path).collect::<Vec<_>>();
    assert_eq!(all(&listing.networks), ["etc/90.conf", "usr/20.conflist"].map(PathBuf::from));
    assert_eq!(all(&listing.shadowed), [PathBuf::from("usr/10.conflist")]);
    assert_eq!(path(listing.default_network().unwrap()), PathBuf::from("etc/90.conf"));
    assert_eq!(
        listing.in_file_order().into_iter().map(path).collect::<Vec<_>>(),
        ["etc/90.conf", "usr/10.conflist", "usr/20.conflist"].map(PathBuf::from)
    );
}

#[test]
fn a_list_takes_the_plugins_of_the_folder_in_its_own_directory() {
    let plugin = |name: &str| format!(r#"{{"type":"{name}"}}"#);
    let dir = files([
        ("etc/net/10.conf", plugin("etc")),
        ("usr/10.conflist", list("net")),
        ("usr/net/10.conf", plugin("usr")),
    ]);
    let network = etc_then_usr(&dir).load("net").unwrap().network;
    assert_eq!(network.plugins().iter().map(|plugin| plugin.plugin_type()).collect::<Vec<_>>(), ["one", "usr"]);
}

#[test]
fn a_directory_that_is_missing_is_passed_over_and_all_are_named_when_nothing_is_there() {
    let dir = files([("usr/10.conflist", list("net"))]);
    assert!(etc_then_usr(&dir).load("net").is_ok());
    let message = chain(&etc_then_usr(&dir).load("x").unwrap_err());
    assert!(message.contains("/etc and /") && message.ends_with("/usr"), "{message}");
    fs::remove_dir_all(dir.path().join("usr")).unwrap();
    let error = etc_then_usr(&dir).load("net").unwrap_err();
    assert!(matches!(error, LoadError::NoConfigs { exists: false, .. }));
    assert!(error.to_string().ends_with("/usr: none of the directories exists"), "{error}");
}

#[test]
fn a_broken_file_of_an_earlier_directory_hides_no_later_network_but_its_own() {
    let dir = files([
        ("etc/10.conflist", "{".to_owned()),
        ("etc/20.conflist", r#"{"name":"own","plugins":7}"#.to_owned()),
        ("usr/10.conflist", list("net")),
        ("usr/20.conflist", list("own")),
    ]);
    assert_eq!(etc_then_usr(&dir).load("net").unwrap().skipped.len(), 1);
    assert!(matches!(etc_then_usr(&dir).load("own"), Err(LoadError::Config(_))));
}

#[test]
fn one_file_is_loaded_by_its_path_and_by_what_is_in_it() {
    let single = r#"{"name":"single","type":"one"}"#.to_owned();
    let dir =
        files([("a.conflist", list("list")), ("b.conf", single.clone()), ("c.conf", list("list")), ("d", single)]);
    for (file, name) in [("a.conflist", "list"), ("b.conf", "single"), ("c.conf", "list"), ("d", "single")] {
        assert_eq!(NetworkConfig::load(dir.path().join(file)).unwrap().name(), name, "{file}");
    }
}

#[test]
fn the_error_of_one_file_names_it_and_the_place_in_it() {
    let single = r#"{"name":"x","type":"one"}"#.to_owned();
    let dir =
        files([("a.conflist", single), ("b.conf", "{\n]".to_owned()), ("c.conflist", r#"{"name":"x"}"#.to_owned())]);
    for (file, reason) in [
        ("a.conflist", ": the list has no plugins"),
        ("b.conf", ":2:1: not a JSON object"),
        ("c.conflist", ": the list has no plugins"),
        ("missing", ": cannot read the file: No such file"),
        (".", ": not a regular file"),
    ] {
        let message = chain(&NetworkConfig::load(dir.path().join(file)).unwrap_err());
        assert!(message.contains(&format!("{}{reason}", dir.path().join(file).display())), "{message}");
    }
}
