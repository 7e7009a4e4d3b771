//! What a plugin built with the library is given: environment and stdin.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use libcni::plugin::{Answer, AttachmentCall, Call, Input, Plugin, dispatch};
use libcni::result::{AddResult, v100};
use libcni::spec::{ErrorReply, Object};
use serde_json::value::RawValue;

/// Keys of every kind, one of which has as many levels as there are.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Typed {
    #[serde(rename = "mtu")]
    _mtu: u32,
    #[serde(rename = "bridge")]
    _bridge: String,
    #[serde(rename = "isGateway")]
    _is_gateway: Option<bool>,
    #[serde(rename = "capabilities")]
    _capabilities: BTreeMap<String, bool>,
    #[serde(rename = "ipam")]
    _ipam: Option<Box<Typed>>,
    #[serde(rename = "ranges")]
    _ranges: Vec<Vec<Typed>>,
}

/// A plugin that looks at everything it is given.
struct Curious;

impl Plugin for Curious {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        look(call)?;
        let previous = call.config.prev_result()?;
        Ok(previous.unwrap_or_else(|| v100::Body::default().into()))
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        look(call)
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        look(call)?;
        call.config.require_prev_result().map(drop)
    }

    fn gc(&self, call: &Call) -> Answer {
        call.config.valid_attachments()?;
        Ok(())
    }
}

fn look(call: &AttachmentCall) -> Answer {
    let _ = (call.netns(), call.plugin_dirs(), call.config.ipam_type()?);
    call.config.capability::<Box<RawValue>>("mac")?;
    if let Err(error) = call.config.typed::<Typed>() {
        assert!(error.msg.len() < 10_000 + call.config.text().len(), "{} bytes", error.msg.len());
    }
    call.config.typed::<serde_json::Value>()?;
    call.args::<BTreeMap<String, String>>()?;
    Ok(())
}

/// The answer is one JSON document, an error object if and only if the exit code is 1, and VERSION needs no stdin.
pub fn holds(data: &[u8]) {
    let (env, stdin) = split(data);
    let outcome = dispatch(&Curious, Input::new(env).read_stdin(|| Ok(stdin)));
    match outcome.exit_code {
        0 if outcome.stdout.is_empty() => {}
        0 => drop(Object::parse(&outcome.stdout).expect("a JSON object")),
        1 => drop(serde_json::from_str::<ErrorReply>(&outcome.stdout).expect("an error object")),
        other => panic!("exit code {other}"),
    }
}

/// The first lines, up to an empty one, are variables; the rest is stdin.
fn split(data: &[u8]) -> (BTreeMap<OsString, OsString>, Vec<u8>) {
    let end = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
    let (variables, rest) = data.split_at(end);
    let os = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let pair = |line: &[u8]| {
        let equals = line.iter().position(|b| *b == b'=')?;
        Some((os(&line[..equals]), os(&line[equals + 1..])))
    };
    let env = variables.split(|b| *b == b'\n').filter_map(pair).collect();
    (env, rest.get(2..).unwrap_or_default().to_vec())
}
