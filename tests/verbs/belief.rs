//! An entry of the cache is believed only if it is this attachment's.

use libcni::runtime::Keep;
use serde_json::json;

use super::{Heard, hearing, says};
use crate::support::{Sandbox, attachment};

const FILE: &str = "net-c1-eth0";

/// Texts in the place of an entry, and what is said of each.
fn ruins() -> Vec<(String, &'static str)> {
    let entry = |kind: &str, id: &str| {
        json!({"kind": kind, "networkName": "net", "containerId": id, "ifName": "eth0",
            "result": {"cniVersion": "1.1.0", "dns": {"domain": "foreign"}}})
    };
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    vec![
        (entry("cniCacheV1", "c9").to_string(), "it belongs to interface `eth0` of container `c9` on network `net`"),
        (entry("cniCacheV7", "c1").to_string(), "its kind is `cniCacheV7`"),
        (r#"{"kind": 7, "cniVersion": "1.1.0"}"#.to_owned(), "kind"),
        (format!(r#"{{"kind": {deep}, "cniVersion": "1.1.0"}}"#), "kind"),
        (
            format!(
                r#"{{"kind":"cniCacheV1","networkName":"net","containerId":"c1","ifName":"eth0","result":{deep}}}"#
            ),
            "result",
        ),
        ("{".to_owned(), "not a JSON object"),
    ]
}

/// A host with a ruin in the place of an entry.
fn with_ruin(text: &str) -> Sandbox {
    let sandbox = Sandbox::new().plugins(["one"]);
    sandbox.plant_cached(FILE, text);
    sandbox
}

#[test]
fn check_of_it_is_an_error_that_names_the_file() {
    for (text, words) in ruins() {
        let sandbox = with_ruin(&text);
        let error = sandbox.cni().check(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
        says(&error, [FILE, words]);
        assert!(sandbox.calls().is_empty());
    }
}

#[test]
fn del_goes_on_without_it_and_says_so() {
    for (text, words) in ruins() {
        let sandbox = with_ruin(&text);
        let (cni, heard) = hearing(sandbox.cni());
        cni.del(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
        assert_eq!(sandbox.request_of("one", "DEL").get("prevResult"), None, "{text:.80}");
        let heard = heard.lock().unwrap();
        let [Heard::UnusableCacheEntry(said)] = &heard[..] else { panic!("{text:.80}: {heard:?}") };
        assert!(said.contains(FILE) && said.contains(words), "{said}");
    }
}

#[test]
fn gc_tells_each() {
    for (text, words) in ruins() {
        let sandbox = with_ruin(&text);
        sandbox.cni().add(&sandbox.network(), &attachment("c2", "eth0")).unwrap();
        sandbox.forget_calls();
        let (cni, heard) = hearing(sandbox.cni());
        cni.gc(&sandbox.network(), &Keep::Nothing).unwrap();
        assert_eq!(sandbox.calls(), ["DEL one", "GC one"], "{text:.80}");
        assert_eq!(sandbox.variable_of("one", "DEL", "CNI_CONTAINERID"), "c2");
        let heard = heard.lock().unwrap();
        let [Heard::UnusableCacheEntry(said)] = &heard[..] else { panic!("{text:.80}: {heard:?}") };
        assert!(said.contains(FILE) && said.contains(words), "{said}");
    }
}

#[test]
fn gc_tells_a_result_that_does_not_say_whose_it_is() {
    let sandbox = with_ruin(r#"{"cniVersion": "0.3.1"}"#);
    let (cni, heard) = hearing(sandbox.cni());
    cni.gc(&sandbox.network(), &Keep::Nothing).unwrap();
    let heard = heard.lock().unwrap();
    assert!(
        matches!(&heard[..], [Heard::UnusableCacheEntry(said)] if said.contains("does not name its attachment")),
        "{heard:?}"
    );
}
