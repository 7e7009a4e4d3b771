//! The context of a verb, made of the options, the environment and signals: the library, networks, attachments.

pub(crate) mod environment;
pub(crate) mod library;
pub(crate) mod options;
pub(crate) mod signals;
mod trace;
