//! `?` on every call of the library, in a function that returns its error.

use super::Error;
use crate::conf::{ConfError, LoadError, PluginProblem};
use crate::invoke::{InvalidSetting, PluginError};
use crate::result::{ConvertError, ParseError};
use crate::spec::capability::InvalidProtocol;
use crate::spec::{
    InvalidArg, InvalidField, InvalidIpNet, InvalidTraceContext, InvalidVersion, InvalidVersionReply, Malformed,
    UnknownCommand,
};

/// A configuration that was not read from a directory.
impl From<ConfError> for Error {
    fn from(error: ConfError) -> Self {
        Self::Load(LoadError::Config(error))
    }
}

/// The configuration of a plugin that was not read from a file.
impl From<PluginProblem> for Error {
    fn from(problem: PluginProblem) -> Self {
        ConfError::from(problem).into()
    }
}

impl From<PluginError> for Error {
    fn from(error: PluginError) -> Self {
        Self::Plugin(Box::new(error))
    }
}

macro_rules! invalid {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::Invalid(Box::new(error))
            }
        }
    )+};
}

invalid!(
    ConvertError,
    InvalidArg,
    InvalidField,
    InvalidIpNet,
    InvalidProtocol,
    InvalidSetting,
    InvalidTraceContext,
    InvalidVersion,
    InvalidVersionReply,
    Malformed,
    ParseError,
    UnknownCommand,
);
