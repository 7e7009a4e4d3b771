//! Real plugins and a real kernel. Each test runs in a host of its own, made of namespaces, which needs root or
//! unprivileged user namespaces; where that or a program is missing, tests are reported as ignored with the reason.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test, in helpers too")]

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

mod chain;
mod disk;
mod host;
mod identity;
mod ports;
mod single;

type Test = (&'static str, fn(&host::Host));

fn main() -> ExitCode {
    let tests: Vec<Test> = [chain::TESTS, disk::TESTS, identity::TESTS, ports::TESTS, single::TESTS].concat();
    if let Some(name) = host::asked_for() {
        let (_, test) = tests.iter().find(|(other, _)| *other == name).expect("a test of that name");
        return host::run_inside(*test);
    }
    let arguments = Arguments::from_args();
    let missing = if arguments.list { None } else { host::missing() };
    let trial = |(name, _): &Test| {
        let name = *name;
        let trial = Trial::test(name, move || host::run(name).map_err(Into::into));
        match &missing {
            Some(reason) => trial.with_kind(reason.clone()).with_ignored_flag(true),
            None => trial,
        }
    };
    libtest_mimic::run(&arguments, tests.iter().map(trial).collect()).exit_code()
}
