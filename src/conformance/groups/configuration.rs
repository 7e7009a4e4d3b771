//! The configuration on stdin.

use crate::spec::{Command, ErrorCode};
use serde_json::json;

use crate::conformance::answer::Answer;
use crate::conformance::bench::Bench;
use crate::conformance::call::Call;
use crate::conformance::check::{Check, Group, Origin};
use crate::conformance::finding::{Step, Verdict};

const ORDER: &str = "2.11 What a plugin checks first";

pub(in crate::conformance) const GROUP: Group = Group {
    title: "Configuration",
    checks: &[
        Check::must(301, ORDER, "a configuration that is not a JSON object is refused with code 6", refuses_garbage),
        Check::must(302, ORDER, "a missing or invalid network name is refused with code 7", refuses_names)
            .of(Origin::Go),
        Check::must(303, ORDER, "a version that it does not support is refused with code 1", refuses_other_versions),
        Check::should(304, ORDER, "a malformed version is refused", refuses_no_versions).of(Origin::Go),
        Check::must(305, "1.2 One plugin", "an unknown key is accepted, or refused with code 2", meets_unknown_keys),
        Check::must(306, "6.3 `args` in the configuration", "unknown keys below `args` are ignored", ignores_args),
        Check::must(307, "2.3 stdin", "a configuration of 4 MiB is read", reads_much).of(Origin::Ours),
        Check::must(
            308,
            "3.3 The request for one plugin",
            "`capabilities` may be in the configuration",
            meets_capabilities,
        )
        .of(Origin::Go),
    ],
};

fn refuses_garbage(bench: &Bench<'_>) -> Verdict {
    let container = bench.container()?;
    ["", "{", "[]", "7", "{} {}"].iter().try_for_each(|stdin| {
        let answer = container.call(Command::Add).stdin(*stdin).run();
        answer.is_refused_with(&[ErrorCode::DECODING]).when(&format!("with {stdin:?} on stdin"))
    })
}

fn refuses_names(bench: &Bench<'_>) -> Verdict {
    let container = bench.container()?;
    let codes = [ErrorCode::INVALID_NETWORK_CONFIG];
    container.call(Command::Add).no_key("name").run().is_refused_with(&codes).when("without `name`")?;
    ["", "../escape", "a b", "-a"].iter().try_for_each(|name| {
        let answer = container.call(Command::Add).key("name", *name).run();
        answer.is_refused_with(&codes).when(&format!("with `name` {name:?}"))
    })
}

fn with_version(bench: &Bench<'_>, version: &str) -> Verdict<Answer> {
    Ok(bench.container()?.call(Command::Add).key("cniVersion", version).run())
}

fn refuses_other_versions(bench: &Bench<'_>) -> Verdict {
    ["99.0.0", "0.0.1"].iter().try_for_each(|version| {
        let answer = with_version(bench, version)?;
        answer.is_refused_with(&[ErrorCode::INCOMPATIBLE_VERSION]).when(&format!("with `cniVersion` {version}"))
    })
}

fn refuses_no_versions(bench: &Bench<'_>) -> Verdict {
    ["banana", "1.0.0-rc1", "1..0"].iter().try_for_each(|version| {
        with_version(bench, version)?.is_refused().when(&format!("with `cniVersion` {version:?}"))
    })
}

/// The answer of the plugin to an ADD with a changed configuration.
fn add_with(bench: &Bench<'_>, change: impl FnOnce(Call<'_>) -> Call<'_>) -> Verdict<Answer> {
    Ok(change(bench.addable()?.call(Command::Add)).run())
}

fn meets_unknown_keys(bench: &Bench<'_>) -> Verdict {
    let value = json!({"a": [1, 2.5, null]});
    let answer = add_with(bench, |call| call.key("x-conformance", &value))?;
    let refused = answer.error().is_some();
    if refused { answer.is_refused_with(&[ErrorCode::UNSUPPORTED_FIELD]) } else { answer.succeeds() }
}

fn ignores_args(bench: &Bench<'_>) -> Verdict {
    let labels = json!([{"key": "app", "value": "web"}]);
    let args = json!({"cni": {"labels": labels, "x-conformance": 1}, "x-conformance": {"a": 1}});
    add_with(bench, |call| call.key("args", &args))?.succeeds()
}

fn reads_much(bench: &Bench<'_>) -> Verdict {
    let answer = add_with(bench, |call| {
        let config = call.config();
        // White space means nothing, wherever it is.
        let (object, end) = config.split_at(config.len() - 1);
        call.stdin(format!("{object}{}{end}", " ".repeat(4 << 20)))
    });
    answer?.succeeds()
}

fn meets_capabilities(bench: &Bench<'_>) -> Verdict {
    let mut capabilities = bench.subject.config.capabilities().clone();
    capabilities.insert("x-conformance".to_owned(), true);
    add_with(bench, |call| call.key("capabilities", &capabilities))?.succeeds()
}
