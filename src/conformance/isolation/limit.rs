//! How many processes plugins may have, so that they leave the judge and its host some.

use std::fs;
use std::io;
use std::sync::{Mutex, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::filter;

/// How many more than run already: enough for plugins with threads, several at once.
const MORE: u64 = 512;

/// The executions that go on, and the limit that the judge has without them.
static LOWERED: Mutex<(usize, Option<Rlimit>)> = Mutex::new((0, None));

/// The judge's limit, lowered for the plugins that it starts meanwhile. Its own threads have to be there by then.
pub(in crate::conformance) struct Lowered;

impl Lowered {
    /// Lowers the limit, which programs that this thread starts from here on can't raise again.
    pub(in crate::conformance) fn for_programs_of_this_thread() -> io::Result<Self> {
        let mut lowered = LOWERED.lock().unwrap_or_else(PoisonError::into_inner);
        if lowered.0 == 0 {
            let own = getrlimit(Resource::Nproc);
            let low = running() + MORE;
            let current = Some(own.current.map_or(low, |current| current.min(low)));
            setrlimit(Resource::Nproc, Rlimit { current, ..own })?;
            lowered.1 = Some(own);
        }
        lowered.0 += 1;
        // Where there is no filter, the report says so.
        let _ = filter::keep_limit_of_processes();
        Ok(Self)
    }
}

impl Drop for Lowered {
    fn drop(&mut self) {
        let mut lowered = LOWERED.lock().unwrap_or_else(PoisonError::into_inner);
        lowered.0 -= 1;
        if lowered.0 == 0
            && let Some(own) = lowered.1.take()
        {
            // To raise it up to what it was is refused to nobody.
            let _ = setrlimit(Resource::Nproc, own);
        }
    }
}

/// The number of processes and threads on the machine. Kernels before 5.14 count those of the caller outside, too.
fn running() -> u64 {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let running = load.split_whitespace().nth(3).and_then(|field| field.split_once('/')?.1.parse().ok());
    running.unwrap_or_default()
}
