//! The directory of configurations, with bad neighbours in it.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use libcni::conf::{ConfError, LoadError, MAX_FILE_SIZE, OnBroken};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::support::{Sandbox, chain};

mod default;
mod directories;
mod edit;
mod folder;
mod order;

const GOOD: &str = r#"{"cniVersion":"1.0.0","name":"good","plugins":[{"type":"one"}]}"#;

/// A directory with a network `good`, and a neighbour whose file sorts before it.
#[track_caller]
fn beside(plant: impl Fn(&Path)) -> Sandbox {
    let sandbox = Sandbox::new().file("50-good.conflist", GOOD);
    plant(&sandbox.net_d().join("10-bad.conflist"));
    sandbox
}

/// The network loads, the neighbour is reported by its file name and reason, and `OnBroken::Stop` stops at it.
#[track_caller]
fn is_reported(reason: &str, plant: impl Fn(&Path)) {
    let sandbox = beside(plant);
    let loaded = sandbox.conf_dir().load("good").unwrap();
    assert_eq!(loaded.network.name(), "good");
    assert_eq!(loaded.network.path(), Some(&*sandbox.net_d().join("50-good.conflist")));
    let [skipped] = loaded.skipped.as_slice() else { panic!("{:?}", loaded.skipped) };
    is_about(skipped, reason);
    match sandbox.conf_dir().on_broken(OnBroken::Stop).load("good") {
        Err(LoadError::Config(error)) => is_about(&error, reason),
        other => panic!("OnBroken::Stop did not stop: {other:?}"),
    }
}

#[track_caller]
fn is_about(error: &ConfError, reason: &str) {
    let message = chain(error);
    for word in ["10-bad.conflist", reason] {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}

#[test]
fn broken_json_hides_no_neighbour() {
    is_reported(":2:1: not a JSON object", |path| fs::write(path, "{\"name\":\"bad\",\n]").unwrap());
    is_reported("not a JSON object", |path| fs::write(path, "").unwrap());
    is_reported("not a JSON object", |path| fs::write(path, "[1]").unwrap());
}

#[test]
fn a_byte_order_mark_hides_no_neighbour() {
    is_reported("byte order mark", |path| fs::write(path, format!("\u{feff}{GOOD}")).unwrap());
}

#[test]
fn invalid_utf8_hides_no_neighbour() {
    is_reported("not UTF-8", |path| fs::write(path, b"{\"name\":\"b\xffd\"").unwrap());
    let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    is_reported("not UTF-8", |path| fs::write(path, &utf16).unwrap());
}

#[test]
fn nul_bytes_hide_no_neighbour() {
    is_reported(":1:1: not a JSON object", |path| fs::write(path, [0; 4096]).unwrap());
}

#[test]
fn a_million_levels_hide_no_neighbour() {
    is_reported("not a JSON object", |path| {
        fs::write(path, r#"{"plugins":"#.to_owned() + &"[".repeat(1_000_000)).unwrap()
    });
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let sandbox = beside(|path| fs::write(path, format!(r#"{{"name":"deep","plugins":{deep}}}"#)).unwrap());
    assert!(sandbox.conf_dir().load("good").is_ok());
    let LoadError::Config(error) = sandbox.conf_dir().load("deep").unwrap_err() else { panic!("another error") };
    assert!(chain(&error).contains("plugin 0 of the list is invalid"), "{}", chain(&error));
}

#[test]
fn a_socket_hides_no_neighbour() {
    is_reported("not a regular file", |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap()));
}

#[test]
fn of_repeated_keys_the_last_counts() {
    let twice = r#"{"name":"good","name":"other","plugins":[{"type":"two"}],"plugins":[{"type":"three"}]}"#;
    let sandbox = beside(|path| fs::write(path, twice).unwrap());
    assert_eq!(sandbox.conf_dir().load("good").unwrap().network.plugins()[0].plugin_type(), "one");
    assert_eq!(sandbox.conf_dir().load("other").unwrap().network.plugins()[0].plugin_type(), "three");
}

#[test]
fn a_file_name_that_is_not_utf8_hides_no_neighbour_and_is_read() {
    let odd = r#"{"name":"odd","plugins":[{"type":"two"}]}"#;
    let name = OsStr::from_bytes(b"10-\xff.conflist");
    let sandbox = beside(|path| fs::write(path.with_file_name(name), odd).unwrap());
    assert!(sandbox.conf_dir().load("good").unwrap().skipped.is_empty());
    assert_eq!(sandbox.conf_dir().load("odd").unwrap().network.path().unwrap().file_name(), Some(name));
}

#[test]
fn an_unreadable_file_hides_no_neighbour() {
    // Root can read everything: for root the reason is a link into a directory that is a file.
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let plant = |path: &Path| {
        if is_root {
            symlink("/dev/null/conf", path).unwrap()
        } else {
            fs::write(path, GOOD).unwrap();
            fs::set_permissions(path, Permissions::from_mode(0o000)).unwrap();
        }
    };
    is_reported(if is_root { "Not a directory" } else { "Permission denied" }, plant);
}

#[test]
fn a_fifo_hides_no_neighbour() {
    is_reported("not a regular file", |path| mkfifo(path, Mode::S_IRUSR).unwrap());
}

#[test]
fn a_device_hides_no_neighbour() {
    is_reported("not a regular file", |path| symlink("/dev/zero", path).unwrap());
}

#[test]
fn a_dangling_link_hides_no_neighbour() {
    is_reported("No such file", |path| symlink("nowhere", path).unwrap());
}

#[test]
fn a_loop_of_links_hides_no_neighbour() {
    is_reported("Too many levels", |path| symlink(path, path).unwrap());
}

#[test]
fn a_huge_file_hides_no_neighbour_and_is_not_read() {
    is_reported("larger than", |path| File::create(path).unwrap().set_len(1 << 40).unwrap());
    is_reported("larger than", |path| File::create(path).unwrap().set_len(MAX_FILE_SIZE + 1).unwrap());
}

#[test]
fn a_directory_named_like_a_file_is_none() {
    for as_link in [false, true] {
        let sandbox = beside(|path| if as_link { symlink("/", path).unwrap() } else { fs::create_dir(path).unwrap() });
        for on_broken in [OnBroken::Skip, OnBroken::Stop] {
            let loaded = sandbox.conf_dir().on_broken(on_broken).load("good").unwrap();
            assert!(loaded.skipped.is_empty(), "{:?}", loaded.skipped);
        }
    }
}

#[test]
fn a_neighbour_without_use_for_its_own_name_hides_no_network() {
    // Valid JSON, but no list: what is wrong with it matters only to those who ask for it.
    for odd in [r#"{"name":"bad"}"#, r#"{"name":7}"#, r#"{"name":"bad","plugins":[{}]}"#, "{}"] {
        let sandbox = beside(|path| fs::write(path, odd).unwrap());
        let loaded = sandbox.conf_dir().load("good");
        assert_eq!(loaded.unwrap_or_else(|e| panic!("{odd}: {e}")).network.name(), "good");
    }
}

#[test]
fn a_link_to_a_good_file_is_a_good_file() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("elsewhere"), GOOD).unwrap();
    symlink("../elsewhere", sandbox.net_d().join("10-link.conflist")).unwrap();
    assert!(sandbox.conf_dir().load("good").is_ok());
}

#[test]
fn the_network_of_a_broken_file_is_an_error_with_file_line_and_column() {
    for (name, text, line, column, reason) in [
        ("a.conflist", "{\"name\": \"x\",\n \"plugins\": [\n  {\"type\": \"one\"},\n  {\"typ\": 1}]}", 4, 3, "`type`"),
        ("a.conflist", "{\"name\": \"x\", \"cniVersion\": 1}", 1, 29, "`cniVersion`"),
        ("a.conflist", "{\"name\": \"x\",\n\"disableCheck\": \"maybe\"}", 2, 17, "`disableCheck`"),
        ("a.conflist", "{\"name\": \"x\",\n\n\"plugins\": []}", 3, 12, "no plugins"),
    ] {
        let later = r#"{"name":"x","plugins":[{"type":"one"}]}"#;
        let sandbox = Sandbox::new().file(name, text).file("b.conflist", later);
        let Err(LoadError::Config(error)) = sandbox.conf_dir().load("x") else { panic!("{text} was passed over") };
        assert_eq!(error.position().map(|at| (at.line, at.column)), Some((line, column)), "{text}");
        let place = format!("{}:{line}:{column}: ", sandbox.net_d().join(name).display());
        let message = chain(&error);
        assert!(message.starts_with(&place) && message.contains(reason), "{message}");
    }
}

#[test]
fn the_message_about_a_name_that_nobody_has_lists_unreadable_files() {
    let sandbox = Sandbox::new().file("a.conflist", "{").file("b.conflist", GOOD).file("c.conf", b"\xff");
    let error = sandbox.conf_dir().load("wanted").unwrap_err();
    let message = error.to_string();
    for word in ["`wanted`", "a.conflist:1:1: not a JSON object", "c.conf: not UTF-8"] {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
    assert!(!message.contains("b.conflist"), "{message}");
}

#[test]
fn the_message_about_a_name_that_nobody_has_lists_few_of_many_files() {
    let mut sandbox = Sandbox::new();
    for n in 0..500 {
        sandbox = sandbox.file(&format!("{n}.conflist"), "{");
    }
    let error = sandbox.conf_dir().load("wanted").unwrap_err();
    assert!(matches!(&error, LoadError::NotFound { skipped, .. } if skipped.len() == 500));
    let message = error.to_string();
    assert!(message.lines().count() < 30 && message.ends_with("and 480 more"), "{message}");
}

#[test]
fn a_file_in_place_of_the_directory_is_not_called_missing() {
    for path in ["/dev/null", "/etc/passwd"] {
        let error = libcni::conf::ConfDir::new(path).load("x").unwrap_err();
        assert!(matches!(error, LoadError::Dir { .. }) && chain(&error).contains("Not a directory"), "{error:?}");
    }
}

#[test]
fn no_directory_no_files_and_no_such_name_are_different_errors() {
    let sandbox = Sandbox::new().file("README", "no configuration");
    fs::create_dir(sandbox.net_d().join("x.conflist")).unwrap();
    assert!(matches!(sandbox.conf_dir().load("x"), Err(LoadError::NoConfigs { exists: true, .. })));
    let missing = libcni::conf::ConfDir::new(sandbox.path("missing"));
    assert!(matches!(missing.load("x"), Err(LoadError::NoConfigs { exists: false, .. })));
    let sandbox = sandbox.file("a.conflist", GOOD);
    assert!(matches!(sandbox.conf_dir().load("x"), Err(LoadError::NotFound { .. })));
}
