//! No processes: pidfds, process groups and their signals are those of Linux.

use std::io;

use super::{Exec, ExecError, Limits, Output, Request};

/// Runs plugins as processes, on Linux. Elsewhere every execution is an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessExec;

impl Exec for ProcessExec {
    fn exec(&self, request: &Request, _: &Limits) -> Result<Output, ExecError> {
        let source = io::Error::new(io::ErrorKind::Unsupported, "plugins run on Linux only");
        Err(ExecError::Spawn { program: request.program.clone(), obstacle: None, source })
    }
}

/// Calls a function that may block for long.
pub(super) fn blocking<T>(function: impl FnOnce() -> T) -> T {
    function()
}
