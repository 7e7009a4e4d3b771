//! What a plugin gets on stdin.

use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{Command, InvalidName, ValidAttachment};
use libcni::{Attachment, Cni, Error};
use serde_json::{Value, json};

use super::{Case, Outcome, category, run};
use crate::support::{FakeExec, printing};

/// What the plugin under test is not: the one in front of it, which prints the previous result.
const FRONT: &str = "plugin-in-front";

fn attachment(case: &Case) -> Result<Attachment, InvalidName> {
    let id = case.text_if_any("containerID").unwrap_or("c1");
    let ifname = case.text_if_any("ifName").unwrap_or("eth0");
    let args = CapabilityArgs::parse(&case.value("capabilityArgs").to_string()).unwrap_or_default();
    Ok(Attachment::new(id.parse()?, ifname.parse()?).netns("/run/netns/blue").capability_args(args))
}

fn network(case: &Case, plugins: &[Value]) -> NetworkConfig {
    let list = json!({"name": case.text("list_name"), "cniVersion": case.text("cniVersion"), "plugins": plugins});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

/// Runs the verb of a case: ADD behind another plugin, CHECK and DEL after an ADD, when there is a previous result.
fn call(case: &Case, cni: &Cni, attachment: &Attachment) -> Result<(), Error> {
    let plugin = case.value("plugin").clone();
    let has_previous = !case.value("prevResult").is_null();
    let alone = network(case, std::slice::from_ref(&plugin));
    if has_previous && case.op() != "ADD" {
        cni.add(&alone, attachment).unwrap();
    }
    match case.op() {
        "ADD" if has_previous => cni.add(&network(case, &[json!({"type": FRONT}), plugin]), attachment).map(drop),
        "ADD" => cni.add(&alone, attachment).map(drop),
        "CHECK" => cni.check(&alone, attachment),
        "DEL" => cni.del(&alone, attachment),
        "STATUS" => cni.status(&alone),
        "GC" => cni.gc(&alone, &keep(case)),
        op => panic!("unknown op {op}"),
    }
}

fn keep(case: &Case) -> Keep {
    let valid: Option<Vec<ValidAttachment>> = serde_json::from_value(case.value("validAttachments").clone()).unwrap();
    valid.map_or(Keep::Nothing, Keep::Only)
}

#[test]
fn request_vectors() {
    run("request.json", |case| {
        let cache = tempfile::tempdir().unwrap();
        let result = match case.value("prevResult") {
            Value::Null => json!({}),
            previous => previous.clone(),
        };
        let exec = FakeExec::new(move |_| printing(&result.to_string()));
        let cni = Cni::builder().exec(exec.clone()).cache_dir(cache.path()).build().unwrap();
        let error: Error = match attachment(case).map_err(Error::from).and_then(|a| call(case, &cni, &a)) {
            Ok(()) => return Ok(sent(case, &exec)),
            Err(error) => error,
        };
        refusal(&error)
    });
}

/// The stdin of the plugin under test in the verb under test.
fn sent(case: &Case, exec: &FakeExec) -> Value {
    let command: Command = case.op().parse().unwrap();
    let asked = exec.requests().into_iter().find(|r| r.plugin != FRONT && r.command == command);
    asked.map_or(Value::Null, |request| serde_json::from_slice(&request.stdin).unwrap())
}

fn refusal(error: &Error) -> Outcome {
    match error {
        Error::Name(name) => Err(json!(format!("code_{}", name.code()))),
        Error::CheckUnsupported { .. } => category("check_not_supported"),
        Error::InvalidVersion { .. } => category("bad_version"),
        other => panic!("{other:?}"),
    }
}
