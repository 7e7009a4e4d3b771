//! A plugin that calls another one.

use std::sync::{Arc, Mutex};

use libcni::invoke::Output;
use libcni::plugin::{Answer, AttachmentCall, Delegate, Input, Outcome, Plugin, dispatch};
use libcni::result::AddResult;
use libcni::spec::{Command, Object};

use crate::support::{FakeExec, failing, printing};

/// A plugin whose ADD is that of another one, called as a closure says.
struct Delegating<F>(F);

impl<F: for<'a> Fn(Delegate<'a>) -> Delegate<'a>> Plugin for Delegating<F> {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        Ok((self.0)(call.delegate("other")).add()?.keep())
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        (self.0)(call.delegate("other")).del()
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        (self.0)(call.delegate("other")).check()
    }
}

const CONFIG: &str = r#"{"cniVersion":"1.1.0","name":"net","type":"one"}"#;

/// An ADD that is delegated to a plugin with this answer, and what that plugin was sent.
fn add(
    prepare: impl for<'a> Fn(Delegate<'a>) -> Delegate<'a>,
    answer: fn() -> Output,
) -> (Outcome, Vec<libcni::invoke::Request>) {
    let other = FakeExec::new(move |_| answer());
    let outcome = dispatch(&Delegating(prepare), Input::call(Command::Add, CONFIG).exec(other.clone()));
    (outcome, other.requests())
}

fn succeeding() -> Output {
    printing(r#"{"cniVersion":"1.1.0","ips":[{"address":"10.1.2.3/24"}]}"#)
}

fn refusing() -> Output {
    failing(1, r#"{"code":11,"msg":"not now"}"#, "")
}

#[test]
fn a_delegate_gets_the_callers_environment_and_configuration() {
    let (outcome, requests) = add(|delegate| delegate, succeeding);
    assert_eq!(outcome.stdout, r#"{"cniVersion":"1.1.0","ips":[{"address":"10.1.2.3/24"}]}"#);
    let [request] = requests.try_into().unwrap();
    assert_eq!(request.stdin, CONFIG.as_bytes());
    assert_eq!(request.env("CNI_IFNAME"), Some("eth0".as_ref()));
    assert_eq!(request.env("CNI_COMMAND"), Some("ADD".as_ref()));
}

#[test]
fn a_delegate_can_get_another_configuration_container_interface_and_arguments() {
    let config = Object::parse(r#"{"cniVersion":"0.4.0","name":"net","type":"other","mtu":1450}"#).unwrap();
    let (id, ifname, args) = ("c7".parse().unwrap(), "eth7".parse().unwrap(), "IP=10.1.2.3".parse().unwrap());
    let (outcome, requests) =
        add(|delegate| delegate.config(&config).container_id(&id).ifname(&ifname).args(&args), succeeding);
    assert_eq!(outcome.exit_code, 0, "{}", outcome.stdout);
    let [request] = requests.try_into().unwrap();
    assert!(String::from_utf8(request.stdin.clone()).unwrap().contains(r#""mtu":1450"#));
    assert_eq!(request.env("CNI_CONTAINERID"), Some("c7".as_ref()));
    assert_eq!(request.env("CNI_IFNAME"), Some("eth7".as_ref()));
    assert_eq!(request.env("CNI_ARGS"), Some("IP=10.1.2.3".as_ref()));
}

#[test]
fn the_limits_and_the_executor_of_a_delegate_can_be_set() {
    let seen = Arc::new(Mutex::new(0));
    let counting = FakeExec::new({
        let seen = Arc::clone(&seen);
        move |_| {
            *seen.lock().unwrap() += 1;
            succeeding()
        }
    });
    let (outcome, requests) = add(move |delegate| delegate.exec(counting.clone()), refusing);
    assert_eq!(outcome.exit_code, 0, "{}", outcome.stdout);
    assert_eq!((requests.len(), *seen.lock().unwrap()), (0, 1));
}

#[test]
fn an_add_of_a_delegate_that_failed_is_followed_by_its_del() {
    let (outcome, requests) = add(|delegate| delegate, refusing);
    assert!(outcome.stdout.contains(r#""code":11"#), "{}", outcome.stdout);
    let commands: Vec<_> = requests.iter().map(|request| request.command).collect();
    assert_eq!(commands, [Command::Add, Command::Del]);
}

#[test]
fn the_error_of_a_delegate_is_handed_on_in_its_own_words() {
    let (outcome, _) = add(|delegate| delegate, || failing(1, r#"{"code":7,"msg":"no such set","details":"x"}"#, ""));
    assert_eq!(outcome.stdout, r#"{"cniVersion":"1.1.0","code":7,"msg":"no such set","details":"x"}"#);
}

#[test]
fn a_delegate_that_has_no_words_is_named() {
    for answer in [
        || failing(3, "", ""),
        || failing(1, r#"{"code":7,"msg":""}"#, ""),
        || failing(0, r#"{"code":7,"msg":"no"}"#, ""),
    ] {
        let (outcome, _) = add(|delegate| delegate, answer);
        assert!(outcome.stdout.contains("plugin `other` (/fake/other) failed on ADD"), "{}", outcome.stdout);
    }
}

#[test]
fn a_delegate_that_undoes_its_own_failures_gets_no_del() {
    let (_, requests) = add(|delegate| delegate.without_undo(), refusing);
    assert_eq!(requests.len(), 1);
}
