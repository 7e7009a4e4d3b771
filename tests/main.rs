//! Tests of the public API and of `cnitool`, in one target. New tests go into the module of what they are about.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test, in helpers too")]

/// What tests are made of: a sandbox, a plugin that does as told, a host of one's own.
mod support;

/// Recorded behaviour of the Go original, as data.
mod vectors;

/// The verbs of the library, with plugins that do as told.
mod verbs;

/// One execution of a plugin: its limits, and what it gets.
mod execution;

/// Inputs that are very large or very deep.
mod cliffs;

/// What fuzzing found, and what it starts from.
mod corpus;

/// What must hold for any input that can be made up.
mod properties;

/// The plugin's side, given odd things.
mod dispatch;

/// A plugin that calls another one.
mod delegation;

/// The program that is all plugins.
#[cfg(feature = "plugins")]
mod multicall;

/// The directory of configurations, with bad neighbours in it.
mod conf_dir;

/// The cache on disk.
mod cache;

/// Who may work on what at the same time.
mod locks;

/// The tool, killed.
mod crashes;

/// The tool as an operator uses it.
mod cnitool;

/// The documents: what they show, promise and link to.
mod specification;

/// The verbs as futures.
#[cfg(feature = "tokio")]
mod asynchronous;

/// What subscribers of the crate `tracing` are told.
#[cfg(feature = "tracing")]
mod tracing;

/// Configuration and plugin directories, followed as they change.
#[cfg(feature = "watch")]
mod watch;
