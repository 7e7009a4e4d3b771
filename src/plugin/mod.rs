//! The plugin author's end of the protocol.
//!
//! Implement [`Plugin`] and pass it to [`run`]: it reads the environment and stdin, makes the checks of the
//! specification, calls the verb, prints exactly one JSON document and returns the exit code. Everything before and
//! after the verb is a pure function ([`dispatch`]), so a plugin can be tested without a process. [Section
//! 2](crate::specification#2-execution-protocol) of the specification lists the duties of each verb.
//!
//! A plugin runs on Linux; what it decides can be tested wherever Rust is, by [`dispatch`].
//!
//! ```no_run
#![doc = include_str!("../../examples/noop.rs")]
//! ```

mod args;
mod call;
mod config;
mod delegate;
mod dispatch;
mod error;
mod input;
#[cfg(target_os = "linux")]
mod io;

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
#[cfg(target_os = "linux")]
use std::process::ExitCode;

pub use self::args::{ArgsError, load_args};
pub use self::call::{AttachmentCall, Call};
pub use self::config::Config;
pub use self::delegate::{Delegate, Delegated};
pub use self::dispatch::{Outcome, dispatch};
pub use self::error::Failure;
pub use self::input::Input;
#[cfg(target_os = "linux")]
pub use self::io::is_awaited;
#[cfg(target_os = "linux")]
use crate::invoke::{Exec, ProcessExec};
use crate::result::AddResult;
use crate::spec::Version;

/// The outcome of a verb of a plugin. `?` takes any error: an [`ErrorReply`](crate::spec::ErrorReply) keeps its code,
/// any other error becomes 999.
pub type Answer<T = ()> = Result<T, Failure>;

/// A CNI plugin: one function for each verb.
#[doc(alias = "CNIFuncs")]
pub trait Plugin {
    /// Adds an interface to the container, or changes one that an earlier plugin of the list made.
    ///
    /// Start from the previous result ([`Config::prev_result`]), if there is one. The result is printed in the
    /// version of the request, whatever version it is in.
    ///
    /// # Errors
    /// Printed as a CNI error; exit code 1.
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult>;

    /// Undoes ADD. Must succeed when there is nothing left to undo: when ADD never ran or failed half-way, when the
    /// namespace is gone ([`AttachmentCall::netns`] may be `None`), when DEL ran before.
    ///
    /// # Errors
    /// Printed as a CNI error; exit code 1.
    fn del(&self, call: &AttachmentCall) -> Answer;

    /// Checks that everything is as ADD left it. Called for configurations of version 0.4.0 and newer.
    ///
    /// # Errors
    /// The difference. It is printed as a CNI error; exit code 1.
    fn check(&self, call: &AttachmentCall) -> Answer;

    /// Removes what belongs to none of [`Config::valid_attachments`]. Called from version 1.1.0 on. Nothing by default.
    ///
    /// # Errors
    /// Printed as a CNI error; exit code 1.
    fn gc(&self, _call: &Call) -> Answer {
        Ok(())
    }

    /// Says whether an ADD could be served now. Called from version 1.1.0 on. Always by default.
    ///
    /// # Errors
    /// Code 50 for not available, 51 for limited connectivity.
    fn status(&self, _call: &Call) -> Answer {
        Ok(())
    }

    /// The versions of the specification that the plugin supports. All that this crate knows by default.
    fn supported_versions(&self) -> Vec<Version> {
        Version::ALL.to_vec()
    }

    /// The text that the plugin prints about itself when a person runs it by hand: without CNI_COMMAND.
    fn about(&self) -> Option<String> {
        None
    }
}

/// Chosen at run time, as by a program that is several plugins.
impl<P: Plugin + ?Sized> Plugin for &P {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        (**self).add(call)
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        (**self).del(call)
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        (**self).check(call)
    }

    fn gc(&self, call: &Call) -> Answer {
        (**self).gc(call)
    }

    fn status(&self, call: &Call) -> Answer {
        (**self).status(call)
    }

    fn supported_versions(&self) -> Vec<Version> {
        (**self).supported_versions()
    }

    fn about(&self) -> Option<String> {
        (**self).about()
    }
}

/// Runs a plugin as this process: environment, stdin and stdout are the runtime's.
///
/// While a verb runs, file descriptor 1 is stderr, so accidental output does not spoil the answer. A panic becomes a
/// CNI error with code 999, also in a program that is built with `panic = "abort"`.
///
/// ```no_run
/// # use libcni::plugin::{Answer, AttachmentCall, Plugin};
/// # struct MyPlugin;
/// # impl Plugin for MyPlugin {
/// #     fn add(&self, _: &AttachmentCall) -> Answer<libcni::result::AddResult> {
/// #         Ok(libcni::result::v100::Body::default().into())
/// #     }
/// #     fn del(&self, _: &AttachmentCall) -> Answer { Ok(()) }
/// #     fn check(&self, _: &AttachmentCall) -> Answer { Ok(()) }
/// # }
/// fn main() -> std::process::ExitCode {
///     libcni::plugin::run(MyPlugin)
/// }
/// ```
#[doc(alias("PluginMain", "PluginMainFuncs"))]
#[cfg(target_os = "linux")]
pub fn run(plugin: impl Plugin) -> ExitCode {
    io::run(&plugin, ProcessExec)
}

/// Runs a plugin as [`run`] does, with another executor for the plugins that it delegates to.
#[cfg(target_os = "linux")]
pub fn run_with(plugin: impl Plugin, exec: impl Exec + 'static) -> ExitCode {
    io::run(&plugin, exec)
}

/// Writes to stderr. If that is closed, the error can't be reported.
fn pass_on_stderr(text: &[u8]) {
    let _ = std::io::stderr().write_all(text);
}

/// The directories of a CNI_PATH.
fn split_dirs(path: &OsStr) -> Vec<PathBuf> {
    std::env::split_paths(path).collect()
}
