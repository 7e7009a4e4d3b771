//! STATUS.

use crate::spec::{Command, ErrorCode};

use crate::conformance::bench::Bench;
use crate::conformance::check::{Check, Group, Origin};
use crate::conformance::finding::{Verdict, expect_none};

const SECTION: &str = "2.9 STATUS";

pub(in crate::conformance) const GROUP: Group = Group {
    title: "STATUS",
    checks: &[
        Check::must(801, SECTION, "STATUS succeeds, or fails with code 50 or 51", answers),
        Check::must(802, SECTION, "STATUS changes nothing", changes_nothing).of(Origin::Ours),
        Check::must(803, SECTION, "STATUS is refused with code 1 before 1.1.0", is_refused_before).of(Origin::Go),
    ],
};

fn answers(bench: &Bench<'_>) -> Verdict {
    bench.needs_verb(Command::Status)?;
    let answer = bench.call(Command::Status).run();
    match answer.error() {
        Some(_) => answer.is_refused_with(&[ErrorCode::NOT_AVAILABLE, ErrorCode::LIMITED_CONNECTIVITY]),
        None => answer.succeeds(),
    }
}

fn changes_nothing(bench: &Bench<'_>) -> Verdict {
    bench.needs_verb(Command::Status)?;
    let before = bench.state()?;
    bench.call(Command::Status).run();
    expect_none(bench.state()?.changes(&before))
}

fn is_refused_before(bench: &Bench<'_>) -> Verdict {
    super::check::refused_in_old_versions(bench, Command::Status)
}
