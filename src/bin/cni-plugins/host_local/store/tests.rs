use std::os::unix::fs::PermissionsExt;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::*;

fn store(dir: &Path) -> Store {
    Store::create(dir.join("data/net")).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn files_are_those_of_the_go_plugin() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    assert!(store.reserve(address("fd00::1:2"), &Owner::new("c1", "eth0")).unwrap());
    store.set_last_reserved(1, address("fd00::1:2")).unwrap();
    let net = dir.path().join("data/net");
    assert_eq!(fs::read_to_string(net.join("fd00::1:2")).unwrap(), "c1\r\neth0");
    assert_eq!(fs::read_to_string(net.join("last_reserved_ip.1")).unwrap(), "fd00::1:2");
    let mode = |name| fs::metadata(net.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("lock") & 0o700, 0o700);
    // Nobody else reads who has which address (CIS 1.1.9).
    assert_eq!((mode("fd00::1:2"), mode("last_reserved_ip.1")), (0o600, 0o600));
}

#[test]
fn an_address_is_reserved_once_until_it_is_released() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let (ip, owner) = (address("10.0.0.2"), Owner::new("c1", "eth0"));
    let attempts = [store.reserve(ip, &owner), store.reserve(ip, &owner)].map(Result::unwrap);
    assert_eq!(attempts, [true, false]);
    store.release(ip).unwrap();
    store.release(ip).unwrap();
    assert!(store.reserve(ip, &owner).unwrap());
}

#[test]
fn only_files_called_like_addresses_are_reservations() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    store.set_last_reserved(0, address("10.0.0.9")).unwrap();
    fs::create_dir(store.path(address("10.0.0.3"))).unwrap();
    fs::write(store.path(address("10.0.0.4")), "").unwrap();
    let long = "c".repeat(5000);
    fs::write(store.path(address("10.0.0.5")), &long).unwrap();
    let mut found = store.reservations().unwrap();
    found.sort_by_key(|reservation| reservation.address);
    let found: Vec<_> = found.into_iter().map(|r| (r.address, r.owner.map(|owner| owner.container_id.len()))).collect();
    assert_eq!(found, [(address("10.0.0.4"), None), (address("10.0.0.5"), Some(5000))]);
}

#[test]
fn a_store_that_is_not_there_is_not_made_by_looking() {
    let dir = tempfile::tempdir().unwrap();
    let net = dir.path().join("net");
    assert!(Store::open(net.clone()).unwrap().is_none());
    check_writable(&net).unwrap();
    assert!(!net.exists());
}

#[test]
fn nothing_is_written_through_a_link_and_no_fifo_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let [first, second] = [0, 1].map(|set| store.last_reserved_path(set));
    let theirs = dir.path().join("theirs");
    std::os::unix::fs::symlink(&theirs, &first).unwrap();
    mkfifo(&second, Mode::S_IRWXU).unwrap();
    for set in [0, 1] {
        assert_eq!(store.last_reserved(set), None);
        assert!(store.set_last_reserved(set, address("10.0.0.9")).is_err());
    }
    drop(store);
    fs::remove_file(dir.path().join("data/net/lock")).unwrap();
    std::os::unix::fs::symlink(&theirs, dir.path().join("data/net/lock")).unwrap();
    assert!(Store::open(dir.path().join("data/net")).is_err());
    assert!(!theirs.exists());
}

#[test]
fn an_error_names_the_path() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = ErrorReply::from(Store::create(file.join("net")).unwrap_err());
    assert_eq!((error.code, error.msg), (ErrorCode::IO, format!("cannot open {}/net/lock", file.display())));
}
