//! A call as a future that ends it when dropped.

use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Poll;
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::at_work::AtWork;
use crate::CancelToken;
use crate::spec::ContainerId;
use crate::waiting::Workers;

/// Calls on threads of their own, known until nothing of them is at work any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    workers: Workers,
    at_work: AtWork,
}

impl Calls {
    /// Runs a future on the workers to its end, whatever becomes of the future that this returns: dropping that one
    /// cancels the token.
    ///
    /// # Errors
    /// Nothing was run: there is no tokio runtime, or the system has no thread left.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        token: CancelToken,
        containers: Vec<ContainerId>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<T> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let (counted, watch) = self.at_work.begin(&runtime, &token, containers);
        let (tell, told) = oneshot::channel();
        let work = in_current_span(caught(runtime.clone(), work));
        let spawned = self.workers.spawn(async move {
            // One that was dropped before it began never does.
            let ended = if tell.is_closed() { None } else { Some(work.await) };
            drop(counted);
            // Nobody may want to know any more.
            let _ = ended.map(|ended| tell.send(ended));
        });
        if let Some(watch) = watch {
            watch.over(&runtime);
        }
        spawned?;
        let _call = Call { token };
        match told.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => Err(io::Error::other("the call was dropped before it began")),
        }
    }

    /// Waits until none of the calls that are at work now is at work any more; those that begin later don't count.
    pub(super) async fn settled(&self, is_meant: impl Fn(&[ContainerId]) -> bool) {
        self.at_work.settled(is_meant).await;
    }
}

/// The future, within the tokio runtime of its caller, and with a panic as a value.
async fn caught<T>(runtime: Handle, work: impl Future<Output = T>) -> thread::Result<T> {
    let mut work = Box::pin(work);
    poll_fn(|context| {
        let _entered = runtime.enter();
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}

/// The future, with what `tracing` knows of its caller on whichever thread it runs: the span, and who hears of it.
#[cfg(feature = "tracing")]
fn in_current_span<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    use tracing::instrument::{Instrument, WithSubscriber};
    future.in_current_span().with_current_subscriber()
}

#[cfg(not(feature = "tracing"))]
fn in_current_span<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    future
}

/// Ends a call when it is dropped. One that has ended is not touched by that.
struct Call {
    token: CancelToken,
}

impl Drop for Call {
    fn drop(&mut self) {
        // Not known to fail, and nobody to tell.
        let _ = self.token.cancel();
    }
}
