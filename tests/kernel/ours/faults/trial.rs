//! The faults of one verb, one after the other.

use std::any::Any;
use std::fs::OpenOptions;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::injected::{Fault, Run, is_wanted};

/// How many faults may be told of that were not survived: one that is not may be the reason for those after it.
const ENOUGH: usize = 8;

/// A verb that is tried.
pub(super) struct Trial<'a> {
    pub(super) name: &'a str,
    pub(super) verb: &'static str,
    /// What removes the remains of a fault that was not survived.
    pub(super) clean_up: &'a Run,
}

impl Trial<'_> {
    /// Tries each fault, goes on after one that was not survived, and tells of all of these.
    pub(super) fn each(&self, faults: &[Fault], survives: &dyn Fn(&Fault)) {
        let Self { name, verb, .. } = self;
        if !is_wanted(verb) {
            return;
        }
        let began = Instant::now();
        let mut stories = Vec::new();
        let mut tried = 0;
        for fault in faults {
            tried += 1;
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| survives(fault))) {
                stories.push(format!("{name} {verb} does not survive {fault:?}: {}", text(&*panic)));
                report(stories.last().unwrap());
                self.clean_up.plain();
            }
            if stories.len() == ENOUGH {
                break;
            }
        }
        let (lost, seconds) = (stories.len(), began.elapsed().as_secs());
        report(&format!(
            "{name} {verb}: {} of {tried} faults of {} survived, in {seconds} s",
            tried - lost,
            faults.len()
        ));
        assert!(stories.is_empty(), "{}", stories.join("\n\n"));
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    words.or_else(|| panic.downcast_ref().copied()).unwrap_or_default()
}

/// Tells `scripts/faults.sh`.
fn report(line: &str) {
    if let Some(path) = std::env::var_os("LIBCNI_FAULTS_LOG") {
        let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}
