//! Real plugins and a real kernel. Each test runs in a host of its own, made of namespaces, which needs root or
//! unprivileged user namespaces; where that or a program is missing, tests are reported as ignored with the reason.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test, in helpers too")]

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

#[cfg(feature = "cli")]
mod broken;
mod chain;
mod disk;
mod host;
mod identity;
mod namespaces;
mod ours;
mod ports;
#[cfg(feature = "cli")]
mod run;
mod single;
#[cfg(all(feature = "cli", feature = "tokio"))]
mod soak;
mod traffic;

type Test = (&'static str, fn(&host::Host));

/// Tests that need the same of the machine.
struct Suite {
    tests: &'static [&'static [Test]],
    /// What the machine lacks.
    missing: fn() -> Option<String>,
}

const SUITES: &[Suite] = &[
    Suite { tests: &[chain::TESTS, disk::TESTS, identity::TESTS, ports::TESTS, single::TESTS], missing: host::missing },
    Suite { tests: &[namespaces::TESTS], missing: || host::lacks_host("true") },
    Suite { tests: ours::TESTS, missing: ours::missing },
    Suite { tests: &[ours::programs::TESTS], missing: ours::programs::missing },
    Suite { tests: &[ours::vlan::TESTS], missing: ours::vlan::missing },
    Suite { tests: &[ours::settings::WITHOUT_VLANS], missing: || ours::missing().or_else(ours::vlan::there) },
    Suite { tests: &[ours::ports::WITH_SCTP], missing: || ours::missing().or_else(traffic::lacks_sctp) },
    Suite {
        tests: &[ours::faults::TESTS, ours::faults::UPDATES],
        missing: || ours::missing().or_else(ours::faults::missing),
    },
    Suite { tests: ours::WITH_GO, missing: || ours::missing().or_else(host::missing) },
    #[cfg(feature = "cli")]
    Suite { tests: &[run::TESTS, broken::TESTS], missing: ours::missing },
    #[cfg(all(feature = "cli", feature = "tokio"))]
    Suite { tests: &[soak::TESTS], missing: ours::missing },
    #[cfg(feature = "cli")]
    Suite { tests: &[run::AS_ORDINARY_USER], missing: run::no_ordinary_user },
];

fn main() -> ExitCode {
    if let Some(name) = host::asked_for() {
        let mut tests = SUITES.iter().flat_map(|suite| suite.tests.concat());
        let (_, test) = tests.find(|(other, _)| *other == name).expect("a test of that name");
        return host::run_inside(test);
    }
    let arguments = Arguments::from_args();
    // `--list --ignored` tells what this machine can't run.
    let only_list = arguments.list && !arguments.ignored;
    let trials = SUITES.iter().flat_map(|suite| trials(suite, only_list)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(suite: &Suite, only_list: bool) -> Vec<Trial> {
    let missing = if only_list { None } else { (suite.missing)() };
    let trial = |(name, _): Test| {
        let trial = Trial::test(name, move || host::run(name).map_err(Into::into));
        match &missing {
            Some(reason) => trial.with_kind(reason.clone()).with_ignored_flag(true),
            None => trial,
        }
    };
    suite.tests.concat().into_iter().map(trial).collect()
}
