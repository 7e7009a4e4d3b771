//! The plugin's side, given odd things.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use libcni::plugin::{Answer, AttachmentCall, Failure, Input, Outcome, Plugin, dispatch};
use libcni::result::{AddResult, v100};
use libcni::spec::{Command, ErrorReply};

const CONFIG: &str = r#"{"cniVersion":"1.1.0","name":"net","type":"one"}"#;

/// A plugin whose verbs are one closure.
struct Acting<F>(F);

impl<F: Fn(&AttachmentCall) -> Answer> Plugin for Acting<F> {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        (self.0)(call)?;
        Ok(v100::Body::default().into())
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        (self.0)(call)
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        (self.0)(call)
    }
}

/// An ADD with some variables replaced, and this as stdin.
fn add(
    act: impl Fn(&AttachmentCall) -> Answer,
    replaced: &[(&str, &[u8])],
    stdin: &str,
    is_own: impl Fn(&Path) -> bool,
) -> Outcome {
    let input = Input::call(Command::Add, stdin).own_netns(is_own);
    let input = replaced.iter().fold(input, |input, (key, value)| input.variable(*key, OsStr::from_bytes(value)));
    dispatch(&Acting(act), input)
}

#[track_caller]
fn refused(outcome: &Outcome) -> ErrorReply {
    assert_eq!(outcome.exit_code, 1, "{outcome:?}");
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn paths_that_are_not_utf8_reach_the_plugin_as_they_are() {
    let seen = std::sync::Mutex::new(Vec::new());
    let look = |call: &AttachmentCall| {
        seen.lock().unwrap().extend(call.plugin_dirs());
        seen.lock().unwrap().extend(call.netns().map(Path::to_owned));
        Ok(())
    };
    let outcome = add(look, &[("CNI_PATH", b"/a\xff:/b"), ("CNI_NETNS", b"/run/\xfe")], CONFIG, |_| false);
    assert_eq!(outcome.exit_code, 0, "{outcome:?}");
    let expected = [b"/a\xff".as_slice(), b"/b", b"/run/\xfe"].map(|path| PathBuf::from(OsStr::from_bytes(path)));
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn the_plugins_own_namespace_is_guarded_by_whatever_path() {
    let path = b"/run/\xfe";
    let outcome =
        add(|_| panic!("called"), &[("CNI_NETNS", path)], CONFIG, |asked| asked.as_os_str().as_bytes() == path);
    assert_eq!(refused(&outcome).code.0, 8);
}

#[test]
fn arguments_that_are_not_utf8_are_an_error_and_not_passed_over() {
    let read = |call: &AttachmentCall| Ok(call.args::<BTreeMap<String, String>>().map(drop)?);
    let outcome = add(read, &[("CNI_ARGS", b"K=\xff")], CONFIG, |_| false);
    let reply = refused(&outcome);
    assert_eq!((reply.code.0, reply.msg.as_str()), (4, "CNI_ARGS is not UTF-8"));
}

#[test]
fn a_name_that_is_not_utf8_is_refused() {
    for name in ["CNI_CONTAINERID", "CNI_IFNAME"] {
        let outcome = add(|_| panic!("called"), &[(name, b"a\xff/")], CONFIG, |_| false);
        assert_eq!(refused(&outcome).code.0, 4, "{name}");
    }
}

#[test]
fn an_error_says_the_version_that_was_asked_for_where_there_is_one() {
    let version =
        |config: &str, read: fn(&AttachmentCall) -> Answer| refused(&add(read, &[], config, |_| false)).cni_version;
    let fails = |_: &AttachmentCall| Err(Failure::internal("no"));
    for (asked, said) in [("0.3.1", "0.3.1"), ("1.0.0", "1.0.0"), ("", "0.1.0"), ("9.9.9", "1.1.0"), ("x", "1.1.0")] {
        let config = format!(r#"{{"cniVersion":"{asked}","name":"net","type":"t"}}"#);
        assert_eq!(version(&config, fails).as_deref(), Some(said), "{asked}");
    }
    let old = r#"{"cniVersion":"0.4.0","name":"net","type":"t"}"#;
    assert_eq!(version(old, |_| panic!("oh")).as_deref(), Some("0.4.0"));
    assert_eq!(version("{}", |_| Ok(())).as_deref(), Some("1.1.0"));
}

#[test]
fn a_wrong_value_is_told_with_plugin_key_and_value() {
    #[derive(serde::Deserialize)]
    struct Ipam {
        #[serde(rename = "ipam")]
        _ipam: BTreeMap<String, Vec<Vec<BTreeMap<String, String>>>>,
    }
    let config = r#"{"cniVersion":"1.0.0","name":"net","type":"t","IPAM":{"ranges":[[{"subnet":5}]]}}"#;
    let read = |call: &AttachmentCall| Ok(call.config.typed::<Ipam>().map(drop)?);
    let reply = refused(&add(read, &[], config, |_| false));
    assert_eq!(reply.code.0, 7);
    assert_eq!(reply.msg, "plugin `t`: `ipam.ranges[0][0].subnet` must be a string, not 5");
    assert_eq!(reply.details.unwrap(), "in the configuration of network `net`");
    let config = r#"{"name":"net","type":5,"runtimeConfig":{"mac":true}}"#;
    let read = |call: &AttachmentCall| Ok(call.config.capability::<String>("mac").map(drop)?);
    let reply = refused(&add(read, &[], config, |_| false));
    assert_eq!(reply.msg, "a plugin without `type`: `runtimeConfig.mac` must be a string, not true");
}

#[test]
fn a_hundred_thousand_levels_of_configuration_are_no_danger() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let carried = CONFIG.replacen('{', &format!(r#"{{"x":{deep},"#), 1);
    assert_eq!(add(|_| Ok(()), &[], &carried, |_| false).exit_code, 0);
    let decode = |call: &AttachmentCall| Ok(call.config.typed::<serde_json::Value>().map(drop)?);
    assert_eq!(refused(&add(decode, &[], &carried, |_| false)).code.0, 7);
    let previous = CONFIG.replacen('{', &format!(r#"{{"prevResult":{{"ips":{deep}}},"#), 1);
    let convert = |call: &AttachmentCall| Ok(call.config.prev_result().map(drop)?);
    assert_eq!(refused(&add(convert, &[], &previous, |_| false)).code.0, 6);
}
