//! The three names that become parts of file names and environment variables, validated once.

use std::fmt;
use std::str::FromStr;

use super::ErrorCode;

/// A container ID, network name or interface name that the specification does not allow.
///
/// Has the CNI error code that a runtime or plugin answers with ([`InvalidName::code`]).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid {kind} `{}`: {reason}", value.escape_debug())]
pub struct InvalidName {
    kind: Kind,
    value: String,
    reason: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    ContainerId,
    Network,
    Interface,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::ContainerId => "container ID",
            Kind::Network => "network name",
            Kind::Interface => "interface name",
        })
    }
}

impl InvalidName {
    /// The name that was refused.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// 3 for an empty container ID, 7 for a network name, 4 for everything else.
    pub fn code(&self) -> ErrorCode {
        match self.kind {
            Kind::ContainerId if self.value.is_empty() => ErrorCode::UNKNOWN_CONTAINER,
            Kind::Network => ErrorCode::INVALID_NETWORK_CONFIG,
            Kind::ContainerId | Kind::Interface => ErrorCode::INVALID_ENVIRONMENT,
        }
    }
}

/// The fault of a container ID or network name, if it has one.
fn identifier(value: &str) -> Result<(), &'static str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    match value.as_bytes() {
        [] => Err("it is empty"),
        [first, ..] if !first.is_ascii_alphanumeric() => Err("it must start with an ASCII letter or digit"),
        bytes if bytes.iter().copied().all(allowed) => Ok(()),
        _ => Err("only ASCII letters, digits, `_`, `.` and `-` are allowed"),
    }
}

/// The fault of an interface name, if it has one.
fn interface(value: &str) -> Result<(), &'static str> {
    let forbidden = |c: char| c == '/' || c == ':' || c.is_whitespace() || c == '\0';
    match value {
        "" => Err("it is empty"),
        "." | ".." => Err("it names a directory"),
        long if long.len() > 15 => Err("it is longer than 15 bytes"),
        odd if odd.contains(forbidden) => Err("it contains `/`, `:`, white space or NUL"),
        _ => Ok(()),
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $kind:ident, $check:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks a name.
            ///
            /// # Errors
            /// The specification does not allow it.
            pub fn new(value: impl Into<String>) -> Result<Self, InvalidName> {
                let value = value.into();
                match $check(&value) {
                    Ok(()) => Ok(Self(value)),
                    Err(reason) => Err(InvalidName { kind: Kind::$kind, value, reason }),
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(value: &str) -> Result<Self, InvalidName> {
                Self::new(value)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    )+};
}

names! {
    /// The runtime's name for a container: an ASCII letter or digit, then letters, digits, `_`, `.` and `-`.
    ///
    /// ```
    /// use libcni::spec::ContainerId;
    ///
    /// let error = ContainerId::new("../etc").unwrap_err();
    /// assert_eq!(error.to_string(), "invalid container ID `../etc`: it must start with an ASCII letter or digit");
    /// ```
    #[doc(alias = "ValidateContainerID")]
    ContainerId, ContainerId, identifier;
    /// The name of a network, formed like a [`ContainerId`]; unique among the configurations of a host.
    #[doc(alias = "ValidateNetworkName")]
    NetworkName, Network, identifier;
    /// The name of an interface in a container: 1 to 15 bytes, not `.` or `..`, no `/`, `:` or white space.
    #[doc(alias = "ValidateInterfaceName")]
    IfName, Interface, interface;
}
