//! Errors of a plugin, on their way to a CNI error object.

use std::error::Error as StdError;
use std::fmt;

use super::ArgsError;
use crate::Chain;
use crate::invoke::{PluginError, PluginFailure};
#[cfg(all(feature = "link", target_os = "linux"))]
use crate::link::LinkError;
#[cfg(target_os = "linux")]
use crate::netns::NetnsError;
use crate::spec::{ErrorCode, ErrorReply, InvalidName};

/// The reason why a verb failed. `?` makes it from any error, including a text and a boxed error (that of `anyhow`). It
/// becomes the CNI error object that the plugin prints.
///
/// An [`ErrorReply`] stays as it is, and so does the error of a delegated plugin; invalid names and arguments and
/// network namespaces that can't be entered have the code of the specification, any other error becomes code 999.
///
/// ```
/// use libcni::plugin::Failure;
/// use libcni::spec::{ErrorCode, ErrorReply};
///
/// let reply = ErrorReply::new(ErrorCode::TRY_AGAIN_LATER, "the device is busy");
/// assert_eq!(Failure::from(reply.clone()).into_reply(), reply);
///
/// let other: Failure = "no number".parse::<u8>().unwrap_err().into();
/// assert_eq!(other.into_reply().code, ErrorCode::INTERNAL);
///
/// let boxed: Box<dyn std::error::Error + Send + Sync> = "no link".into();
/// assert_eq!(Failure::from(boxed).into_reply().msg, "no link");
/// ```
// Not an `Error` itself: then `?` could not take every other one.
pub struct Failure(ErrorReply);

impl Failure {
    /// A failure with a code of the specification, or of the plugin's own from 100 on.
    pub fn new(code: ErrorCode, msg: impl Into<String>) -> Self {
        Self(ErrorReply::new(code, msg))
    }

    /// A failure of the plugin's own, code 999.
    pub fn internal(msg: impl Into<String>) -> Self {
        Self::new(ErrorCode::INTERNAL, msg)
    }

    /// The error object.
    pub fn into_reply(self) -> ErrorReply {
        self.0
    }

    /// The error object.
    pub fn reply(&self) -> &ErrorReply {
        &self.0
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({}: {})", self.0.code, self.0)
    }
}

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error: Box<dyn StdError> = error.into();
        let error = match error.downcast::<ErrorReply>() {
            Ok(reply) => return Self(*reply),
            Err(other) => other,
        };
        if let Some(plugin) = error.downcast_ref::<PluginError>() {
            return Self(handed_on(plugin));
        }
        let text = Chain(&*error).to_string();
        let name = error.downcast_ref::<InvalidName>().map(InvalidName::code);
        let args = error.downcast_ref::<ArgsError>().map(|_| ErrorCode::INVALID_ENVIRONMENT);
        let netns = is_about_netns(&*error).then_some(ErrorCode::INVALID_NETNS);
        Self::new(name.or(args).or(netns).unwrap_or(ErrorCode::INTERNAL), text)
    }
}

/// The error of another plugin: in that plugin's own words, as runtimes know them, where it found any.
fn handed_on(plugin: &PluginError) -> ErrorReply {
    match &plugin.failure {
        PluginFailure::Reported { reply, status, .. }
            if !reply.msg.is_empty() && status.code().is_some_and(|code| code != 0) =>
        {
            ErrorReply { cni_version: None, ..reply.clone() }
        }
        _ => plugin.to_reply(),
    }
}

#[cfg(target_os = "linux")]
fn is_about_netns(error: &(dyn StdError + 'static)) -> bool {
    #[cfg(feature = "link")]
    if error.downcast_ref::<LinkError>().is_some_and(|error| error.netns().is_some()) {
        return true;
    }
    error.is::<NetnsError>()
}

#[cfg(not(target_os = "linux"))]
fn is_about_netns(_: &(dyn StdError + 'static)) -> bool {
    false
}
