//! One thread that waits for all: for descriptors and for times.

use std::collections::{BTreeSet, HashMap};
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::Builder;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};

use super::{after, rounded_up};

/// How long the thread stays when nobody waits.
const IDLE: Duration = Duration::from_secs(1);
/// The number of what tells the thread of an earlier time. No wait gets that far.
const EARLIER: u64 = u64::MAX;
/// How many descriptors are heard of at once.
const BATCH: usize = 64;

/// Wakes those who wait.
#[derive(Debug)]
pub(super) struct Alarm {
    epoll: Epoll,
    earlier: EventFd,
    waits: Mutex<Waits>,
}

#[derive(Debug, Default)]
struct Waits {
    next: u64,
    /// Until when, and who is to be woken, by number; a wait that is over is not here any more.
    sleeping: HashMap<u64, (Instant, Option<Waker>)>,
    times: BTreeSet<(Instant, u64)>,
    has_thread: bool,
}

impl Waits {
    /// Ends a wait, and returns who is to be woken.
    fn end(&mut self, number: u64) -> Option<Waker> {
        let (until, waker) = self.sleeping.remove(&number)?;
        self.times.remove(&(until, number));
        waker
    }
}

impl Alarm {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let earlier = EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        epoll.add(&earlier, EpollEvent::new(EpollFlags::EPOLLIN, EARLIER))?;
        Ok(Self { epoll, earlier, waits: Mutex::default() })
    }

    /// Waits until a descriptor is ready, or the time is over.
    pub(super) async fn wait(self: Arc<Self>, fds: &[PollFd<'_>], longest: Duration) -> io::Result<()> {
        let wait = Wait::new(&self, fds, after(longest))?;
        poll_fn(|context| wait.poll(context)).await;
        Ok(())
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        // Nobody panics with the lock held, but if so, what is in there is still right.
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a wait its number, and makes sure that the thread knows of its time.
    fn begin(self: &Arc<Self>, until: Instant) -> io::Result<u64> {
        let mut waits = self.waits();
        if !waits.has_thread {
            let alarm = Arc::clone(self);
            Builder::new().name("libcni-waits".to_owned()).spawn(move || alarm.run())?;
            waits.has_thread = true;
        }
        let number = waits.next;
        waits.next += 1;
        let is_earliest = waits.times.first().is_none_or(|(first, _)| until < *first);
        waits.sleeping.insert(number, (until, None));
        waits.times.insert((until, number));
        drop(waits);
        if is_earliest {
            self.earlier.write(1)?;
        }
        Ok(number)
    }

    /// Waits for descriptors and times, and wakes, until nobody has waited for a while.
    fn run(&self) {
        let mut events = [EpollEvent::empty(); BATCH];
        let mut was_idle = false;
        while let Some(timeout) = self.time_to_wait(was_idle) {
            // Fails for nothing but a signal.
            let ready = self.epoll.wait(&mut events, rounded_up(timeout)).unwrap_or_default();
            was_idle = ready == 0;
            self.ring(&events[..ready]);
        }
    }

    /// How long until the next time; `None` when the thread is to end.
    fn time_to_wait(&self, was_idle: bool) -> Option<Duration> {
        let mut waits = self.waits();
        if was_idle && waits.sleeping.is_empty() {
            waits.has_thread = false;
            return None;
        }
        Some(waits.times.first().map_or(IDLE, |(first, _)| first.saturating_duration_since(Instant::now())))
    }

    fn ring(&self, events: &[EpollEvent]) {
        let mut woken = Vec::new();
        let mut waits = self.waits();
        for event in events {
            match event.data() {
                // One that can't be read is not ready.
                EARLIER => drop(self.earlier.read()),
                number => woken.extend(waits.end(number)),
            }
        }
        let now = Instant::now();
        while let Some((_, number)) = waits.times.first().copied().filter(|(time, _)| *time <= now) {
            woken.extend(waits.end(number));
        }
        drop(waits);
        woken.into_iter().for_each(Waker::wake);
    }
}

/// One wait, which the alarm knows of until it is dropped.
struct Wait<'a> {
    alarm: &'a Alarm,
    number: u64,
    watched: Vec<BorrowedFd<'a>>,
}

impl<'a> Wait<'a> {
    fn new(alarm: &'a Arc<Alarm>, fds: &'a [PollFd<'_>], until: Instant) -> io::Result<Self> {
        let number = alarm.begin(until)?;
        let mut wait = Self { alarm, number, watched: Vec::with_capacity(fds.len()) };
        for fd in fds {
            alarm.epoll.add(fd.as_fd(), EpollEvent::new(interest(fd.events()), number))?;
            wait.watched.push(fd.as_fd());
        }
        Ok(wait)
    }

    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        match self.alarm.waits().sleeping.get_mut(&self.number) {
            Some((_, waker)) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        for fd in &self.watched {
            // Fails for one that is not watched.
            let _ = self.alarm.epoll.delete(fd);
        }
        self.alarm.waits().end(self.number);
    }
}

/// Once: who is woken looks at the descriptors.
fn interest(events: PollFlags) -> EpollFlags {
    let mut interest = EpollFlags::EPOLLONESHOT;
    interest.set(EpollFlags::EPOLLIN, events.contains(PollFlags::POLLIN));
    interest.set(EpollFlags::EPOLLOUT, events.contains(PollFlags::POLLOUT));
    interest
}
