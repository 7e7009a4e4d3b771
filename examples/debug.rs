//! `debug`: records every call and answers as its configuration says, for looking into a network, and as a test double.
//!
//! Keys of its configuration, all optional:
//!
//! - `cniOutput`: a file that each call is appended to as one line of JSON: `{"command": "ADD", "env": {"CNI_…": …},
//!   "stdin": "…"}`, with stdin as a text, byte for byte. Lines of calls that run at the same time do not mix.
//! - `behaviour`: an object with a key for each verb that is not to succeed in silence (`ADD`, `DEL`, `CHECK`, `GC`,
//!   `STATUS`); its value has, in the order in which they take effect:
//!   - `stderr`: a text to write there;
//!   - `sleepMilliseconds`: how long to wait;
//!   - `error`: the error to answer, `{"code": 100, "msg": "…", "details": "…"}`;
//!   - `result`: what ADD answers; without it, the previous result, or else an empty one.
//!
//! ```json
//! { "type": "debug", "cniOutput": "/run/cni.log", "behaviour": { "DEL": { "error": { "code": 11, "msg": "busy" } } } }
//! ```

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use libcni::plugin::{Answer, AttachmentCall, Call, Plugin, run};
use libcni::result::{AddResult, v100};
use libcni::spec::{
    CNI_ARGS, CNI_COMMAND, CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS, CNI_PATH, Command, ErrorCode, ErrorReply, Object,
};
use serde::Deserialize;

/// The settings that the plugin takes from its configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    cni_output: Option<PathBuf>,
    behaviour: Behaviours,
}

/// The behaviour of each verb.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE", default, deny_unknown_fields)]
struct Behaviours {
    add: Behaviour,
    del: Behaviour,
    check: Behaviour,
    gc: Behaviour,
    status: Behaviour,
}

/// The behaviour of one verb.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Behaviour {
    stderr: String,
    sleep_milliseconds: u64,
    error: Option<ErrorReply>,
    result: Option<Object>,
}

impl Behaviours {
    fn of(self, command: Command) -> Behaviour {
        match command {
            Command::Add => self.add,
            Command::Del => self.del,
            Command::Check => self.check,
            Command::Gc => self.gc,
            Command::Status => self.status,
            // VERSION never gets here, nor does a verb that this library does not know.
            _ => Behaviour::default(),
        }
    }
}

struct Debug;

impl Plugin for Debug {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        if let Some(result) = perform(call)? {
            return Ok(AddResult::parse_reply(&result.to_string(), call.config.version().as_str())?);
        }
        let previous = call.config.prev_result()?;
        Ok(previous.unwrap_or_else(|| v100::Body::default().into()))
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        perform(call).map(drop)
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        perform(call).map(drop)
    }

    fn gc(&self, call: &Call) -> Answer {
        perform(call).map(drop)
    }

    fn status(&self, call: &Call) -> Answer {
        perform(call).map(drop)
    }

    fn about(&self) -> Option<String> {
        Some("CNI debug plugin: records calls, and answers as its configuration says".to_owned())
    }
}

/// Records a call and does what is configured for its verb; the result that is configured, if any.
fn perform(call: &Call) -> Answer<Option<Object>> {
    let config: Config = call.config.typed()?;
    if let Some(path) = &config.cni_output {
        append(path, &record(call))?;
    }
    let behaviour = config.behaviour.of(call.command);
    io::stderr().write_all(behaviour.stderr.as_bytes())?;
    thread::sleep(Duration::from_millis(behaviour.sleep_milliseconds));
    match behaviour.error {
        Some(error) => Err(error)?,
        None => Ok(behaviour.result),
    }
}

/// One call as a line of JSON.
fn record(call: &Call) -> String {
    let mut env = Object::new();
    for name in [CNI_COMMAND, CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_ARGS, CNI_PATH] {
        env.set(name, call.variable(name).unwrap_or_default());
    }
    let mut line = Object::new();
    line.set("command", &call.command.to_string());
    line.set("env", &env);
    line.set("stdin", call.config.text());
    format!("{line}\n")
}

fn append(path: &Path, line: &str) -> Result<(), ErrorReply> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    // One write at the end of the file: the kernel keeps lines of several processes apart.
    file.and_then(|mut file| file.write_all(line.as_bytes())).map_err(|e| {
        ErrorReply::new(ErrorCode::IO, format!("cannot write cniOutput {}", path.display())).with_details(e.to_string())
    })
}

fn main() -> ExitCode {
    run(Debug)
}

#[cfg(test)]
mod tests {
    use libcni::plugin::{Input, Outcome, dispatch};

    use super::*;

    /// Calls a verb with `keys` in the configuration.
    fn call(verb: &str, keys: &str) -> Outcome {
        let stdin = format!("{{\"cniVersion\":\"1.1.0\",\n\"name\":\"net\"{keys}}}");
        dispatch(&Debug, Input::call(verb.parse().unwrap(), stdin))
    }

    #[test]
    fn every_verb_succeeds_unless_told_otherwise() {
        for verb in ["ADD", "CHECK", "DEL", "GC", "STATUS", "VERSION"] {
            assert_eq!(call(verb, "").exit_code, 0, "{verb}");
            let told = format!(r#","behaviour":{{"{verb}":{{"error":{{"code":101,"msg":"no","details":"more"}}}}}}"#);
            let outcome = call(verb, &told);
            let expected = r#"{"cniVersion":"1.1.0","code":101,"msg":"no","details":"more"}"#;
            assert!(verb == "VERSION" || outcome.stdout == expected, "{}", outcome.stdout);
        }
    }

    #[test]
    fn add_answers_the_result_it_is_told_or_the_previous_one() {
        let previous = r#","prevResult":{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.2/24"}]}"#;
        assert_eq!(call("ADD", "").stdout, r#"{"cniVersion":"1.1.0"}"#);
        let passed_on = r#"{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.2/24"}]}"#;
        assert_eq!(call("ADD", previous).stdout, passed_on);
        let told = r#","behaviour":{"ADD":{"result":{"dns":{"domain":"example"}}}}"#;
        let expected = r#"{"cniVersion":"1.1.0","dns":{"domain":"example"}}"#;
        assert_eq!(call("ADD", &format!("{previous}{told}")).stdout, expected);
    }

    #[test]
    fn calls_are_recorded_one_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let keys = format!(r#","cniOutput":"{}""#, path.display());
        for verb in ["ADD", "DEL"] {
            assert_eq!(call(verb, &keys).exit_code, 0);
        }
        let log = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let commands: Vec<_> = lines.iter().map(|line| line["command"].as_str().unwrap()).collect();
        assert_eq!(commands, ["ADD", "DEL"]);
        assert_eq!(lines[0]["env"]["CNI_IFNAME"], "eth0");
        assert_eq!(lines[0]["stdin"], format!("{{\"cniVersion\":\"1.1.0\",\n\"name\":\"net\"{keys}}}"));
    }

    #[test]
    fn a_behaviour_of_no_verb_is_refused() {
        let outcome = call("ADD", r#","behaviour":{"PUT":{}}"#);
        assert!(outcome.stdout.contains("PUT"), "{}", outcome.stdout);
    }
}
