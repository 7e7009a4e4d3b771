//! One execution of one plugin: found by name, fed a request, bounded, its reply read.
//!
//! This module takes bytes and never a configuration, so that runtimes and delegating plugins can share it. [`Exec`] is
//! the seam: everything before it ([`Request`]) and after it ([`read_reply`]) is a pure function. [Section
//! 2](crate::specification#2-execution-protocol) of the specification says what both sides may expect of an execution.

mod environment;
mod exec;
mod failure;
mod find;
mod installed;
mod observed;
mod process;
mod record;
mod reply;
mod request;
mod setting;
mod trace_file;
#[cfg(feature = "tracing")]
mod traced;

pub use environment::Environment;
pub(crate) use environment::{Inherited, is_variable};
pub use exec::{Exec, ExecError, ExecFuture, Limits, Output};
pub use failure::{PluginError, PluginFailure};
pub use find::{DEFAULT_PLUGIN_DIRS, FindError, find};
pub(crate) use find::{FileState, has_separator};
pub(crate) use installed::is_of_system;
pub use installed::{Installed, InstalledFiles, Standing, UnreadableDir, installed};
pub use observed::{ExecEvent, ObservedExec};
pub use process::ProcessExec;
pub use reply::read_reply;
pub(crate) use request::join_dirs;
pub use request::{Parameters, Request};
pub use setting::InvalidSetting;
pub use trace_file::{TraceFile, UnfitTraceFile};
#[cfg(feature = "tracing")]
pub use traced::TracingExec;
