//! What SPECIFICATION.md shows: the worked example is run and compared, results are converted, JSON is JSON.

use std::ffi::OsStr;

use libcni::conf::NetworkConfig;
use libcni::plugin::{Answer, AttachmentCall, Failure, Input, Outcome, Plugin, dispatch};
use libcni::result::AddResult;
use libcni::runtime::Keep;
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{Command, ErrorReply, Version};
use libcni::{Attachment, Cni};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::specification;
use crate::support::{FakeExec, printing};

#[track_caller]
fn example(name: &str) -> Value {
    serde_json::from_str(&specification().example(name)).unwrap_or_else(|e| panic!("example {name}: {e}"))
}

/// The runtime of the worked example, whose plugins answer as it says.
struct Told {
    network: NetworkConfig,
    attachment: Attachment,
    cache: TempDir,
    plugins: FakeExec,
    cni: Cni,
}

impl Told {
    fn new() -> Self {
        let cache = tempfile::tempdir().unwrap();
        let answer = specification().example("bridge-answer");
        let plugins = FakeExec::new(move |request| match request.command {
            Command::Add => printing(&answer),
            _ => printing(""),
        });
        let cni = Cni::builder()
            .plugin_dirs(["/opt/cni/bin"])
            .cache_dir(cache.path())
            .exec(plugins.clone())
            .env([("", ""); 0])
            .build()
            .unwrap();
        let mut attachment = Attachment::new("web-0".parse().unwrap(), "eth0".parse().unwrap());
        attachment = attachment.netns("/run/netns/blue").args("IgnoreUnknown=1;K8S_POD_NAME=web-0".parse().unwrap());
        attachment.capability_args = CapabilityArgs::parse(&specification().example("capability-arguments")).unwrap();
        Self {
            network: NetworkConfig::parse(&specification().example("list")).unwrap(),
            attachment,
            cache,
            plugins,
            cni,
        }
    }

    /// The same, with the container added.
    fn added() -> Self {
        let told = Self::new();
        told.cni.add(&told.network, &told.attachment).unwrap();
        told
    }

    /// The calls of a verb: plugin, environment, stdin.
    fn calls(&self, command: Command) -> Vec<(String, String, Value)> {
        let pair = |(key, value): (&OsStr, &OsStr)| format!("{}={}", key.display(), value.display());
        let requests = self.plugins.requests().into_iter().filter(|request| request.command == command);
        let call = |request: libcni::invoke::Request| {
            let env = request.env.iter().map(pair).collect::<Vec<_>>().join("\n");
            (request.plugin, env, serde_json::from_slice(&request.stdin).unwrap())
        };
        requests.map(call).collect()
    }
}

#[test]
fn every_block_of_json_is_json() {
    for block in specification().blocks().iter().filter(|block| block.language == "json") {
        let parsed = serde_json::from_str::<Value>(&block.text);
        assert!(parsed.is_ok(), "line {}: {parsed:?}", block.line);
    }
}

#[test]
fn an_add_sends_what_the_specification_shows() {
    let env = specification().example("add-environment");
    let expected = [
        ("bridge".to_owned(), env.clone(), example("add-bridge-stdin")),
        ("portmap".to_owned(), env, example("add-portmap-stdin")),
    ];
    assert_eq!(Told::added().calls(Command::Add), expected);
}

#[test]
fn a_check_and_a_del_send_what_the_specification_says() {
    let told = Told::added();
    told.cni.check(&told.network, &told.attachment).unwrap();
    told.cni.del(&told.network, &told.attachment).unwrap();
    let mut bridge = example("add-bridge-stdin");
    bridge["prevResult"] = example("bridge-answer");
    let env = |command: &str| specification().example("add-environment").replace("ADD", command);
    let call = |plugin: &str, command, stdin: &Value| (plugin.to_owned(), env(command), stdin.clone());
    let portmap = example("add-portmap-stdin");
    let check = [call("bridge", "CHECK", &bridge), call("portmap", "CHECK", &portmap)];
    assert_eq!(told.calls(Command::Check), check);
    let del = [call("portmap", "DEL", &portmap), call("bridge", "DEL", &bridge)];
    assert_eq!(told.calls(Command::Del), del);
}

#[test]
fn a_status_and_a_gc_send_what_the_specification_shows() {
    let told = Told::new();
    told.cni.status(&told.network).unwrap();
    let Attachment { container_id, ifname, .. } = &told.attachment;
    told.cni.gc(&told.network, &Keep::only([(container_id, ifname)])).unwrap();
    let env = specification().example("status-environment");
    let status = told.calls(Command::Status);
    assert_eq!(status[0], ("bridge".to_owned(), env.clone(), example("add-bridge-stdin")));
    let gc = told.calls(Command::Gc);
    assert_eq!(gc[1], ("portmap".to_owned(), env.replace("STATUS", "GC"), example("gc-portmap-stdin")));
}

#[test]
fn an_add_leaves_the_cache_entry_that_the_specification_shows() {
    let told = Told::added();
    let file = told.cache.path().join("results/mynet-web-0-eth0");
    let mut written: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut shown = example("cache-entry");
    // Shown by its beginning only.
    let config = shown["config"].take();
    let beginning = config.as_str().unwrap().strip_suffix('…').unwrap();
    assert!(written["config"].take().as_str().unwrap().starts_with(beginning), "{config}");
    assert_eq!(written, shown);
}

#[test]
fn what_ipam_answers_is_in_the_answer_of_the_plugin_that_asked() {
    let mut ips = example("ipam-answer")["ips"].clone();
    ips[0]["interface"] = json!(2);
    assert_eq!(example("bridge-answer")["ips"], ips);
    assert_eq!(example("bridge-answer")["routes"], example("ipam-answer")["routes"]);
}

#[test]
fn each_result_of_the_specification_is_what_conversion_makes_of_the_first() {
    let first = AddResult::parse(&specification().example("result-1.1.0")).unwrap();
    for version in [Version::V1_1_0, Version::V0_4_0, Version::V0_2_0] {
        let converted = serde_json::to_value(first.to_version(&version).unwrap()).unwrap();
        assert_eq!(converted, example(&format!("result-{version}")));
    }
}

/// A plugin that fails as the specification shows.
struct Failing;

impl Plugin for Failing {
    fn add(&self, _: &AttachmentCall) -> Answer<AddResult> {
        let reply: ErrorReply = serde_json::from_value(example("error")).unwrap();
        Err(Failure::from(reply))
    }

    fn del(&self, _: &AttachmentCall) -> Answer {
        Ok(())
    }

    fn check(&self, _: &AttachmentCall) -> Answer {
        Ok(())
    }
}

/// What a plugin answers to the environment and stdin of an example.
fn call(verb: &str) -> Outcome {
    let env = specification().example("add-environment").replace("ADD", verb);
    let pairs = env.lines().map(|line| line.split_once('=').unwrap());
    dispatch(&Failing, Input::new(pairs).read_stdin(|| Ok(specification().example("add-bridge-stdin").into())))
}

#[test]
fn a_plugin_answers_version_and_errors_as_the_specification_shows() {
    for (verb, shown, exit_code) in [("VERSION", "version-answer", 0), ("ADD", "error", 1)] {
        let outcome = call(verb);
        assert_eq!(serde_json::from_str::<Value>(&outcome.stdout).unwrap(), example(shown), "{verb}");
        assert_eq!(outcome.exit_code, exit_code, "{verb}");
    }
}

#[test]
fn version_is_asked_as_the_specification_shows() {
    let plugins = FakeExec::new(|_| printing(&specification().example("version-answer")));
    let cni = Cni::builder().exec(plugins.clone()).build().unwrap();
    let reply = cni.plugin_version("bridge").unwrap();
    assert_eq!(reply.supported_versions.len(), Version::ALL.len());
    let stdin: Value = serde_json::from_slice(&plugins.requests()[0].stdin).unwrap();
    assert_eq!(stdin, example("version-stdin"));
}
