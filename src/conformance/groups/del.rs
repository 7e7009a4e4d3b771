//! DEL: it removes everything that is left, whatever is missing.

use crate::result::AddResult;
use crate::spec::{CNI_NETNS, Command, ErrorCode, ErrorReply};

use crate::conformance::bench::Bench;
use crate::conformance::call::Call;
use crate::conformance::check::{Check, Group, Origin};
use crate::conformance::container::Container;
use crate::conformance::facts::Facts;
use crate::conformance::finding::{Finding, Step, Verdict, applies, expect_none};
use crate::conformance::ipam::Ipam;

const SECTION: &str = "2.6 DEL";

pub(in crate::conformance) const GROUP: Group = Group {
    title: "DEL",
    checks: &[
        Check::must(501, SECTION, "DEL succeeds after ADD", succeeds),
        Check::must(502, SECTION, "DEL leaves nothing of what ADD made", leaves_nothing),
        Check::must(503, SECTION, "DEL succeeds a second time", succeeds_twice),
        Check::must(504, SECTION, "DEL succeeds where ADD never ran", succeeds_without_add),
        Check::must(505, SECTION, "DEL without a previous result succeeds, and leaves nothing", needs_no_result),
        Check::must(
            506,
            SECTION,
            "DEL with an empty CNI_NETNS, the namespace gone, succeeds, and leaves nothing",
            needs_no_netns,
        ),
        Check::must(
            507,
            SECTION,
            "DEL for a namespace that no longer exists succeeds, and leaves nothing",
            needs_no_namespace,
        ),
        Check::must(508, SECTION, "DEL after an ADD that failed succeeds, and leaves nothing", cleans_up_after_failure),
        Check::should(
            509,
            SECTION,
            "DEL after an ADD that was killed half-way succeeds, and leaves nothing",
            cleans_up_after_kill,
        )
        .of(Origin::Ours),
        Check::must(510, SECTION, "DEL leaves other attachments alone", leaves_others_alone),
        Check::must(511, SECTION, "ADD succeeds again after DEL", can_be_added_again),
        Check::must(512, SECTION, "ADD and DEL succeed in every other supported version", lives_in_every_version),
    ],
};

fn succeeds(bench: &Bench<'_>) -> Verdict {
    let container = bench.addable()?;
    let added = container.add().given()?;
    container.del(Some(&added.result)).succeeds()
}

fn succeeds_twice(bench: &Bench<'_>) -> Verdict {
    let container = bench.addable()?;
    let added = container.add().given()?;
    container.del(Some(&added.result)).succeeds().given()?;
    container.del(Some(&added.result)).succeeds().when("the second time")
}

fn succeeds_without_add(bench: &Bench<'_>) -> Verdict {
    bench.container()?.del(None).succeeds()
}

/// Adds an attachment and removes it in some way: nothing of it must be left.
fn is_taken_back(bench: &Bench<'_>, take_back: impl FnOnce(&mut Container<'_>, &AddResult) -> Verdict) -> Verdict {
    bench.warmed_up()?;
    let mut container = bench.addable()?;
    let (inside, outside) = (container.view()?.facts(), bench.facts()?);
    let added = container.add().given()?;
    take_back(&mut container, &added.result)?;
    is_as_before(&container, &inside, &outside)
}

fn is_as_before(container: &Container<'_>, inside: &Facts, outside: &Facts) -> Verdict {
    if container.has_namespace() {
        let changes = container.view()?.facts().changes(inside);
        expect_none(changes.map(|changes| format!("the container is not as it was before ADD; {changes}")))?;
    }
    expect_none(container.bench.left_since(outside)?)
}

fn leaves_nothing(bench: &Bench<'_>) -> Verdict {
    is_taken_back(bench, |container, result| container.del(Some(result)).succeeds().given())
}

fn needs_no_result(bench: &Bench<'_>) -> Verdict {
    is_taken_back(bench, |container, _| container.del(None).succeeds())
}

fn needs_no_netns(bench: &Bench<'_>) -> Verdict {
    is_taken_back(bench, |container, result| {
        container.lose_namespace();
        container.del_call(Some(result)).with(CNI_NETNS, "").run().succeeds()
    })
}

fn needs_no_namespace(bench: &Bench<'_>) -> Verdict {
    is_taken_back(bench, |container, result| {
        container.lose_namespace();
        container.del(Some(result)).succeeds()
    })
}

/// Nothing is left of an ADD that did not succeed, after DEL.
fn is_cleaned_up(container: &Container<'_>, add: Call<'_>, del: Call<'_>) -> Verdict {
    let (inside, outside) = (container.view()?.facts(), container.bench.facts()?);
    applies(add.run().result().is_err(), "the ADD that was to fail has succeeded")?;
    del.run().succeeds()?;
    is_as_before(container, &inside, &outside)
}

fn cleans_up_after_failure(bench: &Bench<'_>) -> Verdict {
    let ipam = Ipam::install(bench)?;
    bench.warmed_up()?;
    ipam.refuses(Command::Add, ErrorReply::new(ErrorCode(123), "no address is left"))?;
    let container = bench.addable()?;
    is_cleaned_up(&container, ipam.on(container.call(Command::Add)), ipam.on(container.del_call(None)))
}

/// At which parts of the time that it takes ADD is killed.
const KILLED_AT: [f64; 5] = [0.2, 0.4, 0.6, 0.8, 0.95];

fn cleans_up_after_kill(bench: &Bench<'_>) -> Verdict {
    bench.warmed_up()?;
    KILLED_AT.into_iter().try_for_each(|part| {
        let container = bench.addable()?;
        let time = bench.profile.add_takes.mul_f64(part);
        let add = container.call(Command::Add).killed_after(time);
        match is_cleaned_up(&container, add, container.del_call(None)) {
            // It was faster than the time before.
            Err(Finding::NotApplicable(_)) => Ok(()),
            checked => checked.when(&format!("killed after {time:.1?}")),
        }
    })
}

fn leaves_others_alone(bench: &Bench<'_>) -> Verdict {
    bench.needs_several()?;
    let (one, other) = (bench.addable()?, bench.addable()?);
    one.add().given()?;
    let second = other.add().given()?;
    let before = one.view()?.facts();
    other.del(Some(&second.result)).succeeds().given()?;
    let changes = one.view()?.facts().changes(&before);
    expect_none(changes.map(|changes| format!("another container has changed; {changes}")))
}

fn can_be_added_again(bench: &Bench<'_>) -> Verdict {
    let container = bench.addable()?;
    let added = container.add().given()?;
    container.del(Some(&added.result)).succeeds().given()?;
    container.call(Command::Add).run().succeeds().when("after DEL")
}

fn lives_in_every_version(bench: &Bench<'_>) -> Verdict {
    bench.needs_add()?;
    // In the usual one, other checks do the same.
    let mut others = bench.profile.versions_for_attachments().filter(|version| *version != bench.version());
    others.try_for_each(|version| {
        let container = bench.container_at(version)?;
        let answer = container.call(Command::Add).run();
        answer.succeeds().when(&format!("in {version}"))?;
        container.del(answer.result().ok().as_ref()).succeeds().when(&format!("in {version}"))
    })
}
