//! The seam between pure code and processes.

use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

#[cfg(not(target_os = "linux"))]
use super::elsewhere::blocking;
use super::{ExecError, FindError, Request};
#[cfg(target_os = "linux")]
use crate::CancelToken;
use crate::setters::setters;
#[cfg(target_os = "linux")]
use crate::waiting::blocking;

/// Runs plugins. [`ProcessExec`](super::ProcessExec) runs them as processes; tests and other kinds of runtimes
/// bring their own.
///
/// ```
/// use libcni::invoke::{Exec, ExecError, Limits, Output, Request};
///
/// /// Answers every request with an empty result, and needs no file.
/// #[derive(Debug)]
/// struct Fake;
///
/// impl Exec for Fake {
///     fn find(
///         &self,
///         plugin: &str,
///         _: &[std::path::PathBuf],
///     ) -> Result<std::path::PathBuf, libcni::invoke::FindError> {
///         Ok(plugin.into())
///     }
///
///     fn exec(&self, _: &Request, _: &Limits) -> Result<Output, ExecError> {
///         Ok(Output::default().stdout(*b"{}"))
///     }
/// }
/// ```
pub trait Exec: std::fmt::Debug + Send + Sync {
    /// Finds the executable of a plugin.
    ///
    /// # Errors
    /// There is none; see [`FindError`].
    fn find(&self, plugin: &str, dirs: &[PathBuf]) -> Result<PathBuf, FindError> {
        super::find(plugin, dirs)
    }

    /// Runs one request to its end, within the limits.
    ///
    /// # Errors
    /// The plugin could not be run, or had to be ended; see [`ExecError`]. A plugin that ends by itself, however
    /// badly, is an [`Output`].
    fn exec(&self, request: &Request, limits: &Limits) -> Result<Output, ExecError>;

    /// Runs one request as [`exec`](Self::exec) does, for a verb that is to hold no thread meanwhile: those of
    /// `AsyncCni` run plugins by this. Unless it is written, `exec` is called, and holds a thread. An executor that
    /// wraps another one hands the request on to the `exec_async` of that one.
    ///
    /// That of [`ProcessExec`](super::ProcessExec) holds no thread within a verb of `AsyncCni`; elsewhere it blocks as
    /// `exec` does.
    fn exec_async<'a>(&'a self, request: &'a Request, limits: &'a Limits) -> ExecFuture<'a> {
        Box::pin(async move { blocking(|| self.exec(request, limits)) })
    }
}

/// An execution that is awaited. One that is dropped leaves the plugin alone: [`Limits::cancel`] ends it early.
pub type ExecFuture<'a> = Pin<Box<dyn Future<Output = Result<Output, ExecError>> + Send + 'a>>;

/// Shared by those who run plugins in the same way.
impl<E: Exec + ?Sized> Exec for Arc<E> {
    fn find(&self, plugin: &str, dirs: &[PathBuf]) -> Result<PathBuf, FindError> {
        (**self).find(plugin, dirs)
    }

    fn exec(&self, request: &Request, limits: &Limits) -> Result<Output, ExecError> {
        (**self).exec(request, limits)
    }

    fn exec_async<'a>(&'a self, request: &'a Request, limits: &'a Limits) -> ExecFuture<'a> {
        (**self).exec_async(request, limits)
    }
}

/// The limits of one execution.
///
/// ```
/// use std::time::Duration;
///
/// use libcni::invoke::Limits;
///
/// let limits = Limits::default().timeout(Duration::from_secs(5));
/// let cni = libcni::Cni::builder().limits(limits).build()?;
/// # Ok::<(), libcni::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// How long it may run.
    pub timeout: Duration,
    /// How long it and its process group have, after SIGTERM, before SIGKILL.
    pub grace: Duration,
    /// How many bytes it may print on stdout; more ends it.
    pub max_stdout: usize,
    /// How many bytes of its stderr are kept, from the beginning; the rest is read and dropped.
    pub max_stderr: usize,
    /// Ends it early.
    #[cfg(target_os = "linux")]
    pub cancel: Option<CancelToken>,
}

setters! {
    Limits {
        timeout: Duration,
        grace: Duration,
        max_stdout: usize,
        max_stderr: usize,
    }
}

#[cfg(target_os = "linux")]
setters! {
    Limits {
        cancel: some CancelToken,
    }
}

/// 25 seconds (a supervisor often gives up on its own call after 30, and then nobody learns which plugin hung),
/// 2 seconds of grace, 8 MiB of stdout, 256 KiB of stderr.
impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(25),
            grace: Duration::from_secs(2),
            max_stdout: 8 << 20,
            max_stderr: 256 << 10,
            #[cfg(target_os = "linux")]
            cancel: None,
        }
    }
}

/// The end of a plugin, and its output. By default, it succeeded and printed nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// Exit status or signal.
    pub status: ExitStatus,
    /// The bytes that it printed on stdout.
    pub stdout: Vec<u8>,
    /// The bytes that it printed on stderr, up to [`Limits::max_stderr`].
    pub stderr: Vec<u8>,
}

setters! {
    Output {
        status: ExitStatus,
        stdout: into Vec<u8>,
        stderr: into Vec<u8>,
    }
}
