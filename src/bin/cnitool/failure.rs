//! Why the tool fails, for people and for programs.

use std::io;

use libcni::spec::{ErrorCode, Object};
use libcni::{Chain, Error};
use serde::Serialize;

use crate::conformance::ConformanceError;
use crate::options::Invalid;
use crate::output::printable_json;
use crate::run::RunError;

/// Why the tool fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Arguments(#[from] Invalid),
    #[error("{}", Chain(.0))]
    Cni(#[from] Error),
    #[error("{}", Chain(.0))]
    NotAdded(Box<Error>),
    #[error("{}", Chain(.0))]
    NotRemoved(Box<Error>),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Conformance(#[from] ConformanceError),
    #[error("version {version} of network `{network}` is not supported by all of its plugins")]
    VersionUnsupported { network: String, version: String },
    #[error("`{name}` is no attachment, and {}", Chain(.network))]
    NothingOfThatName { name: String, network: Box<Error> },
    #[error("there is no verb `{verb}`")]
    NoSuchVerb { verb: String },
    #[error("{count} problem{}", if *.count == 1 { "" } else { "s" })]
    Problems { count: usize },
    #[error("it is not said which attachments of network `{network}` are to be kept")]
    NothingToKeep { network: String },
    #[error("cannot write to stdout: {0}")]
    Stdout(#[from] io::Error),
    #[error("the container is added, but its result can't be written to stdout: {0}")]
    Added(io::Error),
}

impl Failure {
    /// The exit status: 2 for wrong usage, 1 for everything else.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::NothingToKeep { .. } | Self::NoSuchVerb { .. } => 2,
            Self::Conformance(error) => error.status(),
            _ => 1,
        }
    }

    /// What the user can do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotAdded(error) if error.needs_cleanup() => Some(
                "plugins may have done part of their work; `cnitool del` with the same arguments undoes it, and an \
                     earlier `add` of the same interface with it",
            ),
            Self::NotRemoved(error) if is_unknown_network(error) => {
                Some("`cnitool del --cached` removes it with the configuration that it was added with")
            }
            Self::NotRemoved(error) if matches!(**error, Error::PluginNotFound { .. }) => {
                Some("`--skip-missing` goes on without the plugin, and leaves what it has added")
            }
            Self::NotRemoved(error) if matches!(**error, Error::NotCached { .. }) => {
                Some("`cnitool list attachments` shows what is cached")
            }
            Self::NotRemoved(_) => Some("what is not removed stays in the cache; the same command can be run again"),
            Self::NothingToKeep { .. } => Some(
                "name them with `--keep ID:IFNAME`, keep those whose namespace exists with `--keep-live`, or delete \
                 everything with `--all`; `--dry-run` shows what would go",
            ),
            Self::Run(RunError::Rootless(_)) => Some(
                "root needs none; for others, the sysctl user.max_user_namespaces must be more than 0, and \
                 kernel.apparmor_restrict_unprivileged_userns, where there is one, 0",
            ),
            Self::Added(_) => Some("`cnitool del` with the same arguments removes it again"),
            _ => None,
        }
    }

    /// The error of the library that is behind it.
    fn error(&self) -> Option<&Error> {
        match self {
            Self::Cni(error) | Self::Run(RunError::Cni(error)) => Some(error),
            Self::NotAdded(error) | Self::NotRemoved(error) => Some(error),
            _ => None,
        }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Self::Arguments(invalid) => invalid.code(),
            Self::NothingToKeep { .. } | Self::NoSuchVerb { .. } => ErrorCode::INVALID_ENVIRONMENT,
            Self::Problems { .. } => ErrorCode::INVALID_NETWORK_CONFIG,
            Self::VersionUnsupported { .. } => ErrorCode::INCOMPATIBLE_VERSION,
            Self::NothingOfThatName { network, .. } => network.code(),
            Self::Stdout(_) | Self::Added(_) => ErrorCode::IO,
            _ => self.error().map_or(ErrorCode::INTERNAL, Error::code),
        }
    }

    /// The failure as one line of JSON.
    pub(crate) fn to_json(&self) -> String {
        let mut object = Object::new();
        match self.error() {
            Some(error) => describe(&mut object, error),
            None => {
                object.set("code", &self.code());
                object.set("msg", &self.to_string());
            }
        }
        set_some(&mut object, "hint", self.hint());
        printable_json(&object.to_string())
    }
}

fn is_unknown_network(error: &Error) -> bool {
    matches!(error, Error::Load(libcni::conf::LoadError::NotFound { .. } | libcni::conf::LoadError::NoConfigs { .. }))
}

/// What is known of an error: `code`, `msg`, `details`, and what it is about.
fn describe(object: &mut Object, error: &Error) {
    let reply = error.to_reply();
    let said = plugin_reply(error).unwrap_or(&reply);
    object.set("code", &reply.code);
    object.set("msg", &Chain(error).to_string());
    set_some(object, "details", Some(said.details.as_str()).filter(|details| !details.is_empty()));
    set_some(object, "plugin", error.plugin());
    set_some(object, "verb", error.command().map(|command| command.as_str()));
    set_some(object, "file", error.file().map(|file| file.to_string_lossy()));
    if let Error::Several(failures) = error {
        let one = |error: &Error| {
            let mut object = Object::new();
            describe(&mut object, error);
            object
        };
        object.set("errors", &failures.iter().map(one).collect::<Vec<_>>());
    }
}

/// What the plugin itself said, if it is to blame and said something.
fn plugin_reply(error: &Error) -> Option<&libcni::spec::ErrorReply> {
    match error {
        Error::Plugin { source, .. } => source.reply(),
        _ => None,
    }
}

fn set_some(object: &mut Object, key: &str, value: Option<impl Serialize>) {
    if let Some(value) = value {
        object.set(key, &value);
    }
}
