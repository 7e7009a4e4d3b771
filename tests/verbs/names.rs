//! Names become paths of files, so a bad one must not get that far, in any verb.

use std::fs;

use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::spec::ErrorCode;
use libcni::{Attachment, Cni, Error};
use serde_json::json;

use crate::support::{Sandbox, attachment};

type Verb = fn(&Cni, &NetworkConfig, &Attachment) -> Result<(), Error>;

const VERBS: [(&str, Verb); 6] = [
    ("ADD", |cni, network, attachment| cni.add(network, attachment).map(drop)),
    ("CHECK", Cni::check),
    ("DEL", Cni::del),
    ("GC", |cni, network, _| cni.gc(network, &Keep::Nothing)),
    ("STATUS", |cni, network, _| cni.status(network)),
    ("validate", |cni, network, _| cni.validate(network).map(drop)),
];

#[test]
fn a_bad_network_name_is_refused_by_every_verb_before_anything_runs() {
    for (verb, run) in VERBS {
        for name in ["", ".", "..", "../victim", "a/b", "-net", "net\0", "net\n", "réseau", "a b"] {
            let sandbox = Sandbox::new().plugins(["one"]);
            let network = sandbox.network_with(json!({"name": name}));
            let error = run(&sandbox.cni(), &network, &attachment("c1", "eth0")).unwrap_err();
            assert_eq!(error.code(), ErrorCode::INVALID_NETWORK_CONFIG, "{verb} {name:?}: {error}");
            assert!(sandbox.calls().is_empty(), "{verb} {name:?}");
            assert!(!sandbox.path("cache").exists(), "{verb} {name:?}");
        }
    }
}

#[test]
fn a_network_name_never_reaches_files_outside_the_cache() {
    for (verb, run) in VERBS {
        let sandbox = Sandbox::new().plugins(["one"]);
        let victim = r#"{"kind":"cniCacheV1","containerId":"c1","ifName":"eth0","networkName":"../../victim","result":{"cniVersion":"1.0.0"}}"#;
        fs::create_dir_all(sandbox.path("cache/results")).unwrap();
        // What `NETWORK-CONTAINERID-IFNAME` below cache/results comes to.
        fs::write(sandbox.path("victim-c1-eth0"), victim).unwrap();
        let network = sandbox.network_with(json!({"name": "../../victim"}));
        run(&sandbox.cni(), &network, &attachment("c1", "eth0")).unwrap_err();
        assert_eq!(fs::read_to_string(sandbox.path("victim-c1-eth0")).unwrap(), victim, "{verb}");
        assert!(sandbox.calls().is_empty(), "{verb}");
    }
}

#[test]
fn a_plugin_type_never_reaches_programs_outside_the_plugin_directories() {
    for plugin in ["../outside", "sub/one", "/bin/sh", "..", "."] {
        let sandbox = Sandbox::new().plugins(["one"]);
        fs::create_dir(sandbox.bin().join("sub")).unwrap();
        fs::rename(sandbox.bin().join("one"), sandbox.path("outside")).unwrap();
        let network = sandbox.network_with(json!({"plugins": [{"type": plugin}]}));
        let error = sandbox.cni().add(&network, &attachment("c1", "eth0")).unwrap_err();
        assert!(matches!(error, Error::PluginNotFound { .. }), "{plugin}: {error:?}");
        assert!(sandbox.calls().is_empty(), "{plugin}");
    }
}
