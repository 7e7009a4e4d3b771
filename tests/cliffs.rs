//! Inputs so large that work which grows with their square takes minutes, and so deep that recursion ends the process.

use libcni::Chain;
use libcni::cache::{Cache, Entry, Key, unlocked};
use libcni::conf::NetworkConfig;
use libcni::invoke::read_reply;
use libcni::plugin::{Config, load_args};
use libcni::result::AddResult;
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{Object, Version};

use crate::support::{FakeExec, Sandbox, Script, attachment, failing, printing, promptly};

const MANY: usize = 50_000;
const LEVELS: usize = 100_000;

/// This many pairs of a key and a number, as JSON.
fn pairs(value: &str) -> String {
    let pairs: Vec<_> = (0..MANY).map(|n| format!("\"x{n}\":{value}")).collect();
    pairs.join(",")
}

fn deep() -> String {
    "[".repeat(LEVELS) + &"]".repeat(LEVELS)
}

/// A result is read, converted down and up, and printed.
#[track_caller]
fn goes_through(text: &str) {
    promptly(|| {
        let result = AddResult::parse(text).unwrap();
        for version in [Version::V0_2_0, Version::V1_1_0] {
            let converted = result.to_version(&version).unwrap();
            assert_eq!(AddResult::parse(&converted.to_string()).unwrap(), converted);
            assert!(converted.to_json_pretty().len() < 4 * text.len());
        }
    });
}

#[test]
fn a_result_may_have_many_unknown_keys_anywhere() {
    let many = pairs("1");
    goes_through(&format!(r#"{{"cniVersion":"1.1.0","ips":[{{"address":"10.0.0.2/24"}}],{many}}}"#));
    goes_through(&format!(r#"{{"cniVersion":"1.1.0","ips":[{{"address":"10.0.0.2/24",{many}}}]}}"#));
    goes_through(&format!(r#"{{"cniVersion":"0.2.0","ip4":{{"ip":"10.0.0.2/24",{many}}}}}"#));
}

#[test]
fn a_result_may_have_many_addresses_and_routes() {
    let entries = |entry: &str| vec![entry; MANY / 5].join(",");
    let (ips, routes) = (entries(r#"{"address":"10.0.0.2/24"}"#), entries(r#"{"dst":"10.0.0.0/8"}"#));
    goes_through(&format!(r#"{{"cniVersion":"1.1.0","ips":[{ips}],"routes":[{routes}]}}"#));
}

#[test]
fn a_result_may_be_deep_where_nobody_looks() {
    goes_through(&format!(r#"{{"cniVersion":"1.1.0","ips":[{{"address":"10.0.0.2/24","x":{0}}}],"x":{0}}}"#, deep()));
}

#[test]
fn a_result_that_is_deep_where_somebody_looks_is_refused() {
    for key in ["ips", "interfaces", "routes", "dns", "cniVersion"] {
        let text = format!(r#"{{"cniVersion":"1.1.0","{key}":{}}}"#, deep());
        assert!(AddResult::parse(&text).is_err(), "{key}");
    }
}

#[test]
fn a_list_may_have_many_plugins_and_a_plugin_many_keys() {
    let plugins = vec![r#"{"type":"one"}"#; MANY].join(",");
    let text = format!(r#"{{"name":"net","plugins":[{plugins}]}}"#);
    assert_eq!(promptly(|| NetworkConfig::parse(&text)).unwrap().plugins().len(), MANY);
    let many = pairs("1");
    for text in [
        format!(r#"{{"name":"net","plugins":[{{"type":"one",{many}}}]}}"#),
        format!(r#"{{"name":"net",{many},"plugins":[{{"type":"one"}}]}}"#),
    ] {
        let network = promptly(|| NetworkConfig::parse(&text)).unwrap();
        let exec = FakeExec::new(|_| printing("{}"));
        let sandbox = Sandbox::new();
        promptly(|| {
            sandbox.builder().exec(exec.clone()).build().unwrap().add(&network, &attachment("c1", "eth0")).unwrap()
        });
        let sent = exec.requests()[0].stdin.len();
        assert!(sent >= network.plugins()[0].object().to_string().len(), "{sent}");
    }
}

#[test]
fn a_plugin_may_be_given_many_keys_entries_and_levels() {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Typed {
        last: u8,
        list: Vec<u8>,
        inner: std::collections::HashMap<String, u8>,
    }
    let (many, entries) = (pairs("1"), vec!["1"; MANY].join(","));
    let text =
        format!(r#"{{"name":"net",{many},"x":{0},"inner":{{{many}}},"LIST":[{entries}],"y":{0},"Last":7}}"#, deep());
    let typed: Typed = promptly(|| Config::parse(text.as_bytes()).unwrap().typed().unwrap());
    assert_eq!((typed.last, typed.list.len(), typed.inner.len()), (7, MANY, MANY));
}

#[test]
fn there_may_be_many_capability_arguments() {
    let (on, given) = (pairs("true"), pairs("1"));
    let network = format!(r#"{{"name":"net","plugins":[{{"type":"one","capabilities":{{{on}}}}}]}}"#);
    let network = NetworkConfig::parse(&network).unwrap();
    let arguments = CapabilityArgs::parse(&format!("{{{given}}}")).unwrap();
    let mine = attachment("c1", "eth0").capability_args(arguments);
    let exec = FakeExec::new(|_| printing("{}"));
    let sandbox = Sandbox::new();
    promptly(|| sandbox.builder().exec(exec.clone()).build().unwrap().add(&network, &mine).unwrap());
    let sent = Object::parse(std::str::from_utf8(&exec.requests()[0].stdin).unwrap()).unwrap();
    assert_eq!(sent.get("runtimeConfig").unwrap().as_str(), format!("{{{given}}}"));
}

#[test]
fn there_may_be_many_generic_arguments() {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Args {
        last: String,
    }
    let many: String = (0..MANY).map(|n| format!("K{n}=v;")).collect();
    let args: Args = promptly(|| load_args(&format!("{many}IgnoreUnknown=1;last=x"))).unwrap();
    assert_eq!(args.last, "x");
}

#[test]
fn an_error_object_may_have_many_keys_or_levels_and_its_message_stays_short() {
    let request = Script::new("").request;
    for more in [pairs("1"), format!("\"x\":{}", deep()), format!("\"details\":{}", deep())] {
        let output = failing(1, &format!(r#"{{"code":7,"msg":"m",{more}}}"#), "");
        let error = promptly(|| read_reply(&request, output)).unwrap_err();
        assert_eq!(error.code().unwrap().0, 7);
        assert!(Chain(&*error).to_string().len() < 10_000);
    }
}

#[test]
fn one_attachment_is_found_among_many_without_reading_them() {
    let sandbox = Sandbox::new();
    let (results, cache) = (sandbox.path("cache/results"), Cache::new(sandbox.path("cache")));
    std::fs::create_dir_all(&results).unwrap();
    // One that is read takes minutes for all.
    let large = std::fs::File::create(results.join("net-c0-eth0")).unwrap();
    large.set_len(16 << 20).unwrap();
    for n in 1..2_000 {
        std::fs::hard_link(results.join("net-c0-eth0"), results.join(format!("net-c{n}-eth0"))).unwrap();
    }
    let mine = Key::new("net".parse().unwrap(), "mine".parse().unwrap(), "eth0".parse().unwrap());
    let entry = Entry::default().container_id("mine").network("net").ifname("eth0");
    promptly(|| {
        unlocked::write(&cache, &mine, &entry).unwrap();
        for name in ["mine", "mine:eth0", "net-mine-eth0"] {
            assert_eq!(cache.named(name).unwrap().len(), 1, "{name}");
        }
        assert!(cache.named("nobody").unwrap().is_empty());
        assert!(cache.inventory_of("other").unwrap().attached.is_empty());
    });
}
