//! The highest version that a configuration and its plugins have in common.

use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::{Cni, Error};
use serde_json::json;

use super::says;
use crate::support::{FakeExec, Sandbox, attachment, failing, printing};

/// Plugins `old` (up to 0.4.0), `middle` (0.3.1 to 1.0.0) and `new` (0.4.0 to 1.1.0); `gone` is not installed.
fn cni() -> Cni {
    let answer = |versions: &str| printing(&format!(r#"{{"cniVersion":"1.0.0","supportedVersions":[{versions}]}}"#));
    let exec = FakeExec::new(move |request| match request.plugin.as_str() {
        "old" => answer(r#""0.1.0","0.3.1","0.4.0""#),
        "middle" => answer(r#""0.3.1","0.4.0","1.0.0""#),
        "new" => answer(r#""1.1.0","0.4.0","1.0.0""#),
        _ => failing(1, "", "no memory"),
    });
    Cni::builder().exec(exec.without(|plugin| plugin == "gone")).build().unwrap()
}

fn network(version: &str, versions: &[&str], plugins: &[&str]) -> NetworkConfig {
    let plugins: Vec<_> = plugins.iter().map(|name| json!({"type": name})).collect();
    let list = json!({"cniVersion": version, "cniVersions": versions, "name": "net", "plugins": plugins, "x": 1});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

#[track_caller]
fn agree(version: &str, versions: &[&str], plugins: &[&str]) -> String {
    cni().negotiate(&network(version, versions, plugins)).unwrap().effective_version().to_owned()
}

#[test]
fn the_highest_version_in_common_is_taken() {
    assert_eq!(agree("0.3.1", &["0.4.0", "1.0.0", "1.1.0"], &["middle", "new"]), "1.0.0");
    assert_eq!(agree("1.1.0", &["0.3.1", "0.4.0"], &["old", "middle", "new"]), "0.4.0");
    assert_eq!(agree("0.3.1", &["1.1.0"], &["old", "middle"]), "0.3.1");
}

#[test]
fn a_configuration_of_one_version_is_that_or_nothing() {
    assert_eq!(agree("1.0.0", &[], &["middle", "new"]), "1.0.0");
    assert_eq!(agree("", &[], &["old"]), "0.1.0");
    let error = cni().negotiate(&network("1.1.0", &[], &["middle", "new"])).unwrap_err();
    assert!(matches!(error, Error::NoCommonVersion { .. }), "{error:?}");
    assert_eq!(error.code().0, 1);
    says(&error, ["`net` (1.1.0)", "`middle` supports 0.3.1, 0.4.0, 1.0.0", "`new` supports 1.1.0"]);
}

#[test]
fn a_version_newer_than_this_crate_is_never_taken() {
    let error = cni().negotiate(&network("9.9.9", &[], &["new"])).unwrap_err();
    assert!(matches!(error, Error::NoCommonVersion { .. }), "{error:?}");
    assert_eq!(agree("0.4.0", &["9.9.9"], &["new"]), "0.4.0");
}

#[test]
fn every_plugin_that_can_not_be_asked_is_named() {
    let error = cni().negotiate(&network("1.0.0", &[], &["gone", "broken", "new"])).unwrap_err();
    assert!(matches!(error, Error::Several(_)), "{error:?}");
    says(&error, ["`gone`", "`broken`", "no memory", "`net`"]);
}

#[test]
fn address_plugins_count_and_those_that_are_built_in_do_not() {
    let list = |ipam| {
        json!({"cniVersion": "0.4.0", "cniVersions": ["1.1.0"], "name": "net",
        "plugins": [{"type": "new", "ipam": {"type": ipam}}, {"type": "new"}]})
    };
    for (ipam, expected) in [("old", "0.4.0"), ("new", "1.1.0"), ("gone", "1.1.0")] {
        let network = NetworkConfig::parse(&list(ipam).to_string()).unwrap();
        assert_eq!(cni().negotiate(&network).unwrap().effective_version(), expected, "{ipam}");
    }
}

#[test]
fn versions_in_common_are_those_of_the_plugins_whatever_the_configuration_says() {
    let supported = cni().supported_versions(&network("1.1.0", &[], &["middle", "new"]));
    let common: Vec<_> = supported.common().iter().map(ToString::to_string).collect();
    assert_eq!(common, ["0.4.0", "1.0.0"]);
    assert!(supported.highest().is_none());
    assert!(cni().supported_versions(&network("1.1.0", &[], &["new", "broken"])).common().is_empty());
}

#[test]
fn what_was_agreed_is_sent_and_recorded() {
    let answer = r#"echo '{"cniVersion":"0.4.0","supportedVersions":["0.4.0"]}'"#;
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "VERSION", answer);
    let network = sandbox.network_with(json!({"cniVersions": ["0.4.0", "1.1.0"], "x": 1e300}));
    let network = sandbox.cni().negotiate(&network).unwrap();
    let result = sandbox.cni().add(&network, &attachment("c1", "eth0")).unwrap();
    assert_eq!(result.version().to_string(), "0.4.0");
    assert_eq!(sandbox.request_of("one", "ADD")["cniVersion"], "0.4.0");
    let recorded = NetworkConfig::parse(network.text()).unwrap();
    assert_eq!(recorded.cni_version(), Some("0.4.0"));
    assert!(recorded.text().contains("1e+300") || recorded.text().contains("1e300"), "{}", recorded.text());
}

#[test]
fn a_builder_has_every_verb_use_what_all_plugins_know() {
    let answer = r#"echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}'"#;
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "VERSION", answer);
    let network = sandbox.network_with(json!({"cniVersions": ["0.4.0", "1.0.0", "1.1.0"]}));
    let cni = sandbox.builder().negotiate().build().unwrap();
    let one = attachment("c1", "eth0");
    cni.add(&network, &one).unwrap();
    cni.check(&network, &one).unwrap();
    // From version 1.1.0 on the plugin would be asked.
    cni.status(&network).unwrap();
    cni.gc(&network, &Keep::Nothing).unwrap();
    cni.del(&network, &one).unwrap();
    assert_eq!(sandbox.calls(), ["VERSION one", "ADD one", "CHECK one", "DEL one", "DEL one"]);
    for verb in ["ADD", "CHECK", "DEL"] {
        assert_eq!(sandbox.request_of("one", verb)["cniVersion"], "1.0.0", "{verb}");
    }
}

#[test]
fn a_plugin_that_can_not_be_asked_does_not_keep_del_from_the_others() {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "VERSION", "exit 1");
    sandbox.builder().negotiate().build().unwrap().del(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    assert_eq!(sandbox.calls(), ["VERSION one", "DEL one"]);
}
