//! The output on stdout, and the exit status.

use crate::spec::{CNI_COMMAND, CNI_IFNAME, Command};
use serde_json::Value;

use crate::conformance::answer::{Answer, quote};
use crate::conformance::bench::Bench;
use crate::conformance::call::Call;
use crate::conformance::check::{Check, Group, Origin};
use crate::conformance::finding::{Step, Verdict, applies, deviation, expect, expect_none};
use crate::conformance::processes::orphans;

const STREAMS: &str = "2.4 stdout, stderr, exit status";
const ERRORS: &str = "5.4 Errors";

pub(in crate::conformance) const GROUP: Group = Group {
    title: "Output",
    checks: &[
        Check::must(
            901,
            STREAMS,
            "the answer to ADD is one JSON object, and nothing else is on stdout",
            answers_one_object,
        ),
        Check::must(
            902,
            ERRORS,
            "an error is a JSON object with a number `code` and a string `msg`",
            fails_with_objects,
        ),
        Check::should(903, ERRORS, "an error says its `cniVersion`", errors_have_versions),
        Check::must(904, STREAMS, "the exit status is 0 after success, and only then", exits_as_it_says),
        Check::should(905, STREAMS, "verbs without an answer print nothing", prints_nothing).of(Origin::Ours),
        Check::must(906, STREAMS, "nothing that it leaves behind holds its stdout or stderr", leaves_pipes_alone)
            .of(Origin::Ours),
    ],
};

fn answers_one_object(bench: &Bench<'_>) -> Verdict {
    let answer = bench.addable()?.call(Command::Add).run();
    answer.succeeds().given()?;
    answer.document().map(drop)
}

/// Calls that fail in every plugin, for reasons of several layers.
fn failures(bench: &Bench<'_>) -> Verdict<Vec<Answer>> {
    let container = bench.container()?;
    let add = || container.call(Command::Add);
    let calls = [
        add().with(CNI_COMMAND, "PLUG"),
        add().without(CNI_IFNAME),
        add().stdin("{"),
        add().no_key("name"),
        add().key("cniVersion", "99.0.0"),
    ];
    let failed: Vec<_> = calls.into_iter().map(Call::run).filter(|answer| answer.is_refused().is_ok()).collect();
    applies(!failed.is_empty(), "the plugin can't be made to fail")?;
    Ok(failed)
}

fn fails_with_objects(bench: &Bench<'_>) -> Verdict {
    failures(bench)?.iter().try_for_each(is_error_object)
}

fn is_error_object(answer: &Answer) -> Verdict {
    let stdout = &answer.output()?.stdout;
    let object = serde_json::from_slice::<Value>(stdout);
    let object = object.map_err(|error| deviation(format!("{answer}, which is not one JSON object: {error}")))?;
    let wrong = |what: &str| format!("{}: {what}", quote(stdout));
    expect(object["code"].as_u64().is_some_and(|code| code > 0), || wrong("`code` is not a positive number"))?;
    expect(object["msg"].as_str().is_some_and(|msg| !msg.is_empty()), || wrong("`msg` is not a text"))?;
    expect(object.get("details").is_none_or(Value::is_string), || wrong("`details` is not a text"))
}

fn errors_have_versions(bench: &Bench<'_>) -> Verdict {
    let failures = failures(bench)?;
    failures.iter().try_for_each(is_error_object).given()?;
    let lacks = |answer: &&Answer| answer.error().is_some_and(|error| error.cni_version.is_none());
    expect_none(failures.iter().find(lacks).map(|answer| format!("{answer}, without `cniVersion`")))
}

fn exits_as_it_says(bench: &Bench<'_>) -> Verdict {
    let contradicts = |answer: &&Answer| answer.output().is_ok_and(|output| output.status.success());
    expect_none(failures(bench)?.iter().find(contradicts).map(ToString::to_string))
}

fn prints_nothing(bench: &Bench<'_>) -> Verdict {
    let container = bench.addable()?;
    let added = container.add().given()?;
    let mut answers = Vec::new();
    if bench.needs_verb(Command::Check).is_ok() {
        answers.push(container.check(&added.result));
    }
    if bench.needs_verb(Command::Gc).is_ok() {
        answers.push(super::gc::call(bench, &[container.as_valid()]).run());
        answers.push(bench.call(Command::Status).run());
    }
    answers.push(container.del(Some(&added.result)));
    let answers = answers.iter().filter(|answer| answer.succeeds().is_ok());
    let mut loud = answers.filter(|answer| answer.output().is_ok_and(|output| !output.stdout.is_empty()));
    expect_none(loud.next().map(ToString::to_string))
}

fn leaves_pipes_alone(bench: &Bench<'_>) -> Verdict {
    let container = bench.addable()?;
    let added = container.add().given()?;
    no_holder("ADD")?;
    container.del(Some(&added.result)).succeeds().given()?;
    no_holder("DEL")
}

fn no_holder(verb: &str) -> Verdict {
    let orphans = orphans();
    let holder = orphans.iter().find(|orphan| orphan.holds_output);
    expect_none(holder.map(|orphan| {
        let command = &orphan.command;
        format!("{verb} leaves a process `{command}` behind that holds its stdout or stderr: many runtimes wait for it")
    }))
}
