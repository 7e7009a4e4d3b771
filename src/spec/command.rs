//! The verbs of the protocol and the environment variables that carry their parameters.

use std::ffi::OsStr;
use std::fmt;
use std::str::FromStr;

/// The variable with the verb; see [`Command`].
pub const CNI_COMMAND: &str = "CNI_COMMAND";
/// The variable with the container ID.
pub const CNI_CONTAINERID: &str = "CNI_CONTAINERID";
/// The variable with the path of the network namespace.
pub const CNI_NETNS: &str = "CNI_NETNS";
/// The variable with the interface name inside the container.
pub const CNI_IFNAME: &str = "CNI_IFNAME";
/// The variable with the generic arguments, `K=V;K2=V2`; see [`CniArgs`](super::CniArgs).
pub const CNI_ARGS: &str = "CNI_ARGS";
/// The variable with the plugin directories, joined with `:`.
pub const CNI_PATH: &str = "CNI_PATH";
/// The variable that allows plugins to work on the namespace that they are in.
pub(crate) const CNI_NETNS_OVERRIDE: &str = "CNI_NETNS_OVERRIDE";

/// A verb of the protocol, the value of [`CNI_COMMAND`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Command {
    /// Add an interface to a container, or change one that an earlier plugin of the list made.
    Add,
    /// Undo ADD. Succeeds if nothing is left to undo.
    Del,
    /// Check that what ADD made is as ADD left it; since 0.4.0.
    Check,
    /// Remove everything that belongs to no valid attachment; since 1.1.0.
    Gc,
    /// Say whether the plugin could serve an ADD now; since 1.1.0.
    Status,
    /// List the supported versions of the specification.
    Version,
}

impl Command {
    /// The verb as the protocol writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Command::Add => "ADD",
            Command::Del => "DEL",
            Command::Check => "CHECK",
            Command::Gc => "GC",
            Command::Status => "STATUS",
            Command::Version => "VERSION",
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text is not a verb.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {CNI_COMMAND}: {0}")]
pub struct UnknownCommand(pub String);

impl FromStr for Command {
    type Err = UnknownCommand;

    fn from_str(text: &str) -> Result<Self, UnknownCommand> {
        Ok(match text {
            "ADD" => Command::Add,
            "DEL" => Command::Del,
            "CHECK" => Command::Check,
            "GC" => Command::Gc,
            "STATUS" => Command::Status,
            "VERSION" => Command::Version,
            other => return Err(UnknownCommand(other.to_owned())),
        })
    }
}

/// Returns whether a value of [`CNI_NETNS_OVERRIDE`] allows it.
pub(crate) fn override_allows(value: &OsStr) -> bool {
    value == "1" || value.eq_ignore_ascii_case("true")
}
