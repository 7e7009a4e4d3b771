//! VERSION.

use crate::Chain;
use crate::spec::{Command, Version, VersionReply};

use crate::conformance::answer::Answer;
use crate::conformance::bench::Bench;
use crate::conformance::check::{Check, Group, Origin};
use crate::conformance::finding::{Step, Verdict, applies, deviation, expect, expect_none};

const SECTION: &str = "2.10 VERSION";

pub(in crate::conformance) const GROUP: Group = Group {
    title: "VERSION",
    checks: &[
        Check::must(101, SECTION, "VERSION answers with `cniVersion` and `supportedVersions`", answers),
        Check::must(102, SECTION, "every supported version is a version, and at least one is known", names_versions),
        Check::should(103, SECTION, "VERSION needs no variable but CNI_COMMAND", needs_no_variable),
        Check::should(104, SECTION, "VERSION needs nothing on stdin", needs_no_stdin).of(Origin::Go),
    ],
};

fn reply(answer: &Answer) -> Verdict<VersionReply> {
    let predates = answer.error().is_some_and(|error| error.msg == "unknown CNI_COMMAND: VERSION");
    applies(!predates, "the plugin is from before VERSION")?;
    let reply = VersionReply::parse(&answer.document()?.to_string());
    reply.map_err(|error| deviation(format!("{answer}: {}", Chain(&error))))
}

fn answers(bench: &Bench<'_>) -> Verdict {
    reply(&bench.call(Command::Version).stdin(r#"{"cniVersion":"1.1.0"}"#).run()).map(drop)
}

fn names_versions(bench: &Bench<'_>) -> Verdict {
    let reply = reply(&bench.call(Command::Version).run()).given()?;
    let is_version = |text: &&String| !text.is_empty() && text.parse::<Version>().is_ok();
    let odd = [&reply.cni_version].into_iter().chain(&reply.supported_versions).find(|text| !is_version(text));
    expect_none(odd.map(|odd| format!("{odd:?} is not a version: it needs one to three numbers separated by dots")))?;
    let is_known = |text: &String| Version::ALL.iter().any(|version| version.as_str() == text);
    let supported = &reply.supported_versions;
    expect(supported.iter().any(is_known), || format!("none of {supported:?} is a version of the specification"))
}

/// The call is answered as the usual one is.
fn same_as_usual(bench: &Bench<'_>, answer: &Answer) -> Verdict {
    let usual = reply(&bench.call(Command::Version).run()).given()?;
    let reply = reply(answer)?;
    expect(reply == usual, || format!("{reply:?} is not the usual answer {usual:?}"))
}

fn needs_no_variable(bench: &Bench<'_>) -> Verdict {
    same_as_usual(bench, &bench.call(Command::Version).with_verb_only().run())
}

fn needs_no_stdin(bench: &Bench<'_>) -> Verdict {
    same_as_usual(bench, &bench.call(Command::Version).stdin("").run())
}
