//! Executions as events: the request to each plugin, and its outcome.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{Exec, ExecError, ExecFuture, FindError, Limits, Output, Request};

/// Something that happens to an execution.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ExecEvent<'a> {
    /// It is about to begin.
    #[non_exhaustive]
    Begins {
        /// Which one: counts from 1, for each [`ObservedExec`].
        number: u64,
        /// Everything that the plugin is sent.
        request: &'a Request,
    },
    /// It has ended.
    #[non_exhaustive]
    Ended {
        /// Which one.
        number: u64,
        /// Everything that the plugin was sent.
        request: &'a Request,
        /// How long it took.
        took: Duration,
        /// The output of the plugin, whether it succeeded or failed, or the reason why it was not run or did not end by
        /// itself.
        ended: Result<&'a Output, &'a ExecError>,
    },
}

/// Runs plugins with another executor, and reports each execution.
///
/// ```
/// use libcni::Cni;
/// use libcni::invoke::{ExecEvent, ObservedExec, ProcessExec};
///
/// let exec = ObservedExec::new(ProcessExec, |event| {
///     if let ExecEvent::Ended { request, took, ended, .. } = event {
///         let how = ended.map_or_else(ToString::to_string, |output| output.status.to_string());
///         println!("{} {}: {how} after {} ms", request.command, request.plugin, took.as_millis());
///     }
/// });
/// let cni = Cni::builder().exec(exec).build()?;
/// # Ok::<(), libcni::Error>(())
/// ```
#[derive(Clone)]
pub struct ObservedExec<E> {
    exec: E,
    hear: Arc<dyn Fn(&ExecEvent<'_>) + Send + Sync>,
    count: Arc<AtomicU64>,
}

impl<E: Exec> ObservedExec<E> {
    /// Calls `hear` in the thread that runs the plugin, which waits meanwhile.
    pub fn new(exec: E, hear: impl Fn(&ExecEvent<'_>) + Send + Sync + 'static) -> Self {
        Self { exec, hear: Arc::new(hear), count: Arc::default() }
    }
}

impl<E: Exec> Exec for ObservedExec<E> {
    fn find(&self, plugin: &str, dirs: &[PathBuf]) -> Result<PathBuf, FindError> {
        self.exec.find(plugin, dirs)
    }

    fn exec(&self, request: &Request, limits: &Limits) -> Result<Output, ExecError> {
        let begun = self.begin(request);
        self.end(request, begun, self.exec.exec(request, limits))
    }

    fn exec_async<'a>(&'a self, request: &'a Request, limits: &'a Limits) -> ExecFuture<'a> {
        Box::pin(async move {
            let begun = self.begin(request);
            self.end(request, begun, self.exec.exec_async(request, limits).await)
        })
    }
}

/// The number of an execution, and when it began.
type Begun = (u64, Instant);

impl<E> ObservedExec<E> {
    fn begin(&self, request: &Request) -> Begun {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        (self.hear)(&ExecEvent::Begins { number, request });
        (number, Instant::now())
    }

    fn end(
        &self,
        request: &Request,
        (number, began): Begun,
        ended: Result<Output, ExecError>,
    ) -> Result<Output, ExecError> {
        (self.hear)(&ExecEvent::Ended { number, request, took: began.elapsed(), ended: ended.as_ref() });
        ended
    }
}

impl<E: fmt::Debug> fmt::Debug for ObservedExec<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObservedExec").field("exec", &self.exec).finish_non_exhaustive()
    }
}
