//! The network of containers that ask for none by name.

use std::fs;

use libcni::conf::{LoadError, NetworkConfig, OnBroken};

use crate::support::{Sandbox, chain};

fn list(name: &str) -> String {
    format!(r#"{{"name":"{name}","plugins":[{{"type":"one"}}]}}"#)
}

fn single(name: &str) -> String {
    format!(r#"{{"name":"{name}","type":"one"}}"#)
}

/// The default network by both ways to it.
#[track_caller]
fn default_of(sandbox: &Sandbox) -> String {
    let loaded = sandbox.conf_dir().default_network().unwrap().network;
    let listing = sandbox.conf_dir().list().unwrap();
    assert_eq!(listing.default_network().and_then(NetworkConfig::path), loaded.path());
    loaded.name().to_owned()
}

#[test]
fn it_is_that_of_the_first_file_whatever_its_extension() {
    let sandbox = Sandbox::new().file("20.conflist", list("twenty")).file("30.json", single("thirty"));
    assert_eq!(default_of(&sandbox), "twenty");
    let sandbox = sandbox.file("10.conf", single("ten")).file("00.txt", "{");
    assert_eq!(default_of(&sandbox), "ten");
    let sandbox = sandbox.file("05.json", single("five"));
    assert_eq!(default_of(&sandbox), "five");
}

#[test]
fn its_file_counts_even_if_a_list_of_the_same_name_is_what_the_name_gives() {
    let sandbox = Sandbox::new().file("10.conf", single("net")).file("20.conflist", list("net"));
    let default = sandbox.conf_dir().default_network().unwrap().network;
    assert_eq!(default.path(), Some(&*sandbox.net_d().join("10.conf")));
    assert_eq!(default_of(&sandbox), "net");
    let listing = sandbox.conf_dir().list().unwrap();
    let order: Vec<_> = listing.in_file_order().iter().map(|network| network.path().unwrap().to_owned()).collect();
    assert_eq!(order, ["10.conf", "20.conflist"].map(|name| sandbox.net_d().join(name)));
}

#[test]
fn a_broken_file_is_passed_over_and_reported_or_stops_as_it_stops_containerd() {
    for broken in ["{", r#"{"name":"x"}"#, r#"{"name":"x","plugins":[]}"#] {
        let sandbox = Sandbox::new().file("10.conf", broken).file("20.conflist", list("twenty")).file("30.conf", "{");
        let loaded = sandbox.conf_dir().default_network().unwrap();
        assert_eq!((loaded.network.name(), loaded.skipped.len()), ("twenty", 1), "{broken}");
        assert_eq!(default_of(&sandbox), "twenty");
        let strict = sandbox.conf_dir().on_broken(OnBroken::Stop);
        let message = chain(&strict.default_network().unwrap_err());
        assert!(message.contains("10.conf"), "{message}");
        assert!(strict.list().unwrap().default_network().is_none());
        fs::remove_file(sandbox.net_d().join("10.conf")).unwrap();
        assert_eq!(strict.default_network().unwrap().network.name(), "twenty");
        assert_eq!(strict.list().unwrap().default_network().unwrap().name(), "twenty");
    }
}

#[test]
fn a_list_in_a_file_for_a_single_plugin_is_one_unless_files_are_read_as_containerd_does() {
    let sandbox = Sandbox::new().file("10.conf", list("ten"));
    assert_eq!(default_of(&sandbox), "ten");
    let error = sandbox.conf_dir().on_broken(OnBroken::Stop).default_network().unwrap_err();
    assert!(chain(&error).contains("10.conf: `type` is missing"), "{}", chain(&error));
}

#[test]
fn where_every_file_is_broken_the_error_names_each() {
    let sandbox = Sandbox::new().file("10.conf", "{").file("20.conflist", "[");
    let error = sandbox.conf_dir().default_network().unwrap_err();
    let message = chain(&error);
    assert!(message.starts_with("no file in /") && message.contains("20.conflist:1:1"), "{message}");
    assert!(matches!(error, LoadError::AllBroken { skipped, .. } if skipped.len() == 2));
    let error = Sandbox::new().conf_dir().default_network().unwrap_err();
    assert!(matches!(error, LoadError::NoConfigs { exists: true, .. }), "{error:?}");
}

#[test]
fn a_list_takes_the_plugins_of_its_folder() {
    let sandbox = Sandbox::new().file("10.conflist", r#"{"name":"net"}"#);
    fs::create_dir(sandbox.net_d().join("net")).unwrap();
    let sandbox = sandbox.file("net/10.conf", single("folder"));
    assert_eq!(sandbox.conf_dir().default_network().unwrap().network.plugins().len(), 1);
    let file = NetworkConfig::load(sandbox.net_d().join("10.conflist")).unwrap();
    assert_eq!(file.plugins()[0].path(), Some(&*sandbox.net_d().join("net/10.conf")));
}
