//! The ways in which an execution fails.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A plugin could not be run, or did not end by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecError {
    /// It did not start.
    #[error("cannot run {}{}", program.display(), obstacle.as_ref().map(|obstacle| format!(": {obstacle}")).unwrap_or_default())]
    #[non_exhaustive]
    Spawn {
        /// The executable.
        program: PathBuf,
        /// The obstacle, where the system's reason misleads.
        obstacle: Option<String>,
        /// Why.
        source: io::Error,
    },
    /// It did not start, because its file stayed open for writing.
    #[error("cannot run {}: the file is still being written to after {} ms", program.display(), waited.as_millis())]
    #[non_exhaustive]
    Busy {
        /// The executable.
        program: PathBuf,
        /// How long it was tried.
        waited: Duration,
    },
    /// It was not started, because an environment variable can't be passed to it.
    #[error("environment variable `{variable}` contains a NUL byte")]
    #[non_exhaustive]
    Environment {
        /// The variable.
        variable: String,
    },
    /// It ran longer than allowed and was ended.
    #[error("timed out: no answer after {} ms; its process group was ended", after.as_millis())]
    #[non_exhaustive]
    TimedOut {
        /// The limit.
        after: Duration,
        /// The bytes that it had printed on stderr.
        stderr: Vec<u8>,
    },
    /// It was ended because the call was cancelled.
    #[error("cancelled{}", if *started { "; its process group was ended" } else { " before it was started" })]
    #[non_exhaustive]
    Cancelled {
        /// It was running already.
        started: bool,
        /// The bytes that it had printed on stderr.
        stderr: Vec<u8>,
    },
    /// It was ended because it printed too much on stdout.
    #[error("more than {limit} bytes on stdout; its process group was ended")]
    #[non_exhaustive]
    StdoutTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// It was not started: this process ignores SIGCHLD, so the system would not report how the plugin ended.
    #[error(
        "SIGCHLD is ignored in this process, so the system would not report how a plugin ended; give the signal its default \
         action before plugins are run"
    )]
    ChildrenIgnored,
    /// It ended, but its exit status is lost: another part of this process took it before this library could.
    #[error(
        "it ended, but its exit status is lost: something else in this process waits for any child, where it has to wait \
         for its own by their process IDs"
    )]
    #[non_exhaustive]
    StatusUnknown {
        /// The bytes that it had printed on stderr.
        stderr: Vec<u8>,
    },
    /// Talking to the process or waiting for it failed, and it was ended.
    #[error("cannot {doing} the process")]
    #[non_exhaustive]
    Io {
        /// The operation that failed.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

/// For an [`Exec`](super::Exec) that runs plugins in its own way.
///
/// ```
/// use std::time::Duration;
///
/// use libcni::invoke::ExecError;
///
/// let error = ExecError::timed_out(Duration::from_secs(5)).with_stderr("waiting for the agent");
/// assert!(error.was_started());
/// assert_eq!(error.stderr(), b"waiting for the agent");
/// ```
impl ExecError {
    /// A plugin did not start.
    pub fn spawn(program: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Spawn { program: program.into(), obstacle: None, source }
    }

    /// A plugin ran longer than [`Limits::timeout`](super::Limits::timeout) and was ended.
    pub fn timed_out(after: Duration) -> Self {
        Self::TimedOut { after, stderr: Vec::new() }
    }

    /// A plugin was ended because [`Limits::cancel`](super::Limits::cancel) was cancelled.
    pub fn cancelled() -> Self {
        Self::Cancelled { started: true, stderr: Vec::new() }
    }

    /// A plugin was not started because [`Limits::cancel`](super::Limits::cancel) was cancelled before.
    pub fn cancelled_before_start() -> Self {
        Self::Cancelled { started: false, stderr: Vec::new() }
    }

    /// A plugin printed more than [`Limits::max_stdout`](super::Limits::max_stdout) on stdout and was ended.
    pub fn stdout_too_long(limit: usize) -> Self {
        Self::StdoutTooLong { limit }
    }

    /// Talking to a plugin or waiting for it failed. `doing` is what could not be done to its process: `wait for`,
    /// `connect to`.
    pub fn io(doing: &'static str, source: io::Error) -> Self {
        Self::Io { doing, source }
    }

    /// The same error with the bytes that the plugin had printed on stderr, where the error keeps them.
    #[must_use]
    pub fn with_stderr(mut self, printed: impl Into<Vec<u8>>) -> Self {
        if let Self::TimedOut { stderr, .. } | Self::Cancelled { stderr, .. } | Self::StatusUnknown { stderr } =
            &mut self
        {
            *stderr = printed.into();
        }
        self
    }
}

impl ExecError {
    /// Returns whether the plugin's process was started, so that it may have done part of its work.
    pub fn was_started(&self) -> bool {
        !matches!(
            self,
            Self::Spawn { .. }
                | Self::Busy { .. }
                | Self::Environment { .. }
                | Self::ChildrenIgnored
                | Self::Cancelled { started: false, .. }
        )
    }

    /// Returns the bytes that the plugin had printed on stderr when it was ended.
    pub fn stderr(&self) -> &[u8] {
        match self {
            Self::TimedOut { stderr, .. } | Self::Cancelled { stderr, .. } | Self::StatusUnknown { stderr } => stderr,
            _ => &[],
        }
    }
}
