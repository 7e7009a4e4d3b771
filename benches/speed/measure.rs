//! Times of two things that do the same, measured in turn, so that whatever else the machine does meets both.

use std::time::{Duration, Instant};

/// How long something took, and what it is compared with.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) floor: Duration,
    pub(crate) ours: Duration,
}

impl Pair {
    pub(crate) fn ratio(&self) -> f64 {
        self.ours.as_secs_f64() / self.floor.as_secs_f64()
    }
}

/// How long something takes.
pub(crate) fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// The medians of so many rounds, in each of which both take place, in alternating order.
pub(crate) fn compare(rounds: usize, mut floor: impl FnMut() -> Duration, mut ours: impl FnMut() -> Duration) -> Pair {
    let (mut floors, mut all_ours) = (Vec::new(), Vec::new());
    // The first round fills caches, and is not counted.
    for round in 0..=rounds {
        let times = match round % 2 {
            0 => (floor(), ours()),
            _ => {
                let ours = ours();
                (floor(), ours)
            }
        };
        if round > 0 {
            floors.push(times.0);
            all_ours.push(times.1);
        }
    }
    Pair { floor: median(floors), ours: median(all_ours) }
}

pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
