//! The verbs, each called as a value: environment and configuration in, answer out.

use libcni::plugin::{Input, Outcome, dispatch};
use libcni::spec::ValidAttachment;

use super::*;

/// A data directory and calls of the plugin on it.
struct Host(tempfile::TempDir);

impl Host {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join("net").join(name)
    }

    /// Calls a verb; `more` is put behind the keys of the configuration.
    fn call(&self, verb: &str, id: &str, more: &str) -> Outcome {
        let ipam = r#""ranges":[[{"subnet":"10.0.0.0/30"}],[{"subnet":"fd00::/64"}]]"#;
        let dir = self.0.path().display();
        let stdin = format!(r#"{{"cniVersion":"1.1.0","name":"net","ipam":{{"dataDir":"{dir}",{ipam}}}{more}}}"#);
        call(verb, id, &stdin)
    }

    #[track_caller]
    fn succeeds(&self, verb: &str, id: &str, more: &str) -> String {
        let outcome = self.call(verb, id, more);
        assert_eq!(outcome.exit_code, 0, "{verb} {id}: {}", outcome.stdout);
        outcome.stdout
    }

    #[track_caller]
    fn fails(&self, verb: &str, id: &str, more: &str, answer: &str) {
        let outcome = self.call(verb, id, more);
        assert!(outcome.exit_code == 1 && outcome.stdout.contains(answer), "{verb} {id}: {}", outcome.stdout);
    }
}

fn call(verb: &str, id: &str, stdin: &str) -> Outcome {
    dispatch(&HostLocal, Input::call(verb.parse().unwrap(), stdin).variable("CNI_CONTAINERID", id))
}

fn valid(id: &str) -> String {
    format!(r#","cni.dev/valid-attachments":[{{"containerID":"{id}","ifname":"eth0"}}]"#)
}

#[test]
fn add_check_del_and_del_again() {
    let host = Host::new();
    let result = host.succeeds("ADD", "c1", "");
    let expected = r#"{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.2/30","gateway":"10.0.0.1"},{"address":"fd00::2/64","gateway":"fd00::1"}]}"#;
    assert_eq!(result, expected);
    host.succeeds("CHECK", "c1", &format!(r#","prevResult":{result}"#));
    host.succeeds("DEL", "c1", "");
    host.succeeds("DEL", "c1", "");
    host.fails("CHECK", "c1", "", "no address is reserved for container c1");
}

#[test]
fn check_wants_the_address_that_add_gave() {
    let host = Host::new();
    let result = host.succeeds("ADD", "c1", "");
    std::fs::write(host.file("10.0.0.2"), "other\r\neth0").unwrap();
    host.fails("CHECK", "c1", &format!(r#","prevResult":{result}"#), "address 10.0.0.2 is not reserved");
}

#[test]
fn del_needs_neither_data_directory_nor_valid_ranges() {
    let host = Host::new();
    host.succeeds("DEL", "c1", "");
    assert!(!host.file("").exists());
    let stdin = r#"{"cniVersion":"0.1.0","name":"net","ipam":{"dataDir":"/nowhere","subnet":5}}"#;
    assert_eq!(call("DEL", "c1", stdin), Outcome::default());
}

#[test]
fn del_frees_files_of_older_versions_and_those_that_a_crash_left_empty() {
    let host = Host::new();
    host.succeeds("ADD", "other", "");
    std::fs::write(host.file("10.0.0.9"), "c1").unwrap();
    std::fs::write(host.file("10.0.0.8"), "").unwrap();
    host.succeeds("DEL", "c1", "");
    let left = ["10.0.0.2", "10.0.0.8", "10.0.0.9"].map(|name| host.file(name).exists());
    assert_eq!(left, [true, false, false]);
}

#[test]
fn gc_frees_what_no_valid_attachment_holds() {
    let host = Host::new();
    host.succeeds("ADD", "c1", "");
    std::fs::write(host.file("10.0.0.9"), "c2").unwrap();
    host.succeeds("GC", "", "");
    host.succeeds("GC", "", &valid("c2"));
    let left = ["10.0.0.2", "fd00::2", "10.0.0.9", "lock", "last_reserved_ip.0"].map(|name| host.file(name).exists());
    assert_eq!(left, [false, false, true, true, true]);
}

#[test]
fn status_says_when_a_range_set_is_used_up() {
    let host = Host::new();
    host.succeeds("STATUS", "", "");
    host.succeeds("ADD", "c1", "");
    host.fails("STATUS", "", "", r#""code":50,"msg":"no IP addresses available in range set 10.0.0.1-10.0.0.2""#);
}

#[test]
fn capability_arguments_come_before_the_ranges_of_the_configuration() {
    let host = Host::new();
    let more = r#","runtimeConfig":{"ipRanges":[[{"subnet":"10.7.0.0/24"}]],"ips":["10.7.0.7/24"]},"args":{"cni":{"ips":["fd00::7"]}}"#;
    let result = host.succeeds("ADD", "c1", more);
    let at = ["10.7.0.7/24", "10.0.0.2/30", "fd00::7/64"].map(|address| result.find(address));
    assert!(at.is_sorted() && at[0].is_some(), "{result}");
}

#[test]
fn what_is_stale_is_not_searched_for_in_all_that_is_valid() {
    const MANY: u32 = 100_000;
    let attachment = |n: u32| ValidAttachment::new(&format!("c{n}").parse().unwrap(), &"eth0".parse().unwrap());
    let valid = Valid::new((0..MANY).map(attachment).collect());
    let reservation = |n: u32| {
        let owner = Some(Owner::new(format!("c{n}"), "eth0"));
        Reservation { address: std::net::Ipv4Addr::from(n).into(), owner }
    };
    let began = std::time::Instant::now();
    let stale = super::stale((1..=MANY).map(reservation).collect(), &valid);
    // A comparison of each with each would be ten milliards of them.
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
    assert_eq!(stale.iter().map(|one| one.address).collect::<Vec<_>>(), [reservation(MANY).address]);
}
