//! Environment and stdin become a call, and the verb's answer becomes stdout and an exit code. Pure.

use std::any::Any;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::call::{AttachmentCall, Call, required};
use super::{Answer, Config, Input, Plugin};
use crate::netns::{CNI_NETNS_OVERRIDE, override_allows};
use crate::spec::{
    CNI_COMMAND, CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS, Command, ContainerId, ErrorCode, ErrorReply, IfName, Version,
    VersionReply,
};

/// What a plugin's process leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The one JSON document for stdout; empty after verbs without an answer.
    pub stdout: String,
    /// The text for a person who runs the plugin by hand.
    pub stderr: String,
    /// 0 after success, 1 after an error.
    pub exit_code: u8,
}

/// Runs one call of a plugin as values: what [`run`](super::run) does with the process's own. A panic of the plugin
/// becomes an error object with code 999.
///
/// ```
/// use libcni::plugin::{Answer, AttachmentCall, Input, Plugin, dispatch};
/// use libcni::result::{AddResult, v100};
/// use libcni::spec::Command;
///
/// struct Empty;
///
/// impl Plugin for Empty {
///     fn add(&self, _: &AttachmentCall) -> Answer<AddResult> {
///         Ok(v100::Body::default().into())
///     }
///     fn del(&self, _: &AttachmentCall) -> Answer {
///         Ok(())
///     }
///     fn check(&self, _: &AttachmentCall) -> Answer {
///         Ok(())
///     }
/// }
///
/// let config = r#"{"cniVersion": "1.0.0", "name": "net", "type": "empty"}"#;
/// let outcome = dispatch(&Empty, Input::call(Command::Add, config));
/// assert_eq!(outcome.stdout, r#"{"cniVersion":"1.0.0"}"#);
/// assert_eq!(outcome.exit_code, 0);
/// ```
pub fn dispatch(plugin: &dyn Plugin, input: Input<'_>) -> Outcome {
    let outcome = catch_unwind(AssertUnwindSafe(|| outcome(plugin, input)));
    outcome.unwrap_or_else(|panic| failed(panicked(&*panic)))
}

fn outcome(plugin: &dyn Plugin, input: Input<'_>) -> Outcome {
    let command = input.env.get(OsStr::new(CNI_COMMAND)).and_then(|value| value.to_str()).unwrap_or_default();
    match (command, plugin.about()) {
        ("", Some(about)) => introduction(plugin, &about),
        _ => match answer(plugin, command.to_owned(), input) {
            Ok(stdout) => Outcome { stdout, ..Outcome::default() },
            Err(error) => failed(error),
        },
    }
}

fn failed(error: ErrorReply) -> Outcome {
    Outcome { stdout: error_object(error), exit_code: 1, ..Outcome::default() }
}

fn panicked(panic: &(dyn Any + Send)) -> ErrorReply {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    ErrorReply::new(ErrorCode::INTERNAL, "the plugin panicked").with_details(text)
}

fn introduction(plugin: &dyn Plugin, about: &str) -> Outcome {
    let versions: Vec<_> = plugin.supported_versions().iter().map(ToString::to_string).collect();
    let stderr = format!("{about}\nCNI protocol versions supported: {}\n", versions.join(", "));
    Outcome { stderr, ..Outcome::default() }
}

/// The error object, in the version of the specification that this crate writes.
fn error_object(error: ErrorReply) -> String {
    let version = error.cni_version.unwrap_or_else(|| Version::CURRENT.to_string());
    let object = ErrorReply { cni_version: Some(version), ..error };
    crate::spec::Shape::to_object(&object).to_string()
}

fn answer(plugin: &dyn Plugin, command: String, input: Input<'_>) -> Result<String, ErrorReply> {
    let verb = command.parse::<Command>();
    check_environment(&command, verb.as_ref().ok().copied(), &input.env)?;
    if verb == Ok(Command::Version) {
        return Ok(version_reply(plugin));
    }
    let stdin = (input.stdin)();
    let stdin = stdin.map_err(|e| ErrorReply::new(ErrorCode::IO, format!("error reading from stdin: {e}")))?;
    let config = Config::parse(&stdin)?;
    // Only now: Go, too, wants a configuration before it says that the verb is unknown.
    let command = verb.map_err(|e| ErrorReply::new(ErrorCode::INVALID_ENVIRONMENT, e.to_string()))?;
    check_version(plugin, command, &config)?;
    let call = Call { command, config, env: input.env, exec: input.exec };
    guard_own_netns(&call, input.is_own_netns)?;
    run_verb(plugin, call).map_err(super::Failure::into_reply)
}

fn run_verb(plugin: &dyn Plugin, call: Call) -> Answer<String> {
    let done = |()| String::new();
    match call.command {
        Command::Add => {
            let version = call.config.version().clone();
            Ok(plugin.add(&attachment(call)?)?.to_version(&version)?.to_string())
        }
        Command::Del => plugin.del(&attachment(call)?).map(done),
        Command::Check => plugin.check(&attachment(call)?).map(done),
        Command::Gc => plugin.gc(&call).map(done),
        Command::Status => plugin.status(&call).map(done),
        Command::Version => Ok(version_reply(plugin)),
    }
}

fn version_reply(plugin: &dyn Plugin) -> String {
    let supported_versions = plugin.supported_versions().iter().map(ToString::to_string).collect();
    let reply = VersionReply { cni_version: Version::CURRENT.to_string(), supported_versions };
    crate::spec::Shape::to_object(&reply).to_string()
}

/// The variables that the verb needs are there, and the names among them are names.
fn check_environment(
    command: &str,
    verb: Option<Command>,
    env: &BTreeMap<OsString, OsString>,
) -> Result<(), ErrorReply> {
    let is_missing = |name: &str| env.get(OsStr::new(name)).is_none_or(|value| value.is_empty());
    let mut missing: Vec<&str> = verb.map(required).unwrap_or_default().to_vec();
    missing.retain(|name| is_missing(name));
    if command.is_empty() {
        missing.insert(0, CNI_COMMAND);
    }
    if !missing.is_empty() {
        let msg = format!("required env variables [{}] missing", missing.join(","));
        return Err(ErrorReply::new(ErrorCode::INVALID_ENVIRONMENT, msg));
    }
    match verb {
        Some(verb) if required(verb).contains(&CNI_CONTAINERID) => check_names(env),
        _ => Ok(()),
    }
}

fn check_names(env: &BTreeMap<OsString, OsString>) -> Result<(), ErrorReply> {
    let text = |name: &str| env.get(OsStr::new(name)).map(|value| value.to_string_lossy()).unwrap_or_default();
    ContainerId::new(text(CNI_CONTAINERID))
        .map_err(|e| ErrorReply::new(e.code(), "invalid characters in containerID").with_details(e.value()))?;
    IfName::new(text(CNI_IFNAME)).map_err(|e| ErrorReply::new(e.code(), interface_message(e.value())))?;
    Ok(())
}

/// In the words that the Go skeleton uses: somebody may look for them.
fn interface_message(name: &str) -> &'static str {
    match name {
        "." | ".." => "interface name is . or ..",
        long if long.len() > 15 => "interface name is too long; interface name should be less than 16 characters",
        _ => "interface name contains / or : or whitespace characters",
    }
}

fn attachment(call: Call) -> Answer<AttachmentCall> {
    Ok(AttachmentCall {
        container_id: ContainerId::new(call.variable(CNI_CONTAINERID))?,
        ifname: IfName::new(call.variable(CNI_IFNAME))?,
        call,
    })
}

/// The version of the configuration has the verb, and the plugin supports the version.
fn check_version(plugin: &dyn Plugin, command: Command, config: &Config) -> Result<(), ErrorReply> {
    let incompatible = |msg: String| ErrorReply::new(ErrorCode::INCOMPATIBLE_VERSION, msg);
    let has_verb = |version: &Version| match command {
        Command::Check => version.has_check(),
        Command::Gc => version.has_gc(),
        Command::Status => version.has_status(),
        Command::Add | Command::Del | Command::Version => true,
    };
    if !has_verb(config.version()) {
        return Err(incompatible(format!("config version does not allow {command}")));
    }
    let supported = plugin.supported_versions();
    if supported.contains(config.version()) {
        return Ok(());
    }
    // CHECK and its like, in a configuration newer than the plugin.
    let has_condition = command != Command::Add && command != Command::Del;
    if has_condition && !supported.iter().any(|version| version >= config.version()) {
        return Err(incompatible(format!("plugin version does not allow {command}")));
    }
    let list: Vec<_> = supported.iter().map(|version| format!("\"{version}\"")).collect();
    let details = format!("config is \"{}\", plugin supports [{}]", config.version(), list.join(" "));
    Err(incompatible("incompatible CNI versions".to_owned()).with_details(details))
}

/// ADD and DEL in the plugin's own namespace would change the host's network. Refused before anything is done.
fn guard_own_netns(call: &Call, is_own_netns: impl FnOnce(&Path) -> bool) -> Result<(), ErrorReply> {
    let changes = matches!(call.command, Command::Add | Command::Del);
    let path = Path::new(call.os_variable(CNI_NETNS));
    let allowed = override_allows(call.os_variable(CNI_NETNS_OVERRIDE));
    if !changes || allowed || path.as_os_str().is_empty() || !is_own_netns(path) {
        return Ok(());
    }
    let msg = "plugin's netns and netns from CNI_NETNS should not be the same";
    Err(ErrorReply::new(ErrorCode::INVALID_NETNS, msg).with_details(path.display().to_string()))
}
