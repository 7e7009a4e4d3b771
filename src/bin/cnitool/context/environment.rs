//! Defaults of the options from the environment: an option wins over its variable.

use std::ffi::OsString;
use std::path::PathBuf;

use libcni::conf::{ConfDir, OnBroken};
use libcni::invoke::{DEFAULT_PLUGIN_DIRS, InvalidSetting, UnfitTraceFile};
use libcni::netns;
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{CniArgs, ErrorCode, IfName, InvalidArg, InvalidName, Malformed};

use super::options::{Capabilities, Configurations, Given, Interface, Loading, PluginDirs};
use crate::output::failure::Failure;
use crate::output::warn;

/// An argument or variable that can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Invalid {
    #[error("environment variable {0} is not UTF-8")]
    Environment(&'static str),
    #[error(transparent)]
    Name(#[from] InvalidName),
    #[error(transparent)]
    Arg(#[from] InvalidArg),
    #[error("{origin} is not a JSON object of capability arguments: {source}")]
    Capabilities { origin: &'static str, source: Malformed },
    #[error("cannot append to the trace file {}: {source}", path.display())]
    TraceFile { path: PathBuf, source: UnfitTraceFile },
    #[error("{error}{hint}", error = .0, hint = if matches!(.0, netns::InvalidNamespace::Empty) { ", which only `del` takes, with --container-id" } else { "" })]
    Netns(#[from] netns::InvalidNamespace),
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        let code = match &invalid {
            Invalid::Name(name) => name.code(),
            Invalid::TraceFile { .. } => ErrorCode::IO,
            _ => ErrorCode::INVALID_ENVIRONMENT,
        };
        Self::new(code, invalid)
    }
}

/// Returns true if recorded behaviour of the Go tool is wanted where this one is more careful: CNITOOL_COMPAT is `go`.
pub(crate) fn is_like_go() -> bool {
    variable("CNITOOL_COMPAT").is_some_and(|like| like == "go")
}

impl Configurations {
    /// The directory, which skips broken files.
    pub(crate) fn conf_dir(&self) -> ConfDir {
        let dir = self.conf_dir.clone();
        let dir = dir.or_else(|| variable("NETCONFPATH").map(PathBuf::from));
        dir.map_or_else(ConfDir::default, ConfDir::new).on_broken(OnBroken::Skip)
    }
}

impl Loading {
    /// The directory, which stops at a broken file where that is wanted.
    pub(crate) fn conf_dir(&self) -> ConfDir {
        let on_broken = if self.strict || is_like_go() { OnBroken::Stop } else { OnBroken::Skip };
        self.configurations.conf_dir().on_broken(on_broken)
    }
}

impl PluginDirs {
    pub(crate) fn plugin_dirs(&self) -> Vec<PathBuf> {
        let missing = self.plugin_dir.iter().filter(|dir| !dir.exists());
        missing.for_each(|dir| warn(&format!("the plugin directory {} does not exist", dir.display())));
        if !self.plugin_dir.is_empty() {
            return self.plugin_dir.clone();
        }
        match variable("CNI_PATH") {
            Some(dirs) => std::env::split_paths(&dirs).collect(),
            None => DEFAULT_PLUGIN_DIRS.map(PathBuf::from).to_vec(),
        }
    }
}

impl Interface {
    /// The name of the interface, or `default` if none was given.
    pub(crate) fn name_or(&self, default: &str) -> Result<IfName, Invalid> {
        let name = self.ifname.clone();
        let name = name.map_or_else(|| text("CNI_IFNAME"), |name| Ok(Some(name)))?;
        Ok(IfName::new(name.unwrap_or_else(|| default.to_owned()))?)
    }
}

impl Given {
    pub(crate) fn args(&self) -> Result<CniArgs, Invalid> {
        let given = match self.arg.as_slice() {
            [] => text("CNI_ARGS")?.unwrap_or_default(),
            pairs => pairs.join(";"),
        };
        Ok(given.parse()?)
    }
}

impl Capabilities {
    pub(crate) fn capability_args(&self) -> Result<CapabilityArgs, Invalid> {
        let (origin, given) = match &self.cap {
            Some(json) => ("--cap", Some(json.clone())),
            None => ("CAP_ARGS", text("CAP_ARGS")?),
        };
        let invalid = |source| Invalid::Capabilities { origin, source };
        Ok(given.map(|json| CapabilityArgs::parse(&json).map_err(invalid)).transpose()?.unwrap_or_default())
    }
}

/// The command line of this run with another verb, for a hint: what is in front of its own verb follows the rest.
pub(crate) fn this_with(verb: &str, own: &str, without: &str) -> String {
    let words = std::env::args_os().skip(1).map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>();
    let at = words.iter().position(|word| word == own).unwrap_or(words.len());
    let others = words[at..].iter().skip(1).chain(&words[..at]).filter(|word| *word != without);
    ["cnitool", verb].into_iter().chain(others.map(String::as_str)).collect::<Vec<_>>().join(" ")
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// An environment variable; an empty one counts as unset.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn text(name: &'static str) -> Result<Option<String>, Invalid> {
    let value = variable(name).map(OsString::into_string);
    value.transpose().map_err(|_| Invalid::Environment(name))
}
