//! GC.

use libcni::Error;
use libcni::runtime::Keep;
use libcni::spec::CniArgs;
use libcni::spec::capability::CapabilityArgs;
use serde_json::json;

use super::{Heard, hearing, says};
use crate::support::{Sandbox, attachment, fails_with};

/// A host with two attachments to its network, and one to another network.
#[track_caller]
fn with_attachments() -> Sandbox {
    let sandbox = Sandbox::new().plugins(["one", "two"]);
    let other = sandbox.network_with(json!({"name": "net-c1"}));
    for (network, id) in [(sandbox.network(), "c1"), (sandbox.network(), "c2"), (other, "c3")] {
        sandbox.cni().add(&network, &attachment(id, "eth0")).unwrap();
    }
    sandbox.forget_calls();
    sandbox
}

fn keep(id: &str) -> Keep {
    Keep::only([(&id.parse().unwrap(), &"eth0".parse().unwrap())])
}

#[test]
fn gc_deletes_what_is_not_kept_and_then_runs_every_plugin() {
    let sandbox = with_attachments();
    sandbox.cni().gc(&sandbox.network(), &keep("c1")).unwrap();
    assert_eq!(sandbox.calls(), ["DEL two", "DEL one", "GC one", "GC two"]);
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_CONTAINERID"), "c2");
    assert_eq!(sandbox.cached(), ["net-c1-c3-eth0", "net-c1-eth0"]);
}

#[test]
fn gc_tells_plugins_the_valid_attachments_and_no_attachment_of_its_own() {
    let sandbox = with_attachments();
    sandbox.cni().gc(&sandbox.network(), &keep("c1")).unwrap();
    let request = sandbox.request_of("two", "GC");
    for key in ["cni.dev/valid-attachments", "cni.dev/attachments"] {
        assert_eq!(request[key], json!([{"containerID": "c1", "ifname": "eth0"}]), "{key}");
    }
    for name in ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS"] {
        assert_eq!(sandbox.variable_of("two", "GC", name), "", "{name}");
    }
}

#[test]
fn keeping_nothing_deletes_every_attachment_of_this_network_only() {
    let sandbox = with_attachments();
    sandbox.cni().gc(&sandbox.network(), &Keep::Nothing).unwrap();
    assert_eq!(sandbox.cached(), ["net-c1-c3-eth0"]);
}

#[test]
fn gc_deletes_with_the_parameters_that_add_had() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let network =
        sandbox.network_with(json!({"plugins": [{"type": "one", "capabilities": {"mac": true, "ips": false}}]}));
    let args: CniArgs = "POD=web".parse().unwrap();
    let capability_args = CapabilityArgs::parse(r#"{"mac":"02:00:00:00:00:01","ips":[]}"#).unwrap();
    let attachment = attachment("c1", "eth0").args(args).capability_args(capability_args);
    sandbox.cni().add(&network, &attachment.netns("/run/netns/red")).unwrap();
    sandbox.cni().gc(&network, &Keep::Nothing).unwrap();
    for (name, value) in [("CNI_NETNS", "/run/netns/red"), ("CNI_ARGS", "POD=web"), ("CNI_IFNAME", "eth0")] {
        assert_eq!(sandbox.variable_of("one", "DEL", name), value, "{name}");
    }
    let request = sandbox.request_of("one", "DEL");
    assert_eq!(request["runtimeConfig"], json!({"mac": "02:00:00:00:00:01"}));
    assert_eq!(request["prevResult"]["dns"]["domain"], "one");
}

#[test]
fn gc_goes_on_after_errors_and_returns_all_of_them() {
    let sandbox = with_attachments()
        .on("two", "DEL", r#"test "$CNI_CONTAINERID" != c1 || { echo '{"code":101,"msg":"busy"}'; exit 1; }"#)
        .on("one", "GC", &fails_with(102, "no lease file"));
    let error = sandbox.cni().gc(&sandbox.network(), &Keep::Nothing).unwrap_err();
    assert_eq!(sandbox.calls(), ["DEL two", "DEL two", "DEL one", "GC one", "GC two"]);
    assert_eq!(sandbox.cached(), ["net-c1-c3-eth0", "net-c1-eth0"]);
    let Error::Several(failures) = &error else { panic!("{error:?}") };
    let codes: Vec<u64> = failures.iter().map(|failure| failure.code().0).collect();
    assert_eq!(codes, [101, 102]);
    says(&error, ["busy", "no lease file", "`one`", "`two`"]);
}

#[test]
fn one_error_of_a_gc_comes_back_as_it_is() {
    let sandbox = with_attachments().on("two", "GC", &fails_with(102, "no lease file"));
    let error = sandbox.cni().gc(&sandbox.network(), &keep("c1")).unwrap_err();
    assert!(matches!(error, Error::Plugin(_)), "{error:?}");
    assert_eq!(error.code().0, 102);
}

#[test]
fn before_1_1_0_gc_only_deletes() {
    let sandbox = with_attachments();
    let network = sandbox.network_with(json!({"cniVersion": "1.0.0"}));
    sandbox.cni().gc(&network, &keep("c1")).unwrap();
    assert_eq!(sandbox.calls(), ["DEL two", "DEL one"]);
}

#[test]
fn gc_does_nothing_where_it_is_disabled() {
    let sandbox = with_attachments();
    let network = sandbox.network_with(json!({"disableGC": true}));
    sandbox.cni().gc(&network, &Keep::Nothing).unwrap();
    assert!(sandbox.calls().is_empty());
    assert_eq!(sandbox.cached().len(), 3);
}

#[test]
fn an_entry_that_names_no_container_is_an_error_that_stops_nothing() {
    let sandbox = with_attachments();
    let stranger = r#"{"kind":"cniCacheV1","containerId":"../../x","networkName":"net","ifName":"eth0","result":{}}"#;
    sandbox.plant_cached("net-a-eth0", stranger);
    let error = sandbox.cni().gc(&sandbox.network(), &keep("c1")).unwrap_err();
    says(&error, ["../../x"]);
    assert_eq!(sandbox.calls(), ["DEL two", "DEL one", "GC one", "GC two"]);
}

#[test]
fn an_unreadable_entry_is_reported_and_stops_nothing() {
    let sandbox = with_attachments();
    sandbox.plant_cached("net-a-eth0", "{");
    let (cni, heard) = hearing(sandbox.cni());
    cni.gc(&sandbox.network(), &keep("c1")).unwrap();
    assert_eq!(sandbox.calls(), ["DEL two", "DEL one", "GC one", "GC two"]);
    let heard = heard.lock().unwrap();
    let named = |error: &str| error.contains("net-a-eth0");
    assert!(matches!(heard.as_slice(), [Heard::UnusableCacheEntry(error)] if named(error)), "{heard:?}");
}

/// Its attachment may be live, and plugins would take away what it has.
#[test]
fn a_record_that_can_not_be_read_keeps_plugins_from_gc_where_the_live_are_kept() {
    let torn = |sandbox: &Sandbox| sandbox.plant_cached("net-a-eth0", "{");
    let directory = |sandbox: &Sandbox| std::fs::create_dir(sandbox.path("cache/results/net-a-eth0")).unwrap();
    for plant in [&torn as &dyn Fn(&Sandbox), &directory] {
        let sandbox = with_attachments();
        plant(&sandbox);
        let error = sandbox.cni().gc(&sandbox.network(), &Keep::Live(Vec::new())).unwrap_err();
        assert!(matches!(error, Error::LiveUnknown { .. }), "{error:?}");
        says(&error, ["`net`", "net-a-eth0"]);
        assert_eq!(sandbox.calls(), ["DEL two", "DEL one", "DEL two", "DEL one"]);
    }
}

#[test]
fn what_a_person_can_hardly_mean_to_keep_is_refused() {
    let sandbox = with_attachments();
    let (cni, network) = (sandbox.cni(), sandbox.network());
    let check = |keep: &Keep| cni.check_kept(&network, keep);
    for fine in [keep("c1"), keep("elsewhere"), Keep::Nothing, Keep::Live(Vec::new())] {
        check(&fine).unwrap();
    }
    let error = check(&keep("c")).unwrap_err();
    let Error::Misnamed { name, near, .. } = &error else { panic!("{error:?}") };
    assert_eq!((&**name, &**near), ("c:eth0", "c1:eth0"));
    std::fs::remove_dir_all(sandbox.path("cache")).unwrap();
    let error = check(&Keep::Live(Vec::new())).unwrap_err();
    assert!(matches!(error, Error::LiveUnknown { .. }), "{error:?}");
    check(&keep("c1")).unwrap();
}

#[test]
fn gc_deletes_what_an_add_began_that_was_cut_short() {
    let sandbox = Sandbox::new().plugins(["one", "two"]).on("two", "ADD", "exec sleep 100");
    let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
    let impatient = sandbox.builder().timeout(std::time::Duration::from_secs(1)).build().unwrap();
    assert!(impatient.add(&network, &attachment).unwrap_err().needs_cleanup());
    assert_eq!(sandbox.cached(), Vec::<String>::new());
    let key = attachment.key("net".parse().unwrap());
    assert_eq!(sandbox.cni().cache().read_intent(&key).unwrap().unwrap().netns, Some("/run/netns/blue".into()));
    assert_eq!(sandbox.cni().stale(&network, &Keep::Live(Vec::new())).unwrap().len(), 1);
    sandbox.forget_calls();
    sandbox.cni().gc(&network, &keep("c1")).unwrap();
    assert_eq!(sandbox.calls(), ["GC one", "GC two"], "it is kept");
    sandbox.cni().gc(&network, &keep("c2")).unwrap();
    assert_eq!(sandbox.calls()[2..], ["DEL two", "DEL one", "GC one", "GC two"]);
    assert_eq!(sandbox.cni().cache().unfinished().unwrap().entries, []);
}

#[test]
fn an_add_that_failed_by_itself_is_its_callers_to_undo_and_on_record_until_then() {
    let sandbox = Sandbox::new().plugins(["one", "two"]).on("two", "ADD", &fails_with(120, "no"));
    let (network, attachment) = (sandbox.network(), attachment("c1", "eth0"));
    sandbox.cni().add(&network, &attachment).unwrap_err();
    assert_eq!(sandbox.cni().stale(&network, &Keep::Live(Vec::new())).unwrap().len(), 1);
    sandbox.cni().del(&network, &attachment).unwrap();
    assert_eq!(sandbox.cni().cache().unfinished().unwrap().entries, []);
}

#[test]
fn an_entry_with_names_that_are_paths_deletes_nothing_but_is_reported() {
    for (id, ifname) in [("../../victim", "eth0"), ("c1", "../../victim"), ("..", ".."), ("c1\u{1b}[2J", "eth0")] {
        let sandbox = Sandbox::new().plugins(["one"]);
        std::fs::write(sandbox.path("victim"), "precious").unwrap();
        let entry =
            json!({"kind": "cniCacheV1", "containerId": id, "ifName": ifname, "networkName": "net", "result": {}});
        sandbox.plant_cached("net-odd-eth0", &entry.to_string());
        let error = sandbox.cni().gc(&sandbox.network(), &Keep::Nothing).unwrap_err();
        assert!(matches!(error, Error::Name(_)), "{error:?}");
        assert_eq!(sandbox.calls(), ["GC one"]);
        assert_eq!(std::fs::read_to_string(sandbox.path("victim")).unwrap(), "precious");
    }
}
