//! The parameters in the environment.

use crate::spec::{CNI_ARGS, CNI_COMMAND, CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS, CNI_PATH, Command, ErrorCode};

use crate::conformance::bench::Bench;
use crate::conformance::check::{Check, Group, Origin};
use crate::conformance::finding::{Step, Verdict, applies, expect_none};
use crate::conformance::profile::Role;

const VARIABLES: &str = "2.2 Environment";
const ORDER: &str = "2.11 What a plugin checks first";

pub(in crate::conformance) const GROUP: Group = Group {
    title: "Environment",
    checks: &[
        Check::must(201, VARIABLES, "ADD refuses each missing parameter with code 4", add_needs),
        Check::must(202, VARIABLES, "DEL refuses each missing parameter with code 4", del_needs),
        Check::must(203, VARIABLES, "CHECK refuses each missing parameter with code 4", check_needs),
        Check::should(204, VARIABLES, "every verb refuses a missing CNI_PATH with code 4", all_need_path)
            .of(Origin::Go),
        Check::must(205, VARIABLES, "an empty parameter counts as missing", empty_is_missing).of(Origin::Go),
        Check::must(206, VARIABLES, "the error names all parameters that are missing", names_all),
        Check::must(207, ORDER, "an invalid container ID is refused with code 4", refuses_container_ids).of(Origin::Go),
        Check::must(208, ORDER, "an invalid interface name is refused with code 4", refuses_ifnames),
        Check::must(209, ORDER, "an unknown verb is refused with code 4", refuses_verbs),
        Check::must(210, ORDER, "without CNI_COMMAND it fails, or introduces itself on stderr", needs_a_verb),
        Check::should(
            211,
            "6.2 Generic arguments",
            "unknown CNI_ARGS are ignored where IgnoreUnknown says so",
            ignores_args,
        )
        .of(Origin::Go),
        Check::must(212, "2.5 ADD", "ADD fails for a namespace that does not exist", needs_the_namespace),
    ],
};

const INVALID: &[ErrorCode] = &[ErrorCode::INVALID_ENVIRONMENT];

fn refuses_without(bench: &Bench<'_>, command: Command, variables: &[&str]) -> Verdict {
    bench.needs_verb(command)?;
    let container = bench.container()?;
    variables.iter().try_for_each(|variable| {
        let answer = container.call(command).without(variable).run();
        answer.is_refused_with(INVALID).when(&format!("without {variable}"))
    })
}

fn add_needs(bench: &Bench<'_>) -> Verdict {
    refuses_without(bench, Command::Add, &[CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME])
}

fn del_needs(bench: &Bench<'_>) -> Verdict {
    refuses_without(bench, Command::Del, &[CNI_CONTAINERID, CNI_IFNAME])
}

fn check_needs(bench: &Bench<'_>) -> Verdict {
    refuses_without(bench, Command::Check, &[CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME])
}

fn all_need_path(bench: &Bench<'_>) -> Verdict {
    let verbs = [Command::Add, Command::Del, Command::Check, Command::Gc, Command::Status];
    let mut verbs = verbs.into_iter().filter(|verb| bench.needs_verb(*verb).is_ok());
    verbs.try_for_each(|verb| refuses_without(bench, verb, &[CNI_PATH]))
}

fn empty_is_missing(bench: &Bench<'_>) -> Verdict {
    let container = bench.container()?;
    // An empty container ID has a code of its own.
    let codes = [ErrorCode::INVALID_ENVIRONMENT, ErrorCode::UNKNOWN_CONTAINER];
    [CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME].iter().try_for_each(|variable| {
        let answer = container.call(Command::Add).with(variable, "").run();
        answer.is_refused_with(&codes).when(&format!("with an empty {variable}"))
    })
}

fn names_all(bench: &Bench<'_>) -> Verdict {
    let missing = [CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME];
    let container = bench.container()?;
    let answer = missing.iter().fold(container.call(Command::Add), |call, name| call.without(name)).run();
    answer.is_refused_with(INVALID).given()?;
    let error = answer.error().unwrap_or_default();
    let text = format!("{} {}", error.msg, error.details.as_deref().unwrap_or_default());
    let unnamed = missing.iter().find(|name| !text.contains(**name));
    let missing = missing.join(", ");
    expect_none(unnamed.map(|unnamed| format!("without {missing}: {answer}, which does not name {unnamed}")))
}

fn refuses_values(bench: &Bench<'_>, variable: &str, values: &[&str]) -> Verdict {
    let container = bench.container()?;
    values.iter().try_for_each(|value| {
        let answer = container.call(Command::Add).with(variable, *value).run();
        answer.is_refused_with(INVALID).when(&format!("with {variable}={value:?}"))
    })
}

fn refuses_container_ids(bench: &Bench<'_>) -> Verdict {
    refuses_values(bench, CNI_CONTAINERID, &["../escape", "a/b", "-a", ".a", "a b", "a;b", "a\n"])
}

fn refuses_ifnames(bench: &Bench<'_>) -> Verdict {
    refuses_values(bench, CNI_IFNAME, &["sixteen-letters-", "a/b", "a:b", "a b", "a\tb", ".", ".."])
}

fn refuses_verbs(bench: &Bench<'_>) -> Verdict {
    refuses_values(bench, CNI_COMMAND, &["PLUG", "add", "ADD "])
}

fn needs_a_verb(bench: &Bench<'_>) -> Verdict {
    let container = bench.container()?;
    let before = container.state()?;
    let answer = container.call(Command::Add).without(CNI_COMMAND).run();
    expect_none(container.state()?.changes(&before)).when("without CNI_COMMAND")?;
    let output = answer.output()?;
    let introduces_itself = output.status.success() && output.stdout.is_empty() && !output.stderr.is_empty();
    if introduces_itself { Ok(()) } else { answer.is_refused_with(INVALID) }
}

fn ignores_args(bench: &Bench<'_>) -> Verdict {
    let given = bench.subject.args.to_string();
    let args = [given.as_str(), "IgnoreUnknown=1", "K8S_POD_NAME=web-0", "CONFORMANCE=1"];
    let args = args.into_iter().filter(|arg| !arg.is_empty()).collect::<Vec<_>>().join(";");
    let answer = bench.addable()?.call(Command::Add).with(CNI_ARGS, &args).run();
    answer.succeeds().when(&format!("with CNI_ARGS={args}"))
}

fn needs_the_namespace(bench: &Bench<'_>) -> Verdict {
    applies(bench.profile.role == Role::Interface, "the plugin need not look into the namespace")?;
    let mut container = bench.addable()?;
    container.lose_namespace();
    container.call(Command::Add).run().is_refused()
}
