//! The delegation to the IPAM plugin.

use crate::result::v100::Body;
use crate::spec::{CNI_COMMAND, CNI_NETNS, Command, ErrorCode, ErrorReply};
use serde_json::Value;

use crate::conformance::answer::Answer;
use crate::conformance::bench::Bench;
use crate::conformance::check::{Check, Group, Origin};
use crate::conformance::finding::{Step, Verdict, applies, deviation, expect, expect_none};
use crate::conformance::ipam::{Ipam, SAID};

const SECTION: &str = "4 Delegation";

pub(in crate::conformance) const GROUP: Group = Group {
    title: "Delegation",
    checks: &[
        Check::must(
            1001,
            SECTION,
            "the IPAM plugin gets the plugin's own environment and configuration",
            gets_the_same,
        ),
        Check::must(1002, SECTION, "every verb is passed on", hands_on_verbs),
        Check::must(1003, SECTION, "the IPAM plugin's error is passed on with its code", hands_on_errors)
            .of(Origin::Go),
        Check::must(1004, SECTION, "the IPAM plugin gets DEL when the rest of ADD fails", takes_back_addresses)
            .of(Origin::Go),
        Check::must(1005, SECTION, "the IPAM plugin gets DEL even when the namespace is gone", hands_on_late_del),
        Check::should(1006, SECTION, "the IPAM plugin's stderr is passed on", passes_stderr_on),
        Check::must(1007, "2.9 STATUS", "STATUS fails when the IPAM plugin's does", hands_on_status),
    ],
};

fn gets_the_same(bench: &Bench<'_>) -> Verdict {
    let ipam = Ipam::install(bench)?;
    let answer = ipam.on(bench.container()?.call(Command::Add)).run();
    answer.succeeds().given()?;
    let calls = ipam.calls(Command::Add)?;
    let [call] = &calls[..] else {
        return Err(deviation(format!("ADD has run the IPAM plugin with ADD {} times", calls.len())));
    };
    let sent = answer.request.env.iter().map(|(name, value)| format!("{}={}", name.display(), value.display()));
    let mut lost = sent.filter(|pair| pair.starts_with("CNI_") && !call.variables.contains(pair));
    expect_none(lost.next().map(|pair| format!("it is run without {pair}, but with {:?}", call.variables)))?;
    let json = |text: &[u8]| serde_json::from_slice::<Value>(text).ok();
    let same = json(call.stdin.as_bytes()) == json(&answer.request.stdin);
    expect(same, || format!("it gets another configuration: {}", call.stdin))
}

/// The IPAM plugin has been run with a verb.
fn is_handed_on(ipam: &Ipam, command: Command, answer: &Answer) -> Verdict {
    let runs = ipam.calls(command)?.len();
    expect(runs > 0, || format!("{answer}, and the IPAM plugin has not been run with {CNI_COMMAND}={command}"))
}

fn hands_on_verbs(bench: &Bench<'_>) -> Verdict {
    let ipam = Ipam::install(bench)?;
    let container = bench.container()?;
    let added = ipam.on(container.call(Command::Add)).run();
    let result = added.result().given()?;
    let mut calls = vec![(Command::Del, container.del_call(Some(&result)))];
    if bench.needs_verb(Command::Gc).is_ok() {
        calls.push((Command::Gc, super::gc::call(bench, &[container.as_valid()])));
        calls.push((Command::Status, bench.call(Command::Status)));
    }
    if bench.needs_verb(Command::Check).is_ok() {
        calls.push((Command::Check, container.previous_in(container.call(Command::Check), &result)));
    }
    // DEL comes last.
    calls.into_iter().rev().try_for_each(|(command, call)| is_handed_on(&ipam, command, &ipam.on(call).run()))
}

fn hands_on_errors(bench: &Bench<'_>) -> Verdict {
    let ipam = Ipam::install(bench)?;
    let code = ErrorCode(123);
    ipam.refuses(Command::Add, ErrorReply::new(code, "no address is left"))?;
    let answer = ipam.on(bench.container()?.call(Command::Add)).run();
    is_handed_on(&ipam, Command::Add, &answer).given()?;
    answer.is_refused_with(&[code]).when("after the IPAM plugin has failed with code 123")
}

fn takes_back_addresses(bench: &Bench<'_>) -> Verdict {
    let ipam = Ipam::install(bench)?;
    // Nothing that any plugin could work with, from a plugin that succeeds.
    ipam.answers(bench.version(), Body::default())?;
    let answer = ipam.on(bench.container()?.call(Command::Add)).run();
    applies(answer.is_refused().is_ok(), "the plugin accepts an answer without addresses")?;
    is_handed_on(&ipam, Command::Add, &answer).given()?;
    is_handed_on(&ipam, Command::Del, &answer)
}

fn hands_on_late_del(bench: &Bench<'_>) -> Verdict {
    let ipam = Ipam::install(bench)?;
    let mut container = bench.container()?;
    let result = ipam.on(container.call(Command::Add)).run().result().given()?;
    container.lose_namespace();
    let answer = ipam.on(container.del_call(Some(&result)).with(CNI_NETNS, "")).run();
    is_handed_on(&ipam, Command::Del, &answer)
}

fn passes_stderr_on(bench: &Bench<'_>) -> Verdict {
    let ipam = Ipam::install(bench)?;
    let answer = ipam.on(bench.container()?.call(Command::Add)).run();
    answer.succeeds().given()?;
    let stderr = String::from_utf8_lossy(&answer.output()?.stderr).into_owned();
    expect(stderr.contains(SAID), || format!("stderr is {stderr:?}, without the words of the IPAM plugin"))
}

fn hands_on_status(bench: &Bench<'_>) -> Verdict {
    bench.needs_verb(Command::Status)?;
    let ipam = Ipam::install(bench)?;
    ipam.refuses(Command::Status, ErrorReply::new(ErrorCode::NOT_AVAILABLE, "no address is left"))?;
    let answer = ipam.on(bench.call(Command::Status)).run();
    is_handed_on(&ipam, Command::Status, &answer).given()?;
    answer.is_refused_with(&[ErrorCode::NOT_AVAILABLE])
}
