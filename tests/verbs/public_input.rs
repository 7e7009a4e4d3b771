//! What callers may hand in, right or wrong: an error or nothing, and never a panic.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use libcni::conf::{NetworkConfig, PluginConfig, Problem};
use libcni::invoke::InvalidSetting;
use libcni::netns::Namespace;
use libcni::plugin::Failure;
use libcni::result::AddResult;
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{CniArgs, ErrorCode, ErrorReply, IpNet, Object, Pod, TraceContext, Version};
use libcni::{Attachment, Cni, Error};

use crate::support::{Sandbox, attachment};

/// Every kind of call that fails, in a function of the library's error.
fn fails(which: usize) -> Result<(), Error> {
    let container = || attachment("c1", "eth0");
    match which {
        0 => drop(NetworkConfig::parse("{")?),
        1 => drop(NetworkConfig::load("/nowhere/x.conflist")?),
        2 => drop(PluginConfig::parse("{}")?),
        3 => drop(container().pod(&Pod::new("a;b", "c"))?),
        4 => drop(container().capability("x", &BTreeMap::from([((1, 2), 3)]))?),
        5 => drop("a=b".parse::<CniArgs>()?.push("", "x")?),
        6 => drop("1.x".parse::<Version>()?),
        7 => drop("10.1.0.0/99".parse::<IpNet>()?),
        8 => drop(AddResult::parse("{")?),
        9 => drop(AddResult::parse(r#"{"cniVersion": "1.0.0"}"#)?.to_version(&Version::V0_2_0)?),
        10 => drop(CapabilityArgs::parse(r#"{"mac": 7}"#)?.typed::<String>("mac")?),
        11 => drop(Object::parse("[")?),
        12 => drop(TraceContext::new("x")?),
        13 => drop(Namespace::open("/nowhere")?),
        14 => drop(Attachment::new("..".parse()?, "eth0".parse()?)),
        15 => drop(NetworkConfig::loopback().at_version(&"9.9.9".parse()?)?),
        _ => return Ok(()),
    }
    panic!("call {which} did not fail");
}

#[test]
fn a_question_mark_works_on_every_call_in_a_function_of_the_librarys_error() {
    let errors: Vec<Error> = (0..16).map(|which| fails(which).unwrap_err()).collect();
    assert!(errors.iter().all(|error| !error.to_string().is_empty()), "{errors:?}");
    let codes: Vec<_> = [0, 3, 8, 13, 14].iter().map(|which| errors[*which].code()).collect();
    let expected = [
        ErrorCode::INVALID_NETWORK_CONFIG,
        ErrorCode::INVALID_ENVIRONMENT,
        ErrorCode::DECODING,
        ErrorCode::INVALID_NETNS,
        ErrorCode::INVALID_ENVIRONMENT,
    ];
    assert_eq!(codes, expected);
}

#[test]
fn a_version_that_nobody_implements_is_none_to_use() {
    let error = NetworkConfig::loopback().at_version(&"9.9.9".parse().unwrap()).unwrap_err();
    assert!(matches!(error.problem(), Problem::UnknownVersion(version) if version.as_str() == "9.9.9"));
    let at = NetworkConfig::loopback().at_version(&Version::V1_0_0).unwrap();
    assert_eq!(at.cni_version(), Some("1.0.0"));
}

#[test]
fn a_network_that_names_no_version_has_none_and_its_plugins_are_told_an_empty_one() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let network = NetworkConfig::parse(r#"{"name": "old", "plugins": [{"type": "one"}]}"#).unwrap();
    assert_eq!((network.cni_version(), network.effective_version()), (None, "0.1.0"));
    let _ = sandbox.cni().add(&network, &attachment("c1", "eth0"));
    assert_eq!(sandbox.request_of("one", "ADD")["cniVersion"], "");
}

#[test]
fn the_loopback_network_is_added_like_any_other() {
    let sandbox = Sandbox::new().plugins(["loopback"]);
    sandbox.cni().add(&NetworkConfig::loopback(), &attachment("c1", "lo")).unwrap();
    assert_eq!(sandbox.request_of("loopback", "ADD")["name"], "cni-loopback");
    sandbox.cni().check(&NetworkConfig::loopback(), &attachment("c1", "lo")).unwrap();
    assert_eq!(sandbox.calls(), ["ADD loopback", "CHECK loopback"]);
}

#[test]
fn a_value_that_is_no_json_is_an_error_and_sets_nothing() {
    let mut args = CapabilityArgs::new();
    let error = args.set("x", &BTreeMap::from([((1, 2), 3)])).unwrap_err();
    assert_eq!(error.to_string(), "`x`: key must be a string");
    assert!(args.is_empty());
    let mut object = Object::new();
    assert!(object.try_set("x", &BTreeMap::from([((1, 2), 3)])).is_err() && object.set_json("x", "{").is_err());
    assert!(object.is_empty());
}

#[test]
fn a_value_of_an_object_stays_what_it_is_in_another_one() {
    let object = Object::parse(r#"{"name": "n", "big": 1e400, "list": [ 1 ]}"#).unwrap();
    let mut other = Object::new();
    object.iter().for_each(|(key, value)| other.set(key, &value));
    assert_eq!(other, object);
}

#[test]
fn a_directory_that_cni_path_can_not_name_is_refused_by_its_name() {
    let error = Cni::builder().plugin_dirs(["/opt/cni/bin", "/opt/a:b"]).build().unwrap_err();
    let InvalidSetting::PluginDir { dir, .. } = &error else { panic!("{error:?}") };
    assert_eq!(dir, Path::new("/opt/a:b"));
    assert!(error.to_string().contains("/opt/a:b"), "{error}");
    assert_eq!(Error::from(error).code(), ErrorCode::INVALID_ENVIRONMENT);
}

#[test]
fn a_variable_that_no_environment_can_hold_is_refused() {
    for odd in [("", "x"), ("A=B", "c"), ("N\0", "x"), ("V", "x\0")] {
        let error = Cni::builder().env([("GOOD", "a=b"), odd]).build().unwrap_err();
        assert!(matches!(&error, InvalidSetting::Variable { name, .. } if name == odd.0), "{error:?}");
    }
}

#[test]
fn a_variable_with_an_equals_sign_in_its_value_reaches_the_plugin() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let path = std::env::var_os("PATH").unwrap();
    let cni = sandbox.builder().env([("PATH", path), ("GOOD", "a=b".into())]).build().unwrap();
    cni.add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    assert_eq!(sandbox.variable_of("one", "ADD", "GOOD"), "a=b");
}

#[test]
fn a_namespace_is_given_as_any_kind_of_path() {
    let with = |path: &Path| attachment("c1", "eth0").netns(path).netns;
    assert_eq!(with(Path::new("/run/netns/red")), Some("/run/netns/red".into()));
    assert_eq!(attachment("c1", "eth0").netns("").netns, None);
    assert_eq!(attachment("c1", "eth0").netns(String::from("/x")).netns, Some("/x".into()));
    assert_eq!(attachment("c1", "eth0").netns(PathBuf::from("/x")).netns, Some("/x".into()));
}

/// An error of a crate whose own is none of the standard library's, as that of `anyhow`.
struct Anyhow(Box<dyn std::error::Error + Send + Sync>);

impl From<Anyhow> for Box<dyn std::error::Error + Send + Sync> {
    fn from(error: Anyhow) -> Self {
        error.0
    }
}

#[test]
fn a_plugin_fails_with_any_error() {
    let failed = |which| -> Result<(), Failure> {
        match which {
            0 => Err(Anyhow("no link".into()))?,
            1 => Err("no link")?,
            2 => Err(std::io::Error::other("no link"))?,
            _ => Err(Anyhow(Box::new(ErrorReply::new(ErrorCode::TRY_AGAIN_LATER, "no link"))))?,
        }
        Ok(())
    };
    let replies: Vec<_> = (0..4).map(|which| failed(which).unwrap_err().into_reply()).collect();
    assert!(replies.iter().all(|reply| reply.msg == "no link"), "{replies:?}");
    assert_eq!(replies[3].code, ErrorCode::TRY_AGAIN_LATER);
}
