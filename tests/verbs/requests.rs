//! What the verbs would send, without running anything.

use libcni::Error;
use libcni::conf::NetworkConfig;
use libcni::spec::capability::CapabilityArgs;
use serde_json::json;

use crate::support::{FakeExec, Sandbox, attachment, printing};

/// An executor, and a network of two plugins that it knows.
fn fake() -> (Sandbox, FakeExec, NetworkConfig) {
    let exec = FakeExec::new(|request| printing(&format!(r#"{{"dns":{{"domain":"{}"}}}}"#, request.plugin)));
    let sandbox = Sandbox::new();
    let network = sandbox.network_with(json!({"plugins": [
        {"type": "one", "capabilities": {"mac": true}, "n": 9007199254740993_u64},
        {"type": "two"},
    ]}));
    (sandbox, exec, network)
}

#[test]
fn requests_are_what_the_verbs_send() {
    let (sandbox, exec, network) = fake();
    let cni = sandbox.builder().exec(exec.clone()).build().unwrap();
    let capability_args = CapabilityArgs::parse(r#"{"mac":"02:00:00:00:00:01"}"#).unwrap();
    let attachment = attachment("c1", "eth0").args("K=V".parse().unwrap()).capability_args(capability_args);
    let planned = cni.add_requests(&network, &attachment).unwrap();
    assert!(exec.requests().is_empty() && sandbox.cached().is_empty(), "something was run or written");
    cni.add(&network, &attachment).unwrap();
    let [first, second] = exec.requests().try_into().unwrap();
    assert_eq!(planned[0], first);
    assert_eq!((&planned[1].env, &planned[1].program), (&second.env, &second.program));
    assert!(!String::from_utf8_lossy(&planned[1].stdin).contains("prevResult"), "{planned:?}");

    let (planned_check, planned_del) =
        (cni.check_requests(&network, &attachment).unwrap(), cni.del_requests(&network, &attachment).unwrap());
    assert_eq!(exec.requests().len(), 2, "something was run");
    cni.check(&network, &attachment).unwrap();
    assert_eq!(exec.requests()[2..], planned_check);
    cni.del(&network, &attachment).unwrap();
    assert_eq!(exec.requests()[4..], planned_del);
}

#[test]
fn nothing_is_sent_where_check_is_disabled() {
    let (sandbox, exec, _) = fake();
    let network = sandbox.network_with(json!({"disableCheck": true, "plugins": [{"type": "one"}]}));
    let requests =
        sandbox.builder().exec(exec).build().unwrap().check_requests(&network, &attachment("c1", "eth0")).unwrap();
    assert!(requests.is_empty());
}

#[test]
fn what_a_verb_would_refuse_is_refused() {
    let (sandbox, exec, network) = fake();
    let old = sandbox.network_with(json!({"cniVersion": "0.3.1", "plugins": [{"type": "one"}]}));
    let cni = sandbox.builder().exec(exec.without(|plugin| plugin == "two")).build().unwrap();
    let attachment = attachment("c1", "eth0");
    let refused = cni.add_requests(&network, &attachment).unwrap_err();
    assert!(matches!(refused, Error::PluginNotFound { .. }), "{refused:?}");
    let refused = cni.check_requests(&old, &attachment).unwrap_err();
    assert!(matches!(refused, Error::CheckUnsupported { .. }), "{refused:?}");
    let empty = NetworkConfig::parse(r#"{"cniVersion":"1.0.0","name":"net"}"#).unwrap();
    assert!(matches!(cni.add_requests(&empty, &attachment), Err(Error::NoPlugins { .. })));
    let misnamed = sandbox.network_with(json!({"name": "../x", "plugins": [{"type": "one"}]}));
    assert!(matches!(cni.del_requests(&misnamed, &attachment), Err(Error::Name(_))));
}
