//! STATUS.

use libcni::spec::ErrorCode;
use serde_json::json;

use super::says;
use crate::support::{Sandbox, attachment, fails_with};

#[test]
fn status_asks_every_plugin_without_an_attachment() {
    let sandbox = Sandbox::new().plugins(["one", "two"]);
    sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    sandbox.forget_calls();
    sandbox.cni().status(&sandbox.network()).unwrap();
    assert_eq!(sandbox.calls(), ["STATUS one", "STATUS two"]);
    assert_eq!(sandbox.variable_of("one", "STATUS", "CNI_CONTAINERID"), "");
    assert_eq!(sandbox.request_of("one", "STATUS"), json!({"type": "one", "name": "net", "cniVersion": "1.1.0"}));
}

#[test]
fn the_code_of_a_status_error_is_that_of_the_plugin() {
    for code in [ErrorCode(50), ErrorCode(51)] {
        let sandbox = Sandbox::new().plugins(["one", "two"]).on("one", "STATUS", &fails_with(code.0 as u32, "no"));
        let error = sandbox.cni().status(&sandbox.network()).unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!(sandbox.calls(), ["STATUS one"]);
        says(&error, ["`one`", "STATUS"]);
    }
}

#[test]
fn before_1_1_0_status_is_fine_without_asking() {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "STATUS", &fails_with(50, "no"));
    sandbox.cni().status(&sandbox.network_with(json!({"cniVersion": "1.0.0"}))).unwrap();
    assert!(sandbox.calls().is_empty());
}
