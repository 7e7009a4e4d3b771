//! `cnitool conformance` on plugins that have one fault each, on our own plugins, and on Debian's. The tool makes
//! namespaces of its own, which needs root or unprivileged user namespaces; where it can't, tests are reported as
//! ignored with the reason.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test, in helpers too")]

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

mod chained;
mod example;
mod faults;
mod hostile;
mod plugins;
mod report;
mod tool;

use self::tool::Caller;

type Test = (String, Box<dyn FnOnce() + Send>);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most of the time the kernel is waited for.
    arguments.test_threads = arguments.test_threads.or(Some(8));
    let [missing, no_ordinary_user] =
        [Caller::Own, Caller::Ordinary].map(|caller| if arguments.list { None } else { tool::missing(caller) });
    let trial = |(name, test): Test| {
        let missing = if name.starts_with("hostile::ordinary") { &no_ordinary_user } else { &missing };
        let trial = Trial::test(name, move || {
            test();
            Ok(())
        });
        match missing {
            Some(reason) => trial.with_kind(reason.clone()).with_ignored_flag(true),
            None => trial,
        }
    };
    let tests = faults::tests()
        .into_iter()
        .chain(chained::tests())
        .chain(example::tests())
        .chain(hostile::tests())
        .chain(plugins::tests())
        .chain(report::tests());
    libtest_mimic::run(&arguments, tests.map(trial).collect()).exit_code()
}
