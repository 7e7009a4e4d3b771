//! The answers of plugins other than results: errors and supported versions.

use std::fmt;

use serde::de::{self, Deserializer};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::InvalidField;
use super::fields::{Fields, Shape, serde_by_shape};
use super::json::{Malformed, Placed, characters};
use super::{ContainerId, IfName, Object, Version};

/// A CNI error code. An open set: the specification reserves 1 to 99, plugins use 100 and up
/// ([5.4](crate::specification#54-errors)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ErrorCode(pub u64);

impl ErrorCode {
    /// The plugin does not support the configuration's version.
    pub const INCOMPATIBLE_VERSION: Self = Self(1);
    /// The configuration has a field that the plugin does not support.
    pub const UNSUPPORTED_FIELD: Self = Self(2);
    /// The container is unknown or gone: nothing is left to clean up.
    pub const UNKNOWN_CONTAINER: Self = Self(3);
    /// A required environment variable is missing or invalid.
    pub const INVALID_ENVIRONMENT: Self = Self(4);
    /// Input or output failed.
    pub const IO: Self = Self(5);
    /// Something could not be decoded.
    pub const DECODING: Self = Self(6);
    /// The network configuration is invalid.
    pub const INVALID_NETWORK_CONFIG: Self = Self(7);
    /// The network namespace is invalid.
    pub const INVALID_NETNS: Self = Self(8);
    /// A transient condition: the same call may work later.
    pub const TRY_AGAIN_LATER: Self = Self(11);
    /// STATUS: the plugin can't serve ADD.
    pub const NOT_AVAILABLE: Self = Self(50);
    /// STATUS: the plugin can't serve ADD, and existing containers may have limited connectivity.
    pub const LIMITED_CONNECTIVITY: Self = Self(51);
    /// An error without a code of its own.
    pub const INTERNAL: Self = Self(999);

    /// Returns the meaning of the code in the specification, in a few words; `None` for the codes that plugins choose.
    ///
    /// ```
    /// use libcni::spec::ErrorCode;
    ///
    /// assert_eq!(ErrorCode(11).meaning(), Some("try again later"));
    /// assert_eq!(ErrorCode(100).meaning(), None);
    /// ```
    pub fn meaning(self) -> Option<&'static str> {
        match self {
            Self::INCOMPATIBLE_VERSION => Some("incompatible version"),
            Self::UNSUPPORTED_FIELD => Some("unsupported field"),
            Self::UNKNOWN_CONTAINER => Some("unknown container"),
            Self::INVALID_ENVIRONMENT => Some("invalid environment"),
            Self::IO => Some("input or output failed"),
            Self::DECODING => Some("cannot decode"),
            Self::INVALID_NETWORK_CONFIG => Some("invalid network configuration"),
            Self::INVALID_NETNS => Some("invalid network namespace"),
            Self::TRY_AGAIN_LATER => Some("try again later"),
            Self::NOT_AVAILABLE => Some("not available"),
            Self::LIMITED_CONNECTIVITY => Some("limited connectivity"),
            Self::INTERNAL => Some("internal error"),
            _ => None,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The error object of the protocol, which a failing plugin prints on stdout.
///
/// ```
/// use libcni::spec::{ErrorCode, ErrorReply};
///
/// let reply: ErrorReply = serde_json::from_str(r#"{"code": 11, "msg": "the pool is locked"}"#)?;
/// assert_eq!(reply.code, ErrorCode::TRY_AGAIN_LATER);
/// assert_eq!(reply.with_details("held for 2 s").to_string(), "the pool is locked; held for 2 s");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(alias = "types.Error")]
#[non_exhaustive]
pub struct ErrorReply {
    /// The version of the specification that it is written in, if the plugin named one.
    pub cni_version: Option<String>,
    /// The kind of error.
    pub code: ErrorCode,
    /// A short message.
    pub msg: String,
    /// A longer explanation.
    pub details: Option<String>,
    /// Keys that the specification does not know.
    pub extra: Object,
}

impl ErrorReply {
    /// An error with a code and a message.
    pub fn new(code: ErrorCode, msg: impl Into<String>) -> Self {
        Self { code, msg: msg.into(), ..Self::default() }
    }

    /// The same error with an explanation; an empty one is none.
    pub fn with_details(self, details: impl Into<String>) -> Self {
        let details = details.into();
        Self { details: (!details.is_empty()).then_some(details), ..self }
    }
}

impl fmt::Display for ErrorReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.msg)?;
        if let Some(details) = &self.details {
            write!(f, "; {details}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ErrorReply {}

impl Shape for ErrorReply {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            cni_version: fields.take_text("cniVersion")?,
            code: fields.take_or_default("code")?,
            msg: fields.take_or_default("msg")?,
            details: fields.take_text("details")?,
            extra: fields.rest(),
        })
    }

    fn write(&self, object: &mut Object) {
        object.set_some("cniVersion", &self.cni_version);
        object.set("code", &self.code);
        object.set("msg", &self.msg);
        object.set_some("details", &self.details);
        object.append_missing(&self.extra);
    }
}

/// The answer to [VERSION](crate::specification#210-version).
///
/// ```
/// use libcni::spec::VersionReply;
///
/// let reply = VersionReply::parse(r#"{"cniVersion": "1.1.0", "supportedVersions": ["1.0.0", "1.1.0"]}"#)?;
/// assert!(reply.supports("1.0.0") && !reply.supports("0.4.0"));
/// # Ok::<(), libcni::spec::InvalidVersionReply>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "PluginInfo")]
#[non_exhaustive]
pub struct VersionReply {
    /// The version of the specification that the answer is written in.
    pub cni_version: String,
    /// The versions that the plugin supports, as it wrote them.
    pub supported_versions: Vec<String>,
}

/// A text is not an answer to VERSION.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidVersionReply {
    /// It is not a JSON object with fields of the right type.
    #[error("the VERSION reply is not what the specification asks for")]
    Json(#[source] Malformed),
    /// `cniVersion` is missing or empty.
    #[error("the VERSION reply has no `cniVersion`")]
    MissingCniVersion,
    /// `supportedVersions` is missing or empty.
    #[error("the VERSION reply has no `supportedVersions`")]
    MissingSupportedVersions,
}

impl VersionReply {
    /// An answer in the newest version, with the versions that are supported.
    pub fn new(supported_versions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let supported_versions = supported_versions.into_iter().map(Into::into).collect();
        Self { cni_version: Version::CURRENT.to_string(), supported_versions }
    }

    /// A plugin from before VERSION existed: it knows 0.1.0 only.
    pub fn predating_version() -> Self {
        Self { cni_version: Version::V0_1_0.to_string(), supported_versions: vec![Version::V0_1_0.to_string()] }
    }

    /// Reads what a plugin printed. A 0.2.0 plugin may leave the list out: it supports 0.1.0 and 0.2.0.
    ///
    /// # Errors
    /// The text is not such a JSON object, or lacks a required key.
    #[doc(alias = "PluginDecoder")]
    pub fn parse(text: &str) -> Result<Self, InvalidVersionReply> {
        let written: Written = serde_json::from_str(&characters(text))
            .map_err(|error| InvalidVersionReply::Json(Malformed::new(error)))?;
        let cni_version = written.cni_version.ok_or(InvalidVersionReply::MissingCniVersion)?;
        let supported_versions = match cni_version.as_str() {
            _ if !written.supported_versions.is_empty() => written.supported_versions,
            "0.2.0" => vec!["0.1.0".to_owned(), "0.2.0".to_owned()],
            _ => return Err(InvalidVersionReply::MissingSupportedVersions),
        };
        Ok(Self { cni_version, supported_versions })
    }

    pub(crate) fn to_object(&self) -> Object {
        let mut object = Object::new();
        object.set("cniVersion", &self.cni_version);
        object.set("supportedVersions", &self.supported_versions);
        object
    }

    /// Returns true if the plugin supports a configuration's version, compared as text like everywhere in CNI.
    #[doc(alias = "Reconciler")]
    pub fn supports(&self, version: &str) -> bool {
        self.supported_versions.iter().any(|v| v == version)
    }
}

impl Serialize for VersionReply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_object().serialize(serializer)
    }
}

/// The answer to VERSION as it is written, with all that may be missing.
struct Written {
    cni_version: Option<String>,
    supported_versions: Vec<String>,
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Object::deserialize(deserializer)?;
        let mut fields = Fields::of(&object);
        let mut read = || {
            let (cni_version, supported_versions) =
                (fields.take_text("cniVersion")?, fields.take_or_default("supportedVersions")?);
            Ok(Self { cni_version, supported_versions })
        };
        read().map_err(|error: InvalidField| de::Error::custom(Placed(error)))
    }
}

/// An attachment that GC must leave alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "GCAttachment")]
#[non_exhaustive]
pub struct ValidAttachment {
    /// The container.
    pub container_id: String,
    /// Its interface.
    pub ifname: String,
}

impl ValidAttachment {
    /// An interface of a container.
    pub fn new(container_id: &ContainerId, ifname: &IfName) -> Self {
        Self { container_id: container_id.to_string(), ifname: ifname.to_string() }
    }
}

impl Shape for ValidAttachment {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self { container_id: fields.take_or_default("containerID")?, ifname: fields.take_or_default("ifname")? })
    }

    fn write(&self, object: &mut Object) {
        object.set("containerID", &self.container_id);
        object.set("ifname", &self.ifname);
    }
}

serde_by_shape!(ErrorReply, ValidAttachment);
