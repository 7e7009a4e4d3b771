//! GC: it removes everything that belongs to no attachment, and keeps everything else.

use crate::spec::{Command, ValidAttachment};

use crate::conformance::bench::Bench;
use crate::conformance::call::Call;
use crate::conformance::check::{Check, Group, Origin};
use crate::conformance::finding::{Step, Verdict, applies, expect, expect_none};

const SECTION: &str = "2.8 GC";

pub(in crate::conformance) const GROUP: Group = Group {
    title: "GC",
    checks: &[
        Check::must(701, SECTION, "GC succeeds where there is nothing to do", succeeds),
        Check::must(702, SECTION, "GC keeps what belongs to a valid attachment", keeps_valid),
        Check::should(703, SECTION, "GC removes what belongs to no valid attachment", removes_stale),
        Check::must(704, SECTION, "GC leaves other networks alone", keeps_other_networks),
        Check::must(705, SECTION, "GC without a list of valid attachments removes nothing", needs_a_list)
            .of(Origin::Ours),
        Check::must(706, SECTION, "GC is refused with code 1 before 1.1.0", is_refused_before).of(Origin::Go),
    ],
};

/// The call, with these attachments as the valid ones.
pub(super) fn call<'b>(bench: &'b Bench<'b>, valid: &[ValidAttachment]) -> Call<'b> {
    bench.call(Command::Gc).key("cni.dev/valid-attachments", valid).key("cni.dev/attachments", valid)
}

fn succeeds(bench: &Bench<'_>) -> Verdict {
    bench.needs_verb(Command::Gc)?;
    call(bench, &[]).run().succeeds()
}

/// Every trace of one attachment of a network is still there after a GC.
fn keeps(bench: &Bench<'_>, network: &str, collect: impl FnOnce(ValidAttachment) -> Verdict) -> Verdict {
    bench.needs_verb(Command::Gc)?;
    let container = bench.addable()?;
    container.call(Command::Add).key("name", network).run().succeeds().given()?;
    let before = container.state()?;
    collect(container.as_valid())?;
    let gone = before.since(&container.state()?);
    expect(gone.is_empty(), || format!("gone: {gone}"))
}

fn keeps_valid(bench: &Bench<'_>) -> Verdict {
    keeps(bench, &bench.subject.network, |valid| call(bench, &[valid]).run().succeeds().given())
}

fn keeps_other_networks(bench: &Bench<'_>) -> Verdict {
    keeps(bench, "another", |_| call(bench, &[]).run().succeeds().given())
}

fn needs_a_list(bench: &Bench<'_>) -> Verdict {
    // To refuse such a call removes nothing, either.
    keeps(bench, &bench.subject.network, |_| bench.call(Command::Gc).run().output().map(drop))
}

fn removes_stale(bench: &Bench<'_>) -> Verdict {
    bench.needs_verb(Command::Gc)?;
    bench.needs_several()?;
    let kept = bench.addable()?;
    kept.add().given()?;
    let before = bench.facts()?;
    let mut stale = bench.addable()?;
    stale.add().given()?;
    stale.lose_namespace();
    applies(bench.left_since(&before)?.is_some(), "nothing outlives the namespace")?;
    call(bench, &[kept.as_valid()]).run().succeeds()?;
    expect_none(bench.left_since(&before)?)
}

fn is_refused_before(bench: &Bench<'_>) -> Verdict {
    super::check::refused_in_old_versions(bench, Command::Gc)
}
