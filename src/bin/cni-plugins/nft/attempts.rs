//! Attempts that others spoil by changing rules meanwhile, and how long to wait before the next one.
//!
//! `iptables` tries again at once, as often as it takes. With fifty plugins at once that is fifty that keep each other
//! from getting on: of all that read the rules, one changes them, and the others have read for nothing. So whoever was
//! disturbed waits for a random time, as senders on a shared wire do, longer each time.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use libcni::plugin::Answer;

use super::error::{Error, unless_unavailable};

/// How long others may keep us from reading or changing rules by changing them: half of the time that kubelet gives
/// its runtime.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the kernel may refuse what it seems to have. It begins a new generation a moment before lists show it.
const STALE_PATIENCE: Duration = Duration::from_secs(2);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// True once others spoiled an attempt of this process.
static DISTURBED: AtomicBool = AtomicBool::new(false);

/// Returns true if others spoiled an attempt of this process: they may be about to change rules now.
pub(super) fn were_disturbed() -> bool {
    DISTURBED.load(Ordering::Relaxed)
}

/// The attempts at one thing.
#[derive(Debug)]
pub(super) struct Attempts {
    deadline: Instant,
    /// The time by which the kernel must stop to refuse what it seems to have, if it began to.
    stale_deadline: Option<Instant>,
    /// When the present attempt began.
    began: Instant,
    /// The longest that the last pause could have been.
    window: Duration,
}

impl Attempts {
    /// Begins the first one.
    pub(super) fn begin() -> Self {
        let began = Instant::now();
        Self { deadline: began + PATIENCE, stale_deadline: None, began, window: Duration::ZERO }
    }

    /// Returns true if what the last attempt read was not what the kernel has.
    pub(super) fn are_stale(&self) -> bool {
        self.stale_deadline.is_some()
    }

    /// Waits before the next attempt, if the last one was disturbed.
    ///
    /// # Errors
    /// The error of an attempt that was not disturbed, or one that says for how long the attempts were.
    pub(super) fn pause_after(&mut self, error: Error) -> Result<(), Error> {
        let now = Instant::now();
        self.expect_another(error, now)?;
        DISTURBED.store(true, Ordering::Relaxed);
        self.window = next_window(self.window, now - self.began);
        sleep(self.window.mul_f64(random()));
        self.began = Instant::now();
        Ok(())
    }

    fn expect_another(&mut self, error: Error, now: Instant) -> Result<(), Error> {
        match error {
            Error::Stale { .. } if now > *self.stale_deadline.get_or_insert(now + STALE_PATIENCE) => Err(error),
            Error::Stale { .. } => Ok(()),
            error if !error.is_interruption() => Err(error),
            _ if now > self.deadline => Err(Error::Disturbed { patience: PATIENCE }),
            _ => {
                self.stale_deadline = None;
                Ok(())
            }
        }
    }
}

/// Makes attempts until one is not disturbed.
///
/// # Errors
/// See [`Attempts::pause_after`].
pub(super) fn until_undisturbed<T>(mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut attempts = Attempts::begin();
    loop {
        match attempt() {
            Err(error) => attempts.pause_after(error)?,
            done => return done,
        }
    }
}

/// Reads rules of anybody; `None` where the kernel has no nf_tables.
pub(crate) fn read_if_available<T>(read: impl FnMut() -> Result<T, Error>) -> Answer<Option<T>> {
    unless_unavailable(until_undisturbed(read)).map_err(Error::into_failure)
}

/// Doubles the longest pause, and gives each of a few others the time for an attempt to begin with.
fn next_window(window: Duration, attempt: Duration) -> Duration {
    (window * 2).max(attempt * 4).min(LONGEST_PAUSE)
}

/// A number from 0 to 1, another one in each process and each time.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(());
    f64::from((bits >> 32) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use libcni::spec::ErrorCode;
    use nix::errno::Errno;

    use super::*;

    fn disturbed() -> Error {
        Error::Refused { doing: "list the rules".to_owned(), source: Errno::EINTR }
    }

    fn stale() -> Error {
        Error::Stale { doing: "delete a chain".to_owned(), source: Errno::EBUSY }
    }

    #[test]
    fn the_longest_pause_grows_from_the_time_of_an_attempt_to_a_bound() {
        let mut windows = vec![next_window(Duration::ZERO, Duration::from_millis(1))];
        for _ in 0..9 {
            windows.push(next_window(windows[windows.len() - 1], Duration::from_millis(1)));
        }
        assert_eq!(
            windows.iter().map(Duration::as_millis).collect::<Vec<_>>(),
            [4, 8, 16, 32, 64, 128, 256, 500, 500, 500]
        );
        assert_eq!(next_window(Duration::ZERO, Duration::from_secs(9)), LONGEST_PAUSE);
    }

    #[test]
    fn pauses_differ() {
        let numbers: Vec<_> = (0..9).map(|_| random()).collect();
        assert!(numbers.iter().all(|number| (0.0..=1.0).contains(number)), "{numbers:?}");
        assert!(numbers.iter().any(|number| *number != numbers[0]), "{numbers:?}");
    }

    #[test]
    fn an_attempt_that_was_disturbed_is_made_again() {
        let mut errors = vec![disturbed(), stale(), disturbed()];
        assert_eq!(until_undisturbed(|| errors.pop().map_or(Ok(7), Err)).unwrap(), 7);
        assert!(were_disturbed());
    }

    #[test]
    fn another_error_ends_the_attempts_at_once() {
        let mut count = 0;
        let error = until_undisturbed(|| -> Result<(), _> {
            count += 1;
            Err(Error::Refused { doing: String::new(), source: Errno::EPERM })
        });
        assert_eq!((error.unwrap_err().errno(), count), (Some(Errno::EPERM), 1));
    }

    #[test]
    fn who_was_disturbed_for_too_long_is_told_so_and_may_try_again_later() {
        let mut attempts = Attempts::begin();
        let late = attempts.deadline + Duration::from_millis(1);
        let reply = attempts.expect_another(disturbed(), late).unwrap_err().into_failure().into_reply();
        assert_eq!(reply.code, ErrorCode::TRY_AGAIN_LATER);
        assert_eq!(reply.msg, "other programs kept changing nf_tables rules for 60 seconds: nothing was changed");
    }

    #[test]
    fn what_the_kernel_goes_on_to_refuse_is_told_soon() {
        let mut attempts = Attempts::begin();
        let start = attempts.began;
        attempts.expect_another(stale(), start).unwrap();
        assert!(attempts.are_stale());
        let error = attempts.expect_another(stale(), start + STALE_PATIENCE + Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::EBUSY));
    }

    #[test]
    fn a_disturbance_begins_the_time_for_refusals_anew() {
        let mut attempts = Attempts::begin();
        let start = attempts.began;
        attempts.expect_another(stale(), start).unwrap();
        attempts.expect_another(disturbed(), start + STALE_PATIENCE).unwrap();
        assert!(!attempts.are_stale());
        attempts.expect_another(stale(), start + STALE_PATIENCE * 2).unwrap();
    }
}
