//! An executor without processes.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};

use libcni::invoke::{Exec, ExecError, FindError, Limits, Output, Request};

type Answer = Arc<dyn Fn(&Request) -> Output + Send + Sync>;
type Missing = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Answers every request by a function, and remembers it. Every plugin exists unless said otherwise.
#[derive(Clone)]
pub(crate) struct FakeExec {
    answer: Answer,
    missing: Missing,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl FakeExec {
    pub(crate) fn new(answer: impl Fn(&Request) -> Output + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), missing: Arc::new(|_| false), requests: Arc::default() }
    }

    /// The same, but some plugins are not installed.
    pub(crate) fn without(self, missing: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self { missing: Arc::new(missing), ..self }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl std::fmt::Debug for FakeExec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FakeExec")
    }
}

impl Exec for FakeExec {
    fn find(&self, plugin: &str, dirs: &[PathBuf]) -> Result<PathBuf, FindError> {
        if (self.missing)(plugin) {
            Err(FindError::not_found(plugin, dirs))
        } else {
            Ok(PathBuf::from("/fake").join(plugin))
        }
    }

    fn exec(&self, request: &Request, _: &Limits) -> Result<Output, ExecError> {
        self.requests.lock().unwrap().push(request.clone());
        Ok((self.answer)(request))
    }
}

/// A plugin that succeeds and prints this.
pub(crate) fn printing(stdout: &str) -> Output {
    failing(0, stdout, "")
}

/// A plugin that exits with this status.
pub(crate) fn failing(code: i32, stdout: &str, stderr: &str) -> Output {
    Output::default().status(ExitStatus::from_raw(code << 8)).stdout(stdout).stderr(stderr)
}
