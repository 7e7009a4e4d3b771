//! The plugin side: a whole call as values, the previous result, CNI_ARGS.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;

use libcni::plugin::{
    Answer, ArgsError, AttachmentCall, Call, Config, Failure, Input, Outcome, Plugin, dispatch, load_args,
};
use libcni::result::go;
use libcni::result::{AddResult, ParseError};
use libcni::spec::{Command, ErrorCode, ErrorReply, Version};
use serde_json::{Value, json};

use super::{Case, category, check_each, run, run_where, value};

/// Does what a case's `callbacks` say, and remembers what it was called with.
struct Recorder<'a> {
    case: &'a Case,
    called: RefCell<Option<(Command, Value)>>,
}

impl Recorder<'_> {
    fn callback(&self, call: &Call) -> Answer<Value> {
        let callback = &self.case.value("callbacks")[call.command.as_str()];
        if callback.is_null() {
            return Ok(Value::Null);
        }
        let variable = |name: &str| call.variable(name).unwrap_or_default().to_owned();
        let args = json!({
            "args": variable("CNI_ARGS"),
            "containerID": variable("CNI_CONTAINERID"),
            "ifName": variable("CNI_IFNAME"),
            "netns": variable("CNI_NETNS"),
            "path": variable("CNI_PATH"),
            "stdin": call.config.text(),
        });
        *self.called.borrow_mut() = Some((call.command, args));
        if let Some(text) = callback["plain"].as_str() {
            return Err(Failure::internal(text));
        }
        if callback["error"].is_null() {
            return Ok(callback["ok"].clone());
        }
        let error = &callback["error"];
        let code = ErrorCode(error["code"].as_u64().unwrap());
        let reply = ErrorReply::new(code, error["msg"].as_str().unwrap());
        Err(reply.with_details(error["details"].as_str().unwrap_or_default()).into())
    }
}

impl Plugin for Recorder<'_> {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let result = match self.callback(call)? {
            Value::Null => json!({}),
            result => result,
        };
        Ok(AddResult::parse_reply(&result.to_string(), &call.config.version().to_string())?)
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        self.callback(call).map(drop)
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        self.callback(call).map(drop)
    }

    fn gc(&self, call: &Call) -> Answer {
        self.callback(call).map(drop)
    }

    fn status(&self, call: &Call) -> Answer {
        self.callback(call).map(drop)
    }

    fn supported_versions(&self) -> Vec<Version> {
        self.case.texts("supportedVersions").iter().map(|v| v.parse().unwrap()).collect()
    }

    fn about(&self) -> Option<String> {
        self.case.text_if_any("about").filter(|about| !about.is_empty()).map(str::to_owned)
    }
}

#[test]
fn skel_vectors() {
    check_each(
        "skel.json",
        |_| true,
        |case| {
            let plugin = Recorder { case, called: RefCell::default() };
            let env: BTreeMap<String, String> = serde_json::from_value(case.value("env").clone()).unwrap();
            let input = Input::new(env).read_stdin(|| Ok(case.text("stdin").into())).own_netns(libcni::netns::is_own);
            let outcome = dispatch(&plugin, input);
            compare(case, &case.value("expect")["ok"], &outcome, plugin.called.take())
        },
    );
}

fn compare(case: &Case, want: &Value, outcome: &Outcome, called: Option<(Command, Value)>) -> Result<(), String> {
    let differs = |what: &str, got: &dyn std::fmt::Debug| Err(format!("{what}: want {want}, got {got:?}"));
    let stdout: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
    if want["exit_code"] != outcome.exit_code {
        return differs("exit code", outcome);
    }
    let unheard = |part: &&Value| !outcome.stderr.contains(part.as_str().unwrap());
    if want["stderr_contains"].as_array().into_iter().flatten().any(|part| unheard(&part)) {
        return differs("stderr", outcome);
    }
    if !same_stdout(case, &want["stdout"], &stdout) {
        return differs("stdout", &stdout);
    }
    // Go looks for its own namespace when the callback has done its work; here the guard acts before.
    let guarded = stdout["code"] == ErrorCode::INVALID_NETNS.0;
    let (command, args) = called.map_or((Value::Null, Value::Null), |(c, args)| (json!(c.as_str()), args));
    let same_call = want["called"] == command && want["args"] == args;
    if guarded && command.is_null() || same_call { Ok(()) } else { differs("call", &(command, args)) }
}

/// Whether stdout is as recorded. Errors here say the version of the specification, as it asks for.
fn same_stdout(case: &Case, want: &Value, got: &Value) -> bool {
    let mut got = got.clone();
    let is_error = got.get("code").is_some();
    if is_error {
        got.as_object_mut().unwrap().remove("cniVersion");
        return same_error(want, &got);
    }
    // A handler here can't leave out the result of ADD: the empty one stands for Go's nothing.
    let stdin: Value = serde_json::from_str(case.text("stdin")).unwrap_or_default();
    let version = stdin["cniVersion"].as_str().unwrap_or("0.1.0");
    let mut empty = json!({ "cniVersion": version });
    if version.parse::<Version>().is_ok_and(|v| v < Version::V1_0_0) {
        empty["dns"] = json!({});
    }
    *want == got || want.is_null() && got == empty
}

fn same_error(want: &Value, got: &Value) -> bool {
    let text = |key: &str| got[key].as_str().unwrap_or_default().to_owned();
    let prefix = want["msg_prefix"].as_str().unwrap_or_default();
    let parts = want["details_contains"].as_array().cloned().unwrap_or_default();
    let has = |part: &Value| text("details").contains(part.as_str().unwrap());
    want["code"] == got["code"]
        && want.get("msg").is_none_or(|msg| *msg == got["msg"])
        && text("msg").starts_with(prefix)
        && want.get("details").is_none_or(|details| *details == got["details"])
        && parts.iter().all(has)
}

#[test]
fn prev_result_vectors() {
    run("prev_result.json", |case| {
        let version = |config: &Config| config.version().to_string();
        let config = Config::parse(case.text("conf").as_bytes()).unwrap();
        let asked = version(&config);
        if !config.version().is_known() {
            return category("unsupported_version");
        }
        let result = match config.prev_result() {
            Ok(None) => return Ok(Value::Null),
            Ok(Some(result)) => result,
            Err(_) => return category("invalid"),
        };
        // A plugin here takes a previous result of any version; whether it is of the recorded family is asked apart.
        match go::parse_as(&result.to_string(), &asked) {
            Ok(result) => {
                Ok(json!({"version": result.version().to_string(), "result": value(go::without_unknown_keys(result))}))
            }
            Err(ParseError::VersionMismatch { .. }) => category("version_mismatch"),
            Err(error) => panic!("{error}"),
        }
    });
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
#[allow(non_snake_case)]
struct Args {
    K8S_POD_NAME: String,
    K8S_POD_NAMESPACE: String,
    K8S_POD_UID: String,
    IP: Option<IpAddr>,
    FLAG: bool,
    IgnoreUnknown: bool,
}

#[test]
fn load_args_vectors() {
    run_where(
        "cni_args.json",
        |case| case.op() == "load_args",
        |case| match load_args::<Args>(case.text("text")) {
            Ok(args) => Ok(json!({
                "K8S_POD_NAME": args.K8S_POD_NAME,
                "K8S_POD_NAMESPACE": args.K8S_POD_NAMESPACE,
                "K8S_POD_UID": args.K8S_POD_UID,
                "IP": args.IP.map(|ip| ip.to_string()).unwrap_or_default(),
                "FLAG": args.FLAG,
                "IgnoreUnknown": args.IgnoreUnknown,
            })),
            Err(ArgsError::InvalidPair(_)) => category("invalid_pair"),
            Err(ArgsError::Unknown(_)) => category("unknown_args"),
            Err(_) => category("bad_value"),
        },
    );
}
