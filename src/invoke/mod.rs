//! One execution of one plugin: found by name, fed a request, bounded, its reply read.
//!
//! This module takes bytes and never a configuration, so that runtimes and delegating plugins can share it. [`Exec`] is
//! the seam: everything before it ([`Request`]) and after it ([`read_reply`]) is a pure function. [Section
//! 2](crate::specification#2-execution-protocol) of the specification says what both sides may expect of an execution.
//!
//! Processes are those of Linux: on other systems [`ProcessExec`] returns an error, and [`Limits::cancel`],
//! [`installed`] and [`TraceFile`] do not exist.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
mod environment;
mod exec;
mod exec_error;
mod failure;
#[cfg(target_os = "linux")]
mod file_state;
mod find;
#[cfg(target_os = "linux")]
mod installed;
mod observed;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod record;
mod reply;
mod request;
mod setting;
#[cfg(target_os = "linux")]
mod trace_file;
#[cfg(all(feature = "tracing", target_os = "linux"))]
mod traced;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::ProcessExec;
pub use environment::Environment;
#[cfg(target_os = "linux")]
pub(crate) use environment::{Inherited, is_variable};
pub use exec::{Exec, ExecFuture, Limits, Output};
pub use exec_error::ExecError;
pub use failure::{PluginError, PluginFailure};
#[cfg(target_os = "linux")]
pub(crate) use file_state::FileState;
pub use find::{DEFAULT_PLUGIN_DIRS, FindError, find};
#[cfg(target_os = "linux")]
pub(crate) use find::{has_separator, is_locked};
#[cfg(target_os = "linux")]
pub(crate) use installed::is_of_system;
#[cfg(target_os = "linux")]
pub use installed::{Installed, InstalledFiles, Standing, UnreadableDir, installed};
pub use observed::{ExecEvent, ObservedExec};
#[cfg(target_os = "linux")]
pub use process::ProcessExec;
pub use reply::read_reply;
pub use request::{Parameters, Request};
pub use setting::InvalidSetting;
#[cfg(target_os = "linux")]
pub use trace_file::{TraceFile, UnfitTraceFile};
#[cfg(all(feature = "tracing", target_os = "linux"))]
pub use traced::TracingExec;
