//! Turns environment and stdin into a call, and the verb's answer into stdout and an exit code. Pure.

use std::any::Any;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::call::{AttachmentCall, Call, required};
use super::config::Unversioned;
use super::{Answer, Input, Plugin};
use crate::spec::{
    CNI_COMMAND, CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS, CNI_NETNS_OVERRIDE, Command, ContainerId, ErrorCode,
    ErrorReply, IfName, InvalidName, Version, VersionReply, override_allows,
};

/// The output and exit code of a plugin's process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The one JSON document for stdout; empty after verbs without an answer.
    pub stdout: String,
    /// The text for a person who runs the plugin by hand.
    pub stderr: String,
    /// 0 after success, 1 after an error.
    pub exit_code: u8,
}

/// Runs one call of a plugin with values, as [`run`](super::run) does with the environment and streams of the process.
/// A panic of the plugin becomes an error object with code 999.
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
    let asked = OnceCell::new();
    let outcome = catch_unwind(AssertUnwindSafe(|| outcome(plugin, input, &asked)));
    let outcome = outcome.unwrap_or_else(|panic| Err(panicked(&*panic)));
    outcome.unwrap_or_else(|error| failed(error, asked.into_inner()))
}

fn outcome(plugin: &dyn Plugin, input: Input<'_>, asked: &OnceCell<Version>) -> Result<Outcome, ErrorReply> {
    let command = input.env.get(OsStr::new(CNI_COMMAND)).and_then(|value| value.to_str()).unwrap_or_default();
    match (command, plugin.about()) {
        ("", Some(about)) => Ok(introduction(plugin, &about)),
        _ => {
            let stdout = answer(plugin, command.to_owned(), input, asked)?;
            Ok(Outcome { stdout, ..Outcome::default() })
        }
    }
}

/// The error object, in the version that the request asked for, or else in the one that this crate writes.
fn failed(error: ErrorReply, asked: Option<Version>) -> Outcome {
    let version = error.cni_version.unwrap_or_else(|| asked.unwrap_or(Version::CURRENT).to_string());
    let object = ErrorReply { cni_version: Some(version), ..error };
    Outcome { stdout: crate::spec::Shape::to_object(&object).to_string(), exit_code: 1, ..Outcome::default() }
}

/// Answers a call whose verb panicked, of which only the configuration is left.
pub(super) fn answer_after_panic(panic: &(dyn Any + Send), stdin: &[u8]) -> String {
    let version = Unversioned::parse(stdin).ok().and_then(|config| config.version.parse().ok());
    failed(panicked(panic), version.filter(Version::is_known)).stdout
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

fn answer(
    plugin: &dyn Plugin,
    command: String,
    input: Input<'_>,
    asked: &OnceCell<Version>,
) -> Result<String, ErrorReply> {
    let verb = command.parse::<Command>();
    check_environment(&command, verb.as_ref().ok().copied(), &input.env)?;
    if verb == Ok(Command::Version) {
        return Ok(version_reply(plugin));
    }
    let stdin = (input.stdin)();
    let stdin = stdin.map_err(|e| ErrorReply::new(ErrorCode::IO, format!("error reading from stdin: {e}")))?;
    let config = Unversioned::parse(&stdin)?;
    if let Some(version) = config.version.parse().ok().filter(Version::is_known) {
        let _ = asked.set(version);
    }
    // Only now: Go, too, wants a configuration before it says that the verb is unknown.
    let command = verb.map_err(|e| ErrorReply::new(ErrorCode::INVALID_ENVIRONMENT, e.to_string()))?;
    let version = check_version(plugin, command, &config.version)?;
    let config = config.at(version);
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
    VersionReply::new(plugin.supported_versions().iter().map(ToString::to_string)).to_object().to_string()
}

/// The variables that the verb needs are there, and the names among them are names. As in Go, a name that is none is
/// told before what is missing.
fn check_environment(
    command: &str,
    verb: Option<Command>,
    env: &BTreeMap<OsString, OsString>,
) -> Result<(), ErrorReply> {
    let is_missing = |name: &str| env.get(OsStr::new(name)).is_none_or(|value| value.is_empty());
    let required = verb.map(required).unwrap_or_default();
    let (mut missing, there): (Vec<&str>, Vec<&str>) = required.iter().partition(|name| is_missing(name));
    there.into_iter().try_for_each(|name| check_name(name, env))?;
    if command.is_empty() {
        missing.insert(0, CNI_COMMAND);
    }
    if missing.is_empty() {
        return Ok(());
    }
    let msg = format!("required env variables [{}] missing", missing.join(","));
    Err(ErrorReply::new(ErrorCode::INVALID_ENVIRONMENT, msg))
}

/// A variable that holds a name holds one that is allowed.
fn check_name(variable: &str, env: &BTreeMap<OsString, OsString>) -> Result<(), ErrorReply> {
    let value = env.get(OsStr::new(variable)).map(|value| value.to_string_lossy()).unwrap_or_default();
    match variable {
        CNI_CONTAINERID => ContainerId::new(value)
            .map(drop)
            .map_err(|e| ErrorReply::new(e.code(), "invalid characters in containerID").with_details(e.value())),
        CNI_IFNAME => IfName::new(value).map(drop).map_err(|e| invalid_interface(&e)),
        _ => Ok(()),
    }
}

/// In the words that the Go skeleton uses: somebody may look for them.
fn invalid_interface(name: &InvalidName) -> ErrorReply {
    let (msg, details) = match name.value() {
        "." | ".." => ("interface name is . or ..", ""),
        long if long.len() > 15 => ("interface name is too long", "interface name should be less than 16 characters"),
        _ => ("interface name contains / or : or whitespace characters", ""),
    };
    ErrorReply::new(name.code(), msg).with_details(details)
}

fn attachment(call: Call) -> Answer<AttachmentCall> {
    Ok(AttachmentCall {
        container_id: ContainerId::new(call.variable(CNI_CONTAINERID).unwrap_or_default())?,
        ifname: IfName::new(call.variable(CNI_IFNAME).unwrap_or_default())?,
        call,
    })
}

/// The version of a configuration as it is written: one that has the verb, and that the plugin supports.
fn check_version(plugin: &dyn Plugin, command: Command, written: &str) -> Result<Version, ErrorReply> {
    let incompatible = |msg: String| ErrorReply::new(ErrorCode::INCOMPATIBLE_VERSION, msg);
    let supported = plugin.supported_versions();
    // ADD and DEL, which every version has, only look it up.
    let is_looked_up = matches!(command, Command::Add | Command::Del);
    let version = match written.parse::<Version>() {
        Ok(version) => version,
        Err(_) if is_looked_up => return Err(unsupported(written, &supported)),
        Err(invalid) => return Err(ErrorReply::new(ErrorCode::DECODING, invalid.to_string())),
    };
    if !has_verb(&version, command) {
        return Err(incompatible(format!("config version does not allow {command}")));
    }
    // By text, as everywhere: nobody can say which version "1.0" is answered in.
    let name = if written.is_empty() { "0.1.0" } else { written };
    if supported.iter().any(|supported| supported.as_str() == name) {
        return Ok(version);
    }
    if !is_looked_up && !supported.iter().any(|supported| *supported >= version) {
        return Err(incompatible(format!("plugin version does not allow {command}")));
    }
    Err(unsupported(name, &supported))
}

fn has_verb(version: &Version, command: Command) -> bool {
    match command {
        Command::Check => version.has_check(),
        Command::Gc => version.has_gc(),
        Command::Status => version.has_status(),
        Command::Add | Command::Del | Command::Version => true,
    }
}

fn unsupported(written: &str, supported: &[Version]) -> ErrorReply {
    let list: Vec<_> = supported.iter().map(|version| format!("\"{version}\"")).collect();
    let details = format!("config is \"{written}\", plugin supports [{}]", list.join(" "));
    ErrorReply::new(ErrorCode::INCOMPATIBLE_VERSION, "incompatible CNI versions").with_details(details)
}

/// ADD and DEL in the plugin's own namespace would change the host's network. Refused before anything is done.
fn guard_own_netns(call: &Call, is_own_netns: impl FnOnce(&Path) -> bool) -> Result<(), ErrorReply> {
    let changes = matches!(call.command, Command::Add | Command::Del);
    let allowed = call.os_variable(CNI_NETNS_OVERRIDE).is_some_and(override_allows);
    let path = call.os_variable(CNI_NETNS).map(Path::new).filter(|path| changes && !allowed && is_own_netns(path));
    let Some(path) = path else { return Ok(()) };
    let msg = "plugin's netns and netns from CNI_NETNS should not be the same";
    Err(ErrorReply::new(ErrorCode::INVALID_NETNS, msg).with_details(path.display().to_string()))
}
