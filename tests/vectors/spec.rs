//! Names, versions, arguments.

use libcni::spec::{
    CniArgs, ContainerId, IfName, InvalidName, InvalidVersionReply, NetworkName, Version, VersionReply,
};
use libcni::{Cni, Error};
use serde_json::{Value, json};

use super::{Case, Outcome, category, run, run_where};
use crate::support::{FakeExec, failing, printing};

#[test]
fn validate_vectors() {
    run("validate.json", |case| {
        let value = case.text("value");
        let refused = match case.op() {
            "container_id" => ContainerId::new(value).err(),
            "network_name" => NetworkName::new(value).err(),
            "interface_name" => IfName::new(value).err(),
            op => panic!("unknown op {op}"),
        };
        refused.map_or(Ok(json!(true)), |error: InvalidName| Err(json!(error.code())))
    });
}

#[test]
fn cni_args_vectors() {
    run_where(
        "cni_args.json",
        |case| case.op() != "load_args",
        |case| match case.op() {
            "stringify" => {
                let pairs: Vec<(String, String)> = serde_json::from_value(case.value("pairs").clone()).unwrap();
                Ok(json!(pairs.into_iter().collect::<CniArgs>().to_string()))
            }
            "parse_args" => match case.text("text").parse::<CniArgs>() {
                Ok(args) => Ok(json!(args.iter().collect::<Vec<_>>())),
                Err(_) => category("invalid_pair"),
            },
            op => panic!("unknown op {op}"),
        },
    );
}

#[test]
fn version_vectors() {
    run("version.json", |case| match case.op() {
        "parse" => parse(case.text("version")).map(|v| json!(v.numbers())),
        "gt" => Ok(json!(parse(case.text("a"))? > parse(case.text("b"))?)),
        "gte" => Ok(json!(parse(case.text("a"))? >= parse(case.text("b"))?)),
        "decode_plugin_info" => supported(VersionReply::parse(case.text("text"))),
        "reconcile" => reconcile(case),
        "starting_from" => {
            let min = parse(case.text("min"))?;
            Ok(json!(Version::starting_from(&min).map(|v| v.to_string()).collect::<Vec<_>>()))
        }
        "config_version" => config_version(case.text("text")),
        "plugin_version" => plugin_version(case),
        "validate_list" => validate_list(case),
        op => panic!("unknown op {op}"),
    });
}

fn parse(text: &str) -> Result<Version, Value> {
    text.parse().or_else(|_| category("invalid"))
}

fn supported(reply: Result<VersionReply, InvalidVersionReply>) -> Outcome {
    match reply {
        Ok(reply) => Ok(json!({"supportedVersions": reply.supported_versions})),
        Err(InvalidVersionReply::MissingCniVersion) => category("missing_cni_version"),
        Err(InvalidVersionReply::MissingSupportedVersions) => category("missing_supported_versions"),
        Err(_) => category("json"),
    }
}

fn reconcile(case: &Case) -> Outcome {
    let reply = VersionReply::new(case.texts("supported"));
    if reply.supports(case.text("config")) { Ok(json!(true)) } else { category("incompatible") }
}

/// What the request of a plugin with this configuration says about its version.
fn config_version(text: &str) -> Outcome {
    let object = libcni::spec::Object::parse(text).or_else(|_| category("invalid"))?;
    let version: Result<String, _> =
        object.get("cniVersion").map_or(Ok(String::new()), |json| serde_json::from_str(json.as_str()));
    match version {
        Ok(empty) if empty.is_empty() => Ok(json!("0.1.0")),
        Ok(version) => Ok(json!(version)),
        Err(_) => category("invalid"),
    }
}

fn plugin_version(case: &Case) -> Outcome {
    let output = match case.value("exit").as_i64() {
        Some(0) => printing(case.text("stdout")),
        code => failing(code.unwrap() as i32, case.text("stdout"), ""),
    };
    let exec = FakeExec::new(move |_| output.clone());
    let reply = Cni::builder().exec(exec.clone()).build().unwrap().plugin_version("p");
    let request = exec.requests().remove(0);
    let sent = |key: &str| request.env(key).unwrap().to_str().unwrap().to_owned();
    assert_eq!(String::from_utf8(request.stdin.clone()).unwrap(), r#"{"cniVersion":"1.1.0"}"#);
    assert_eq!(["CNI_NETNS", "CNI_IFNAME", "CNI_PATH"].map(sent), ["dummy"; 3]);
    assert_eq!(["CNI_CONTAINERID", "CNI_ARGS"].map(sent), [""; 2]);
    match reply {
        Ok(reply) => supported(Ok(reply)),
        Err(Error::Plugin(source)) => match source.failure {
            libcni::invoke::PluginFailure::InvalidVersionReply { source, .. } => supported(Err(source)),
            _ => category("plugin_failed"),
        },
        Err(error) => panic!("{error}"),
    }
}

fn validate_list(case: &Case) -> Outcome {
    let plugins = case.value("plugins").as_array().unwrap().clone();
    let list: Vec<Value> =
        plugins.iter().map(|p| json!({"type": p["type"], "capabilities": p["capabilities"]})).collect();
    let network = json!({"name": "net", "cniVersion": case.text("cniVersion"), "plugins": list}).to_string();
    let network = libcni::conf::NetworkConfig::parse(&network).unwrap();
    let supported_by = move |plugin: &str| plugins.iter().find(|p| p["type"] == plugin).unwrap()["supported"].clone();
    let missing = supported_by.clone();
    let exec = FakeExec::new(move |request| {
        printing(&json!({"cniVersion": "1.1.0", "supportedVersions": supported_by(&request.plugin)}).to_string())
    });
    let exec = exec.without(move |plugin| missing(plugin).is_null());
    match Cni::builder().exec(exec).build().unwrap().validate(&network) {
        Ok(capabilities) => Ok(json!(capabilities)),
        Err(Error::PluginNotFound { .. }) => category("not_found"),
        Err(Error::VersionUnsupported { .. }) => category("unsupported"),
        Err(error) => panic!("{error}"),
    }
}
