//! A recorded result that is changed.

use libcni::Error;
use libcni::cache::Key;
use libcni::result::{AddResult, v100};
use libcni::spec::Version;
use serde_json::json;

use crate::support::{Sandbox, attachment};

const RESULT: &str =
    r#"{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","sandbox":"/run/netns/blue"}],"x":12345678901234567890123}"#;

fn added() -> (Sandbox, Key) {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "ADD", &format!("echo '{RESULT}'"));
    sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    let key = attachment("c1", "eth0").key("net".parse().unwrap());
    (sandbox, key)
}

fn with_mac(result: AddResult) -> Result<AddResult, Error> {
    let mut body: v100::Body = result.latest();
    body.interfaces[0].mac = Some("02:00:00:00:00:01".to_owned());
    Ok(AddResult::new(Version::V1_1_0, body)?)
}

#[test]
fn what_is_recorded_is_what_check_hands_on() {
    let (sandbox, key) = added();
    let updated = sandbox.cni().update_result(&key, with_mac).unwrap();
    assert_eq!(updated.latest().interfaces[0].mac.as_deref(), Some("02:00:00:00:00:01"));
    sandbox.cni().check(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    let request = sandbox.request_of("one", "CHECK");
    assert_eq!(request["prevResult"]["interfaces"][0]["mac"], json!("02:00:00:00:00:01"));
    assert!(sandbox.stdin_of("one", "CHECK").contains("12345678901234567890123"), "unknown keys are kept");
}

#[test]
fn the_rest_of_the_entry_stays() {
    let (sandbox, key) = added();
    let before = sandbox.cni().cache().attachments(None).unwrap().entries;
    sandbox.cni().update_result(&key, with_mac).unwrap();
    let mut after = sandbox.cni().cache().attachments(None).unwrap().entries;
    assert_ne!(before, after);
    after[0].result = before[0].result.clone();
    assert_eq!(before, after);
}

#[test]
fn an_update_that_fails_changes_nothing_and_gives_its_error() {
    let (sandbox, key) = added();
    let before = sandbox.cni().cache().attachments(None).unwrap().entries;
    let error = sandbox.cni().update_result(&key, |_| Err("1.x".parse::<Version>().unwrap_err().into())).unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    assert_eq!(sandbox.cni().cache().attachments(None).unwrap().entries, before);
}

#[test]
fn nothing_recorded_is_nothing_to_update() {
    let sandbox = Sandbox::new();
    let key = attachment("c1", "eth0").key("net".parse().unwrap());
    let error = sandbox.cni().update_result(&key, with_mac).unwrap_err();
    assert!(matches!(error, Error::NotCached { .. }), "{error:?}");
}

#[test]
fn updates_at_the_same_time_wait_for_each_other() {
    let (sandbox, key) = added();
    let count = |result: AddResult| -> Result<AddResult, Error> {
        let mut body = result.latest();
        body.interfaces[0].mtu = Some(body.interfaces[0].mtu.unwrap_or(0) + 1);
        Ok(AddResult::new(Version::V1_1_0, body)?)
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| drop(sandbox.cni().update_result(&key, count).unwrap())));
        }
    });
    let result = sandbox.cni().cache().read(&key).unwrap().unwrap().result().unwrap();
    assert_eq!(result.latest().interfaces[0].mtu, Some(20));
}
