//! Broken things in the folder that adds plugins to a network, or in its place.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use libcni::conf::LoadError;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::support::{Sandbox, chain};

const LIST: &str = r#"{"name":"net","plugins":[{"type":"one"}]}"#;

/// A network `net` and another after it, and something planted in the folder of the first.
fn with_folder(plant: impl Fn(&Path)) -> Sandbox {
    let other = LIST.replace("net", "other");
    let sandbox = Sandbox::new().file("10-net.conflist", LIST).file("20-other.conflist", other);
    fs::create_dir(sandbox.net_d().join("net")).unwrap();
    plant(&sandbox.net_d().join("net/10.conf"));
    sandbox
}

/// The network's error has the file and this reason; the other network loads.
#[track_caller]
fn is_the_networks_own_error(reason: &str, plant: impl Fn(&Path)) {
    let sandbox = with_folder(plant);
    let LoadError::Config(error) = sandbox.conf_dir().load("net").unwrap_err() else { panic!("another error") };
    let message = chain(&error);
    assert!(message.contains(&format!("net/10.conf{reason}")), "{message}");
    assert!(sandbox.conf_dir().load("other").is_ok());
}

#[test]
fn a_broken_plugin_of_the_folder_is_an_error_with_its_place() {
    is_the_networks_own_error(":2:1: not a JSON object", |path| fs::write(path, "{\n]").unwrap());
    is_the_networks_own_error(":1:1: not a JSON object", |path| fs::write(path, "").unwrap());
    is_the_networks_own_error(":2:9: `ipam.type`", |path| {
        fs::write(path, "{\"type\":\"a\",\n\"ipam\": {\"type\":7}}").unwrap()
    });
    is_the_networks_own_error(": `type` is missing", |path| fs::write(path, LIST).unwrap());
    is_the_networks_own_error(": not UTF-8", |path| fs::write(path, b"\xff").unwrap());
}

#[test]
fn what_is_no_file_in_the_folder_is_an_error_and_not_read() {
    is_the_networks_own_error(": not a regular file", |path| mkfifo(path, Mode::S_IRUSR).unwrap());
    is_the_networks_own_error(": not a regular file", |path| symlink("/dev/zero", path).unwrap());
    is_the_networks_own_error(": cannot read the file: Too many levels", |path| symlink(path, path).unwrap());
    is_the_networks_own_error(": cannot read the file: No such file", |path| symlink("nowhere", path).unwrap());
    is_the_networks_own_error(": larger than", |path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap());
}

/// Something in place of the folder; how many plugins the network then has.
#[track_caller]
fn in_place_of_the_folder(plant: impl Fn(&Path)) -> Result<usize, LoadError> {
    let sandbox = Sandbox::new().file("10-net.conflist", LIST);
    plant(&sandbox.net_d().join("net"));
    sandbox.conf_dir().load("net").map(|loaded| loaded.network.plugins().len())
}

#[test]
fn what_is_no_folder_is_an_error_as_it_is_for_go() {
    for plant in [|path: &Path| fs::write(path, "{").unwrap(), |path: &Path| mkfifo(path, Mode::S_IRUSR).unwrap()] {
        let message = chain(&in_place_of_the_folder(plant).unwrap_err());
        assert!(
            message.contains("/net: cannot read the folder of the network's plugins: Not a directory"),
            "{message}"
        );
    }
    assert_eq!(in_place_of_the_folder(|path| symlink("nowhere", path).unwrap()).unwrap(), 1);
}

#[test]
fn a_folder_that_can_not_be_read_is_an_error() {
    let error = in_place_of_the_folder(|path| symlink(path, path).unwrap()).unwrap_err();
    assert!(chain(&error).contains("Too many levels"), "{error}");
}

#[test]
fn a_name_too_long_for_a_folder_has_none() {
    let name = "n".repeat(300);
    let sandbox = Sandbox::new().file("10-net.conflist", LIST.replace("net", &name));
    assert_eq!(sandbox.conf_dir().load(&name).unwrap().network.plugins().len(), 1);
}
