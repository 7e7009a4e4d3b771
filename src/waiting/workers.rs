//! A few threads that go on with whatever does not wait.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};
use std::thread::Builder;
use std::time::Duration;

use nix::poll::PollFd;

use super::alarm::Alarm;
use super::apart::Apart;

/// How many threads are at work, besides those that are blocked by what is not this library's. More would wait for the
/// same disk.
const MOST: usize = 8;
/// How long a thread stays that has nothing to do.
const IDLE: Duration = Duration::from_secs(1);

thread_local! {
    /// The workers that this thread is one of, while it may be put to other work where it has to wait.
    static HERE: RefCell<Option<Workers>> = const { RefCell::new(None) };
}

/// The workers that this thread is one of.
pub(super) fn here() -> Option<Workers> {
    HERE.with_borrow(Clone::clone)
}

/// Threads that run futures. They are started when there is work, and end a second after the last of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workers(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    news: Condvar,
    alarm: Mutex<Option<Arc<Alarm>>>,
    apart: Mutex<Option<Arc<Apart>>>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Arc<Task>>,
    threads: usize,
    /// How many of the threads have nothing to do.
    idle: usize,
    /// How many of the threads are blocked.
    blocked: usize,
    /// How many futures have not ended.
    tasks: usize,
}

impl State {
    fn is_short_of_threads(&self) -> bool {
        self.queue.len() > self.idle && self.threads - self.blocked < MOST
    }
}

impl Workers {
    /// Runs a future to its end.
    ///
    /// # Errors
    /// The system has no thread left. The future does not run then.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(future);
        let task = Task { future: Mutex::new(Some(future)), is_queued: AtomicBool::new(true), workers: self.clone() };
        let mut state = self.state();
        state.queue.push_back(Arc::new(task));
        let started = self.staff(&mut state);
        if started.is_err() && state.threads == 0 {
            state.queue.pop_back();
            return started;
        }
        state.tasks += 1;
        self.0.news.notify_one();
        Ok(())
    }

    /// Waits as the alarm does.
    pub(super) async fn wait(&self, fds: &[PollFd<'_>], longest: Duration) -> io::Result<()> {
        self.alarm()?.wait(fds, longest).await
    }

    /// Runs a function apart, and waits for it.
    pub(super) fn apart<T: Send + 'static>(&self, function: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let mut apart = self.0.apart.lock().unwrap_or_else(PoisonError::into_inner);
        let there = match &*apart {
            Some(there) => Arc::clone(there),
            None => Arc::clone(apart.insert(Arc::new(Apart::new().ok()?))),
        };
        drop(apart);
        there.run(function)
    }

    fn alarm(&self) -> io::Result<Arc<Alarm>> {
        let mut alarm = self.0.alarm.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(alarm) = &*alarm {
            return Ok(Arc::clone(alarm));
        }
        Ok(Arc::clone(alarm.insert(Arc::new(Alarm::new()?))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nobody panics with the lock held, but if so, what is in there is still right.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a thread where there is more to do than threads that have nothing to do.
    fn staff(&self, state: &mut State) -> io::Result<()> {
        if state.is_short_of_threads() {
            let workers = self.clone();
            Builder::new().name("libcni-work".to_owned()).spawn(move || workers.work())?;
            state.threads += 1;
        }
        Ok(())
    }

    fn work(&self) {
        HERE.set(Some(self.clone()));
        while let Some(task) = self.next() {
            task.run();
        }
    }

    /// The next thing to do; `None` when the thread is to end.
    fn next(&self) -> Option<Arc<Task>> {
        let mut state = self.state();
        loop {
            // Those that were blocked may have come back all at once.
            if state.threads - state.blocked > MOST {
                state.threads -= 1;
                self.0.news.notify_one();
                return None;
            }
            if let Some(task) = state.queue.pop_front() {
                return Some(task);
            }
            state.idle += 1;
            let (woken, waited) = self.0.news.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            // The last one stays as long as it may be needed: later there may be no other to be had.
            if waited.timed_out() && state.queue.is_empty() && (state.tasks == 0 || state.threads > 1) {
                state.threads -= 1;
                if state.threads == 0 {
                    *self.0.apart.lock().unwrap_or_else(PoisonError::into_inner) = None;
                }
                return None;
            }
        }
    }
}

/// A future, and who runs it.
struct Task {
    /// `None` once it has ended.
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    is_queued: AtomicBool,
    workers: Workers,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Task")
    }
}

impl Task {
    fn run(self: Arc<Self>) {
        self.is_queued.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(&self));
        let mut future = self.future.lock().unwrap_or_else(PoisonError::into_inner);
        let polled = future.as_mut().map(|future| future.as_mut().poll(&mut Context::from_waker(&waker)));
        if polled.is_some_and(|polled| polled.is_ready()) {
            *future = None;
            self.workers.state().tasks -= 1;
        }
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if self.is_queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let workers = self.workers.clone();
        let mut state = workers.state();
        state.queue.push_back(self);
        // Where there is no further thread to be had, those that are there do it.
        let _ = workers.staff(&mut state);
        workers.0.news.notify_one();
    }
}

/// While it is there, waits block this thread.
pub(super) struct Outside(Option<Workers>);

impl Outside {
    pub(super) fn new() -> Self {
        Self(HERE.take())
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        HERE.set(self.0.take());
    }
}

/// A worker that is blocked, so that it counts for none.
pub(super) struct Blocked(Outside);

impl Blocked {
    pub(super) fn new() -> Self {
        let outside = Outside::new();
        if let Some(workers) = &outside.0 {
            let mut state = workers.state();
            state.blocked += 1;
            // Where there is no further thread to be had, those that are there do it.
            let _ = workers.staff(&mut state);
        }
        Self(outside)
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        if let Some(workers) = &self.0.0 {
            workers.state().blocked -= 1;
        }
    }
}
