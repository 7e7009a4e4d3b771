//! Validation of a network.

use std::collections::BTreeSet;

use libcni::Error;
use serde_json::json;

use super::says;
use crate::support::{Sandbox, fails_with};

const UP_TO_1_0_0: &str = r#"echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}'"#;

#[test]
fn a_valid_network_has_the_capabilities_of_all_its_plugins() {
    let sandbox = Sandbox::new().plugins(["one", "two"]);
    let sandbox = sandbox.on("one", "VERSION", UP_TO_1_0_0).on("two", "VERSION", UP_TO_1_0_0);
    let network = sandbox.network_with(json!({"cniVersion": "1.0.0", "plugins": [
        {"type": "one", "capabilities": {"portMappings": true, "ips": false}},
        {"type": "two", "capabilities": {"mac": true, "portMappings": true}},
    ]}));
    let capabilities = sandbox.cni().validate(&network).unwrap();
    assert_eq!(capabilities, BTreeSet::from(["mac".to_owned(), "portMappings".to_owned()]));
    assert_eq!(sandbox.calls(), ["VERSION one", "VERSION two"]);
}

#[test]
fn validation_finds_everything_that_is_wrong() {
    let sandbox = Sandbox::new().plugins(["old", "broken"]).on("old", "VERSION", UP_TO_1_0_0);
    let sandbox = sandbox.on("broken", "VERSION", &fails_with(999, "no memory"));
    let plugins = json!({"plugins": [{"type": "old"}, {"type": "gone"}, {"type": "broken"}]});
    let error = sandbox.cni().validate(&sandbox.network_with(plugins)).unwrap_err();
    let Error::Several(failures) = &error else { panic!("{error:?}") };
    assert_eq!(failures.iter().count(), 3);
    says(&error, ["`old`", "1.1.0", "`gone`", "`broken`", "no memory"]);
}

#[test]
fn a_plugin_from_before_version_supports_the_oldest_one() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let sandbox = sandbox.on("one", "VERSION", &fails_with(100, "unknown CNI_COMMAND: VERSION"));
    sandbox.cni().validate(&sandbox.network_with(json!({"cniVersion": ""}))).unwrap();
    let error = sandbox.cni().validate(&sandbox.network()).unwrap_err();
    assert!(matches!(error, Error::VersionUnsupported { .. }), "{error:?}");
}

#[test]
fn a_version_reply_that_is_none_is_quoted() {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "VERSION", "echo hello");
    let error = sandbox.cni().validate(&sandbox.network()).unwrap_err();
    says(&error, ["`one`", "VERSION", "hello"]);
}

#[test]
fn an_answer_to_version_is_remembered_until_the_file_changes() {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "VERSION", UP_TO_1_0_0);
    let (cni, network) = (sandbox.cni(), sandbox.network_with(json!({"cniVersion": "1.0.0"})));
    let is_asked = |times| {
        sandbox.forget_calls();
        cni.validate(&network).unwrap();
        cni.clone().validate(&network).unwrap();
        assert_eq!(sandbox.calls().len(), times);
    };
    is_asked(1);
    is_asked(0);
    let program = sandbox.bin().join("one");
    let copy = sandbox.bin().join("copy");
    std::fs::copy(&program, &copy).unwrap();
    std::fs::rename(&copy, &program).unwrap();
    is_asked(1);
    let longer = std::fs::read_to_string(&program).unwrap() + "\n";
    std::fs::write(&program, longer).unwrap();
    is_asked(1);
}

#[test]
fn a_failure_to_answer_version_is_not_remembered() {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "VERSION", "exit 1");
    let cni = sandbox.cni();
    cni.plugin_version("one").unwrap_err();
    sandbox.now_on("one", "VERSION", UP_TO_1_0_0);
    cni.plugin_version("one").unwrap();
}
