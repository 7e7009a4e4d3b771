//! A blocking call as a future that ends it when dropped.

use std::collections::BTreeMap;
use std::io;
use std::panic::resume_unwind;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::CancelToken;
use crate::spec::ContainerId;

/// Calls on threads of tokio's pool, known until their threads are through with them.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    at_work: watch::Sender<AtWork>,
}

/// The calls at work, each by its number, with the containers that it is for.
#[derive(Debug, Default)]
struct AtWork {
    next: u64,
    calls: BTreeMap<u64, Vec<ContainerId>>,
}

impl Calls {
    /// Runs a function on a thread; dropping the future cancels the token.
    ///
    /// # Errors
    /// The function did not run: there is no tokio runtime, or it is shutting down.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        token: CancelToken,
        containers: Vec<ContainerId>,
        function: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let counted = Counted::new(&self.at_work, containers);
        let function = in_current_span(function);
        let task = runtime.spawn_blocking(move || {
            let _counted = counted;
            function()
        });
        let mut call = Call { token, task };
        (&mut call.task).await.or_else(|error| match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(shut_down) => Err(shut_down.into()),
        })
    }

    /// Waits until none of the calls that are at work now is at work any more; those that begin later don't count.
    pub(super) async fn settled(&self, is_meant: impl Fn(&[ContainerId]) -> bool) {
        let mut at_work = self.at_work.subscribe();
        let next = at_work.borrow().next;
        let is_settled = |at_work: &AtWork| !at_work.calls.range(..next).any(|(_, containers)| is_meant(containers));
        // Fails when the sender is gone, but this value has one.
        let _ = at_work.wait_for(is_settled).await;
    }
}

/// The function, with what `tracing` knows of its caller on whichever thread it runs: the span, and who hears of it.
#[cfg(feature = "tracing")]
fn in_current_span<T>(function: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let span = tracing::Span::current();
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    move || tracing::dispatcher::with_default(&dispatch, || span.in_scope(function))
}

#[cfg(not(feature = "tracing"))]
fn in_current_span<T>(function: impl FnOnce() -> T) -> impl FnOnce() -> T {
    function
}

/// Ends a call when it is dropped. One that has ended is not touched by that.
struct Call<T> {
    token: CancelToken,
    task: JoinHandle<T>,
}

impl<T> Drop for Call<T> {
    fn drop(&mut self) {
        // Not known to fail, and nobody to tell.
        let _ = self.token.cancel();
        // Keeps it from beginning, if it waits for a thread; one that has begun is not stopped by this.
        self.task.abort();
    }
}

struct Counted {
    at_work: watch::Sender<AtWork>,
    number: u64,
}

impl Counted {
    fn new(at_work: &watch::Sender<AtWork>, containers: Vec<ContainerId>) -> Self {
        let mut number = 0;
        at_work.send_modify(|at_work| {
            number = at_work.next;
            at_work.next += 1;
            at_work.calls.insert(number, containers);
        });
        Self { at_work: at_work.clone(), number }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.at_work.send_modify(|at_work| drop(at_work.calls.remove(&self.number)));
    }
}
