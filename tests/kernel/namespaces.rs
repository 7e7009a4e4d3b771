//! Namespaces as a runtime makes them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::thread;
use std::time::Duration;

use libcni::Chain;
use libcni::netns::{self, Identity, Namespace, State, run_in};
use nix::sys::stat::{Mode, umask};

use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    (
        "namespaces::one_that_is_pinned_has_a_name_until_it_is_removed",
        one_that_is_pinned_has_a_name_until_it_is_removed,
    ),
    ("namespaces::one_goes_with_its_pin_unless_that_is_kept", one_goes_with_its_pin_unless_that_is_kept),
    (
        "namespaces::one_that_nobody_pinned_lives_as_long_as_its_value",
        one_that_nobody_pinned_lives_as_long_as_its_value,
    ),
    ("namespaces::a_name_that_is_taken_is_left_as_it_is", a_name_that_is_taken_is_left_as_it_is),
    ("namespaces::only_names_of_namespaces_are_removed", only_names_of_namespaces_are_removed),
    (
        "namespaces::the_directory_of_names_is_for_its_owner_to_change",
        the_directory_of_names_is_for_its_owner_to_change,
    ),
    #[cfg(feature = "link")]
    ("namespaces::lo_is_brought_up", lo_is_brought_up),
    ("namespaces::a_fifo_is_no_namespace_and_nobody_waits_for_it", a_fifo_is_no_namespace_and_nobody_waits_for_it),
    ("namespaces::one_of_another_kind_is_not_entered", one_of_another_kind_is_not_entered),
];

const WEB: &str = "/run/netns/web";

fn one_that_is_pinned_has_a_name_until_it_is_removed(host: &Host) {
    Namespace::create().unwrap().pin(WEB).unwrap().keep();
    let identity = Identity::of(WEB).unwrap();
    assert_eq!(State::of(WEB, Some(&identity)), State::Exists);
    assert_eq!(host.run("ip netns exec web ls /sys/class/net"), "lo\n");
    netns::remove(WEB).unwrap();
    assert_eq!(State::of(WEB, Some(&identity)), State::Gone);
    assert_eq!(host.run("ls /run/netns"), "blue\n");
    netns::remove(WEB).unwrap();
}

fn one_goes_with_its_pin_unless_that_is_kept(host: &Host) {
    drop(Namespace::create().unwrap().pin(WEB).unwrap());
    assert_eq!(host.run("ls /run/netns"), "blue\n");
    let mut pin = Some(Namespace::create().unwrap().pin(WEB).unwrap());
    assert_eq!(pin.as_ref().unwrap().path().as_os_str(), WEB);
    pin.take().unwrap().keep();
    assert_eq!(State::of(WEB, None), State::Exists);
    host.run("ip netns del web");
}

fn one_that_nobody_pinned_lives_as_long_as_its_value(host: &Host) {
    let namespace = Namespace::create().unwrap();
    namespace.run(|| host.run("ip link add inside type bridge")).unwrap();
    assert_ne!(namespace.run(|| host.run("ip -o link show inside")).unwrap(), "");
    assert_eq!(host.run("ip -o link show type bridge"), "");
}

fn a_name_that_is_taken_is_left_as_it_is(_: &Host) {
    let before = Identity::of("/run/netns/blue").unwrap();
    let error = Namespace::create().unwrap().pin("/run/netns/blue").unwrap_err();
    assert!(Chain(&error).to_string().starts_with("cannot pin a network namespace to /run/netns/blue: File exists"));
    assert_eq!(State::of("/run/netns/blue", Some(&before)), State::Exists);
}

fn only_names_of_namespaces_are_removed(host: &Host) {
    host.run("mkdir /run/dir && echo text >/run/full && ln -s /run/netns/blue /run/link && touch /run/netns/left");
    for (path, why) in [("/run/dir", "it is neither"), ("/run/full", "it is neither"), ("/run/link", "symbolic link")] {
        let error = Chain(&netns::remove(path).unwrap_err()).to_string();
        assert!(error.contains(path) && error.contains(why), "{error}");
    }
    assert_eq!(host.run("cat /run/full; ls -d /run/dir /run/link"), "text\n/run/dir\n/run/link\n");
    assert_eq!(State::of("/run/netns/blue", None), State::Exists);
    // What `ip netns` leaves behind when it can't unmount.
    netns::remove("/run/netns/left").unwrap();
    assert_eq!(host.run("ls /run/netns"), "blue\n");
}

fn the_directory_of_names_is_for_its_owner_to_change(_: &Host) {
    umask(Mode::empty());
    let _pin = Namespace::create().unwrap().pin("/run/new/netns/web").unwrap();
    for dir in ["/run/new", "/run/new/netns"] {
        assert_eq!(fs::metadata(dir).unwrap().mode() & 0o7777, 0o755, "{dir}");
    }
}

#[cfg(feature = "link")]
fn lo_is_brought_up(host: &Host) {
    let namespace = Namespace::create().unwrap();
    let answers = || host.shell("ip -o address show dev lo").output().unwrap().stdout;
    assert_eq!(namespace.run(answers).unwrap(), b"");
    namespace.bring_loopback_up().unwrap();
    namespace.bring_loopback_up().unwrap();
    let addresses = String::from_utf8(namespace.run(answers).unwrap()).unwrap();
    assert!(addresses.contains("127.0.0.1/8"), "{addresses}");
    let listener = namespace.run(|| std::net::TcpListener::bind("127.0.0.1:0")).unwrap().unwrap();
    let address = listener.local_addr().unwrap();
    namespace.run(|| std::net::TcpStream::connect(address)).unwrap().unwrap();
}

fn a_fifo_is_no_namespace_and_nobody_waits_for_it(host: &Host) {
    host.run("mkfifo /run/netns/fifo");
    let (send, receive) = std::sync::mpsc::channel();
    thread::spawn(move || send.send(run_in("/run/netns/fifo", || ())));
    let error = receive.recv_timeout(Duration::from_secs(10)).expect("it does not wait").unwrap_err();
    assert!(error.is_gone());
    let text = "cannot open network namespace /run/netns/fifo: it is not a network namespace";
    assert_eq!(Chain(&error).to_string(), text);
    assert_eq!(State::of("/run/netns/fifo", None), State::Gone);
}

fn one_of_another_kind_is_not_entered(_: &Host) {
    let error = run_in("/proc/self/ns/uts", || ()).unwrap_err();
    let text = "cannot enter network namespace /proc/self/ns/uts: it is not a network namespace";
    assert_eq!(Chain(&error).to_string(), text);
}
