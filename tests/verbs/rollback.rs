//! All or nothing: ADD with rollback, and several networks at once.

use std::time::Duration;

use libcni::CancelToken;
use libcni::conf::NetworkConfig;
use libcni::{Attachment, Error};
use serde_json::json;

use super::says;
use crate::support::{Sandbox, attachment, eventually, fails_with};

fn host() -> Sandbox {
    Sandbox::new().plugins(["one", "two", "three"])
}

/// A network of one plugin, named like it.
#[track_caller]
fn network(sandbox: &Sandbox, plugin: &str) -> NetworkConfig {
    sandbox.network_with(json!({"name": plugin, "plugins": [{"type": plugin}]}))
}

/// The networks `one`, `two` and `three`, with an interface for each.
fn three(sandbox: &Sandbox) -> Vec<(NetworkConfig, Attachment)> {
    let numbered = ["one", "two", "three"].into_iter().enumerate();
    numbered.map(|(i, name)| (network(sandbox, name), attachment("c1", &format!("eth{i}")))).collect()
}

fn borrowed(attachments: &[(NetworkConfig, Attachment)]) -> Vec<(&NetworkConfig, &Attachment)> {
    attachments.iter().map(|(network, attachment)| (network, attachment)).collect()
}

#[test]
fn a_failed_add_is_undone_and_the_error_is_that_of_add() {
    let sandbox = host().on("two", "ADD", &fails_with(120, "out of luck"));
    let error = sandbox.cni().add_with_rollback(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert_eq!(sandbox.calls(), ["ADD one", "ADD two", "DEL two", "DEL one"]);
    assert!(matches!(error, Error::RolledBack { undo: None, .. }), "{error:?}");
    assert_eq!((error.code().0, error.plugin(), error.needs_cleanup()), (120, Some("two"), false));
    says(&error, ["ADD failed and was undone: ", "`two`", "out of luck"]);
    assert!(sandbox.cached().is_empty());
}

#[test]
fn what_went_wrong_while_undoing_is_told_with_what_went_wrong_before() {
    let sandbox = host().on("two", "ADD", &fails_with(120, "out of luck"));
    let sandbox = sandbox.on("one", "DEL", &fails_with(121, "no way back"));
    let error = sandbox.cni().add_with_rollback(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    says(&error, ["undone in part only", "`one`", "no way back", "out of luck"]);
    assert!(error.needs_cleanup());
    assert_eq!(error.code().0, 120);
}

#[test]
fn an_add_that_did_nothing_is_not_undone() {
    let sandbox = host().on("one", "ADD", &fails_with(3, "no such container"));
    let error = sandbox.cni().add_with_rollback(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(matches!(error, Error::Plugin(_)), "{error:?}");
    assert_eq!(sandbox.calls(), ["ADD one"]);
}

#[test]
fn an_earlier_attachment_that_a_second_add_runs_into_is_left_alone() {
    let sandbox = host();
    let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
    sandbox.cni().add_with_rollback(&network, &attachment).unwrap();
    sandbox.now_on("one", "ADD", &fails_with(999, "eth0 is there already"));
    let error = sandbox.cni().add_with_rollback(&network, &attachment).unwrap_err();
    assert!(matches!(error, Error::Plugin(_)), "{error:?}");
    assert_eq!(sandbox.calls(), ["ADD one", "ADD two", "ADD three", "ADD one"]);
    assert_eq!(sandbox.cached(), ["net-c1-eth0"]);
}

#[test]
fn an_add_that_ran_out_of_time_is_undone_in_time_of_its_own() {
    let sandbox = host().on("two", "ADD", "exec sleep 300");
    let cni = sandbox.builder().timeout(Duration::from_secs(3)).build().unwrap();
    cni.add_with_rollback(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert_eq!(sandbox.calls()[2..], ["DEL two", "DEL one"]);
}

#[test]
fn an_add_that_was_cancelled_is_undone() {
    let sandbox = host().on("two", "ADD", "touch $home/running; exec sleep 300");
    let token = CancelToken::new().unwrap();
    let cni = sandbox.builder().cancel(token.clone()).build().unwrap();
    let network = sandbox.network();
    let error = std::thread::scope(|scope| {
        let add = scope.spawn(|| cni.add_with_rollback(&network, &attachment("c1", "eth0")));
        eventually("plugin `two` runs", || sandbox.path("running").exists());
        token.cancel().unwrap();
        add.join().unwrap().unwrap_err()
    });
    says(&error, ["ADD failed and was undone: ", "cancelled"]);
    assert_eq!(sandbox.calls()[2..], ["DEL two", "DEL one"]);
}

#[test]
fn several_networks_are_added_in_order_and_removed_in_reverse_order() {
    let sandbox = host();
    let attachments = three(&sandbox);
    let results = sandbox.cni().add_all(&borrowed(&attachments)).unwrap();
    let domains: Vec<_> = results.iter().map(|result| result.latest().dns.domain.unwrap()).collect();
    assert_eq!(domains, ["one", "two", "three"]);
    assert_eq!(sandbox.cached(), ["one-c1-eth0", "three-c1-eth2", "two-c1-eth1"]);
    sandbox.cni().del_all(&borrowed(&attachments)).unwrap();
    assert_eq!(sandbox.calls(), ["ADD one", "ADD two", "ADD three", "DEL three", "DEL two", "DEL one"]);
    assert!(sandbox.cached().is_empty());
}

#[test]
fn of_several_networks_all_are_added_or_none() {
    let sandbox = host().on("three", "ADD", &fails_with(120, "out of luck"));
    let error = sandbox.cni().add_all(&borrowed(&three(&sandbox))).unwrap_err();
    assert_eq!(sandbox.calls()[3..], ["DEL three", "DEL two", "DEL one"]);
    says(&error, ["ADD failed and was undone: ", "`three`", "out of luck"]);
    assert!(sandbox.cached().is_empty());
}

#[test]
fn networks_before_one_that_did_nothing_are_removed_again() {
    let sandbox = host().on("three", "ADD", &fails_with(3, "no such container"));
    sandbox.cni().add_all(&borrowed(&three(&sandbox))).unwrap_err();
    assert_eq!(sandbox.calls()[3..], ["DEL two", "DEL one"]);
}

#[test]
fn removing_several_networks_goes_on_after_an_error() {
    let sandbox = host().on("three", "DEL", &fails_with(121, "stuck")).on("one", "DEL", &fails_with(122, "too"));
    let attachments = three(&sandbox);
    sandbox.cni().add_all(&borrowed(&attachments)).unwrap();
    let error = sandbox.cni().del_all(&borrowed(&attachments)).unwrap_err();
    assert!(matches!(error, Error::Several(_)), "{error:?}");
    says(&error, ["stuck", "too"]);
    assert_eq!(sandbox.cached(), ["one-c1-eth0", "three-c1-eth2"]);
}

#[test]
fn no_network_at_all_is_fine() {
    assert!(host().cni().add_all(&[]).unwrap().is_empty());
    host().cni().del_all(&[]).unwrap();
}

#[test]
fn an_add_is_undone_without_a_plugin_that_has_gone_meanwhile() {
    let sandbox = host().on("two", "ADD", &format!("rm $home/bin/two; {}", fails_with(120, "out of luck")));
    let cni = sandbox.builder().on_notice(|_| {}).build().unwrap();
    let error = cni.add_with_rollback(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(matches!(error, Error::RolledBack { undo: None, .. }), "{error:?}");
    assert_eq!(sandbox.calls(), ["ADD one", "ADD two", "DEL one"]);
}
