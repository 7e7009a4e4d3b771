//! Several containers at once.

use std::sync::Barrier;

use crate::conformance::answer::Answer;
use crate::conformance::bench::Bench;
use crate::conformance::check::{Check, Group};
use crate::conformance::container::{Container, shared_address};
use crate::conformance::finding::{Step, Verdict, expect_none};

const SECTION: &str = "3.1 Order, concurrency, and who cleans up";

pub(in crate::conformance) const GROUP: Group = Group {
    title: "Concurrency",
    checks: &[
        Check::must(1101, SECTION, "eight ADDs at once succeed, with different addresses", adds_at_once),
        Check::must(1102, SECTION, "eight DELs at once succeed, and leave nothing", deletes_at_once),
    ],
};

const AT_ONCE: usize = 8;

/// Containers, for a configuration that gives each an address of its own.
fn containers<'b>(bench: &'b Bench<'b>) -> Verdict<Vec<Container<'b>>> {
    bench.needs_different_addresses()?;
    (0..AT_ONCE).map(|_| bench.addable()).collect()
}

/// Does something for all containers at the same time.
fn at_once<T: Send>(containers: &[Container<'_>], work: impl Fn(usize, &Container<'_>) -> T + Sync) -> Vec<T> {
    // All threads are there before the first plugin is, which may take whatever processes there can be.
    let (work, all) = (&work, &Barrier::new(containers.len()));
    std::thread::scope(|scope| {
        let begin = |(i, container)| {
            scope.spawn(move || {
                all.wait();
                work(i, container)
            })
        };
        let started: Vec<_> = containers.iter().enumerate().map(begin).collect();
        started.into_iter().map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

fn adds_at_once(bench: &Bench<'_>) -> Verdict {
    let containers = containers(bench)?;
    let added = at_once(&containers, |_, container| container.add());
    let added = added.into_iter().collect::<Verdict<Vec<_>>>().when("one of eight at once")?;
    expect_none(shared_address(&added).map(|address| format!("several containers have got {address}")))
}

fn deletes_at_once(bench: &Bench<'_>) -> Verdict {
    let containers = containers(bench)?;
    let before = bench.facts()?;
    let added = containers.iter().map(Container::add).collect::<Verdict<Vec<_>>>().given()?;
    let answers = at_once(&containers, |i, container| container.del(Some(&added[i].result)));
    answers.iter().try_for_each(Answer::succeeds).when("one of eight at once")?;
    expect_none(bench.left_since(&before)?)
}
