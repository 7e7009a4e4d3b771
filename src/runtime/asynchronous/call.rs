//! A blocking call as a future that ends it when dropped.

use std::io;
use std::panic::resume_unwind;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::CancelToken;

/// Calls on threads of tokio's pool, counted until their threads are through with them.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    at_work: watch::Sender<usize>,
}

impl Calls {
    /// Runs a function on a thread; dropping the future cancels the token.
    ///
    /// # Errors
    /// The function did not run: there is no tokio runtime, or it is shutting down.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        token: CancelToken,
        function: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let counted = Counted::new(&self.at_work);
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

    pub(super) async fn settled(&self) {
        // Fails when the sender is gone, but this value has one.
        let _ = self.at_work.subscribe().wait_for(|calls| *calls == 0).await;
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

struct Counted(watch::Sender<usize>);

impl Counted {
    fn new(at_work: &watch::Sender<usize>) -> Self {
        at_work.send_modify(|calls| *calls += 1);
        Self(at_work.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|calls| *calls -= 1);
    }
}
