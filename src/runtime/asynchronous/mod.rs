//! The verbs as futures, for a runtime on tokio.
//!
//! A verb is written once, as a future, whose waits are those of [`waiting`](crate::waiting). [`Cni`] runs it on the
//! thread of its caller. Here, it runs on a few threads of this value, which are not those of tokio, and on purpose:
//!
//! - All but the waits blocks: the cache is synced to disk, and `/proc` is read. That is not for a thread of a runtime,
//!   and its pool for blocking work may be taken by others.
//! - A plugin whose future is dropped still needs somebody to give it its grace period, kill it and reap it, and an ADD
//!   somebody to undo it. A future that is gone can't, and a task ends with its runtime.

mod at_work;
mod call;
mod verbs;

use self::call::Calls;
use super::Cni;
use crate::CancelToken;
use crate::cache::Cache;
use crate::error::Error;
use crate::spec::{ContainerId, TraceContext};
use crate::waiting::blocking;

/// [`Cni`] with its verbs as futures (feature `tokio`).
///
/// ```no_run
/// use std::time::Duration;
///
/// use libcni::conf::ConfDir;
/// use libcni::{Attachment, Cni};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let cni = Cni::new().into_async();
/// let network = cni.run(|_| ConfDir::default().load("mynet").map_err(libcni::Error::from)).await?.network;
/// let attachment = Attachment::new("web-0".parse()?, "eth0".parse()?).netns("/run/netns/web-0");
/// tokio::select! {
///     added = cni.add(&network, &attachment) => println!("{}", added?.latest().ips[0].address),
///     _ = tokio::time::sleep(Duration::from_secs(5)) => cni.del(&network, &attachment).await?,
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Threads
///
/// Verbs run on threads of this value and its clones: at most eight, one that waits for all plugins, locks and times,
/// and one that starts plugins, with a descriptor table of its own. A plugin that hangs, or a call that waits for
/// another one of its container, holds none of them. They are started by the tasks that call, in the namespaces where
/// those are, and end a second after the last call. tokio's pool for blocking work is not used.
///
/// Code that is not of this library holds a thread of its own while it runs: a function given to [`run`](Self::run), an
/// [`Exec`](crate::invoke::Exec) without [`exec_async`](crate::invoke::Exec::exec_async), and a
/// [`Locking`](crate::lock::Locking) without [`lock_async`](crate::lock::Locking::lock_async).
///
/// A plugin that runs takes four file descriptors, and its verb up to two for locks and two to be ended by. Where the
/// system refuses a thread, a call fails with [`Error::NotStarted`].
///
/// # Dropping a future
///
/// A future that was never polled has done nothing. One that is dropped later, by `select!`, a timeout or the end of
/// its task, returns at once and leaves the rest to the threads:
///
/// - The plugin that runs is ended with its whole process group, as at a deadline: SIGTERM, SIGKILL after the grace
///   period ([`Limits::grace`](crate::invoke::Limits::grace)), and reaped. No further plugin of the network starts.
/// - The locks that the verb holds are given back when all that is over, not before, so the next verb for the same
///   container waits until nothing of the dropped one runs any more; [`settled`](Self::settled) waits for that, too. A
///   dropped verb that waits for a lock itself waits no longer.
/// - What a dropped verb did stays done. A dropped ADD is a failed one: DEL removes what its plugins made, and until
///   then the cache has a record of it, by which GC finds it, too; [`add_with_rollback`](Self::add_with_rollback) and
///   [`add_all`](Self::add_all) run that DEL. An ADD that was complete when it was dropped is recorded as any other. A
///   dropped DEL can be repeated.
///
/// When a tokio runtime shuts down, the calls that were made in it are ended in the same way, and it waits for that, so
/// that no plugin outlives it. `Runtime::shutdown_background` waits, too, where the runtime has no thread but its
/// caller's. A process that ends leaves the plugin alone.
///
/// To hear from this crate which plugin hung, let a timeout around a future be longer than
/// [`Builder::timeout`](crate::runtime::Builder::timeout), which each plugin has.
#[derive(Clone, Debug)]
pub struct AsyncCni {
    cni: Cni,
    calls: Calls,
}

impl Cni {
    /// The same, with the verbs as futures (feature `tokio`).
    pub fn into_async(self) -> AsyncCni {
        AsyncCni { cni: self, calls: Calls::default() }
    }
}

impl AsyncCni {
    /// Anything else of this library, or several verbs in a row, as one future: the function runs on a thread that it
    /// has for itself, and may block. What it does with the [`Cni`] it is given ends when the future is dropped.
    ///
    /// # Errors
    /// Those of the function, and [`Error::NotStarted`].
    pub async fn run<T, E, F>(&self, function: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Cni) -> Result<T, E> + Send + 'static,
    {
        self.call(Vec::new(), |cni| async move { blocking(|| function(&cni)) }).await
    }

    /// Runs a verb, for containers whose calls can be waited for.
    async fn call<T, E, W>(&self, containers: Vec<ContainerId>, verb: impl FnOnce(Cni) -> W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        W: Future<Output = Result<T, E>> + Send + 'static,
    {
        let not_started = |source| Error::NotStarted { source };
        let token = self.token().map_err(not_started)?;
        let verb = verb(self.cni.with_cancel(token.clone()));
        self.calls.run(token, containers, verb).await.map_err(not_started)?
    }

    /// A token for one call, which ends with the one that the embedder gave for all.
    fn token(&self) -> std::io::Result<CancelToken> {
        match &self.cni.limits.cancel {
            Some(all) => all.child(),
            None => CancelToken::new(),
        }
    }

    /// Waits until no call of this value or its clones that is at work now is at work any more, those of dropped
    /// futures included. Calls that begin meanwhile are not waited for.
    ///
    /// Then no plugin that they started runs, and they hold nothing.
    pub async fn settled(&self) {
        self.calls.settled(|_| true).await;
    }

    /// Waits like [`settled`](Self::settled), for the verbs of one container alone: before its namespace is removed,
    /// for one. What [`run`](Self::run) does is for no container that could be told.
    ///
    /// ```no_run
    /// # async fn example(cni: &libcni::AsyncCni) -> Result<(), libcni::Error> {
    /// cni.settled_for(&"web-0".parse()?).await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn settled_for(&self, container: &ContainerId) {
        self.calls.settled(|containers| containers.contains(container)).await;
    }

    /// The cache of results. Its functions read the disk, so call them in [`run`](Self::run).
    pub fn cache(&self) -> &Cache {
        self.cni.cache()
    }

    /// The same, with calls that continue from another place of a distributed trace ([`Cni::with_trace_context`]). It
    /// counts as a clone: [`settled`](Self::settled) waits for its calls, too.
    ///
    /// ```no_run
    /// # use libcni::{AsyncCni, Attachment, Error, conf::NetworkConfig, spec::TraceContext};
    /// # async fn example(cni: &AsyncCni, network: &NetworkConfig, attachment: &Attachment) -> Result<(), Error> {
    /// let span = TraceContext::new("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")?;
    /// cni.with_trace_context(span).add(network, attachment).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_trace_context(&self, context: TraceContext) -> Self {
        Self { cni: self.cni.with_trace_context(context), calls: self.calls.clone() }
    }
}
