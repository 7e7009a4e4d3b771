//! The times to look at the directories, and to accept a file that can't be read.

use std::time::{Duration, Instant};

use crate::setters::setters;

/// How quickly changes are delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pace {
    /// How long nothing more must have changed before a change is looked at.
    pub quiet: Duration,
    /// How long at most a change waits while further changes go on.
    pub longest: Duration,
    /// How long the writer of a file that has become unreadable has to finish it, before it is delivered as broken.
    pub patience: Duration,
    /// How often everything is looked at, for changes that the kernel does not report: those that another host makes on
    /// a network file system, and mounts over a directory.
    pub rescan: Duration,
}

setters! {
    Pace {
        quiet: Duration,
        longest: Duration,
        patience: Duration,
        rescan: Duration,
    }
}

/// 100 ms of quiet, 1 second at the longest, 2 seconds for whoever writes a file, and a look every minute.
impl Default for Pace {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(100),
            longest: Duration::from_secs(1),
            patience: Duration::from_secs(2),
            rescan: Duration::from_secs(60),
        }
    }
}

/// How often everything is looked at, when not everything can be watched.
const RESCAN_INCOMPLETE: Duration = Duration::from_secs(2);
/// As good as never.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// When to look next.
#[derive(Debug)]
pub(super) struct Schedule {
    pub(super) pace: Pace,
    /// When the first and the last change since the last look were reported.
    reported: Option<(Instant, Instant)>,
    /// Since when something is seen that is not believed.
    doubted: Option<Instant>,
    rescan: Instant,
}

impl Schedule {
    /// The first look is due at once.
    pub(super) fn new(now: Instant) -> Self {
        Self { pace: Pace::default(), reported: None, doubted: None, rescan: now }
    }

    /// A change was reported.
    pub(super) fn reported(&mut self, now: Instant) {
        let first = self.reported.map_or(now, |(first, _)| first);
        self.reported = Some((first, now));
    }

    /// When to look next.
    pub(super) fn next_look(&self) -> Instant {
        let report = self.reported.map(|(first, last)| {
            let quiet = later(last, self.pace.quiet);
            quiet.min(later(first, self.pace.longest))
        });
        let doubt = self.doubted.map(|since| later(since, self.pace.patience));
        [report, doubt].into_iter().flatten().fold(self.rescan, Instant::min)
    }

    /// Everything that was reported was looked at.
    pub(super) fn looked(&mut self, now: Instant, all_is_watched: bool) {
        self.reported = None;
        let pause = if all_is_watched { self.pace.rescan } else { self.pace.rescan.min(RESCAN_INCOMPLETE) };
        self.rescan = later(now, pause);
    }

    /// Notes that the state looks unfinished; returns whether it has done so for long enough to be believed.
    pub(super) fn doubt(&mut self, now: Instant) -> bool {
        let since = *self.doubted.get_or_insert(now);
        now >= later(since, self.pace.patience)
    }

    pub(super) fn believe(&mut self) {
        self.doubted = None;
    }
}

fn later(instant: Instant, time: Duration) -> Instant {
    instant + time.min(YEAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A schedule whose first look was at the time given with it, and a way to name times after that.
    fn looked() -> (Schedule, impl Fn(u64) -> Instant) {
        let began = Instant::now();
        let mut schedule = Schedule::new(began);
        assert_eq!(schedule.next_look(), began);
        schedule.looked(began, true);
        (schedule, move |milliseconds| began + Duration::from_millis(milliseconds))
    }

    #[test]
    fn a_change_is_looked_at_when_all_is_quiet() {
        let (mut schedule, at) = looked();
        schedule.reported(at(0));
        schedule.reported(at(50));
        assert_eq!(schedule.next_look(), at(150));
        schedule.looked(at(150), true);
        assert_eq!(schedule.next_look(), at(60_150));
    }

    #[test]
    fn changes_without_end_are_looked_at_all_the_same() {
        let (mut schedule, at) = looked();
        (0..100).for_each(|n| schedule.reported(at(n * 50)));
        assert_eq!(schedule.next_look(), at(1000));
    }

    #[test]
    fn what_is_doubted_is_believed_in_the_end() {
        let (mut schedule, at) = looked();
        assert!(!schedule.doubt(at(0)));
        assert_eq!(schedule.next_look(), at(2000));
        assert!(!schedule.doubt(at(1999)));
        assert!(schedule.doubt(at(2000)));
        schedule.believe();
        assert_eq!(schedule.next_look(), at(60_000));
    }

    #[test]
    fn everything_is_looked_at_more_often_when_it_can_not_be_watched() {
        let (mut schedule, at) = looked();
        schedule.looked(at(0), false);
        assert_eq!(schedule.next_look(), at(2000));
    }

    #[test]
    fn never_is_a_pace() {
        let (mut schedule, at) = looked();
        schedule.pace.rescan = Duration::MAX;
        schedule.looked(at(0), true);
        assert!(schedule.next_look() > at(86_400_000));
    }
}
