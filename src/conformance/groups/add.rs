//! ADD: what it makes, and what it leaves alone.

use std::collections::BTreeSet;

use crate::link::{Handle, Request};
use crate::result::v100::Body;
use crate::spec::{CNI_IFNAME, CNI_NETNS, Command, ErrorCode, IfName, Object};

use crate::conformance::bench::Bench;
use crate::conformance::check::{Check, Group, Origin};
use crate::conformance::container::{Added, shared_address};
use crate::conformance::finding::{Step, Verdict, applies, expect, expect_none, not_applicable};
use crate::conformance::host::own_namespace;
use crate::conformance::network::add_pair_here;
use crate::conformance::predecessor;
use crate::conformance::profile::{Role, has_lists};

const SECTION: &str = "2.5 ADD";

pub(in crate::conformance) const GROUP: Group = Group {
    title: "ADD",
    checks: &[
        Check::must(401, SECTION, "ADD succeeds", succeeds),
        Check::must(
            402,
            SECTION,
            "an interface that has the name already is refused, and left as it is",
            refuses_to_replace,
        ),
        Check::must(403, SECTION, "the result keeps everything of the previous result", passes_previous_on),
        Check::should(
            404,
            "5 Results, errors, versions",
            "unknown keys of the previous result are passed on",
            passes_unknown_on,
        )
        .of(Origin::Ours),
        Check::must(405, SECTION, "one container can be attached twice, under two names", attaches_twice),
        Check::must(
            406,
            "2.11 What a plugin checks first",
            "its own namespace is refused with code 8, before anything is done",
            refuses_own_namespace,
        )
        .of(Origin::Ours),
    ],
};

fn succeeds(bench: &Bench<'_>) -> Verdict {
    bench.container()?.call(Command::Add).run().succeeds()
}

/// The kinds of interfaces that are made without any other; a kernel may lack one.
const KINDS: [&str; 2] = ["dummy", "bridge"];

fn refuses_to_replace(bench: &Bench<'_>) -> Verdict {
    bench.needs_interface()?;
    let container = bench.addable()?;
    let name = container.ifname.as_str();
    let made = container
        .inside(|network| Ok(KINDS.iter().any(|kind| network.ask([Request::add_link(name, kind)]).is_ok())))?;
    applies(made, "this kernel makes no interface to stand in the way")?;
    let before = container.view()?.link(name).cloned();
    container.call(Command::Add).run().is_refused()?;
    let after = container.view()?.link(name).cloned();
    expect(after == before, || format!("it is refused, but {before:?} has become {after:?}"))
}

/// An ADD in a container that another plugin has added an interface to, and what that one answered.
fn after_another(bench: &Bench<'_>, change: impl FnOnce(&mut Object)) -> Verdict<(Body, Added)> {
    applies(has_lists(bench.version()), &format!("{} has no previous result", bench.version()))?;
    applies(bench.profile.role != Role::Ipam, "an IPAM plugin answers with addresses alone")?;
    let container = bench.addable()?;
    let previous = container.previous.clone();
    let previous = previous.map_or_else(|| predecessor::add(&container, "before"), Ok)?;
    let said = previous.to_version(bench.version()).map_err(|error| not_applicable(error.to_string()))?;
    let mut object = said.to_object();
    change(&mut object);
    let answer = container.call(Command::Add).key("prevResult", &object).run();
    answer.succeeds().when("with a previous result")?;
    let result = answer.result().given()?;
    Ok((previous.latest(), Added { answer, result }))
}

fn passes_previous_on(bench: &Bench<'_>) -> Verdict {
    let (previous, Added { answer, result }) = after_another(bench, |_| {})?;
    let lost: Vec<_> = sentences(&previous).difference(&sentences(&result.latest())).cloned().collect();
    expect(lost.is_empty(), || format!("{answer} lacks {} of the previous result", lost.join(", ")))
}

/// The content of a result, without hardware addresses and the like, which a plugin may have changed.
fn sentences(body: &Body) -> BTreeSet<String> {
    let interfaces = body.interfaces.iter().map(|interface| format!("interface {}", interface.name));
    let ips = body.ips.iter().map(|ip| format!("address {}", ip.address));
    let routes = body.routes.iter().map(|route| format!("route to {}", route.dst));
    interfaces.chain(ips).chain(routes).collect()
}

/// A key that no version of the specification knows.
const UNKNOWN: &str = "x-conformance";

fn passes_unknown_on(bench: &Bench<'_>) -> Verdict {
    let (_, Added { answer, .. }) = after_another(bench, |previous| previous.set(UNKNOWN, "kept")).given()?;
    let kept = answer.document()?.get(UNKNOWN).is_some();
    expect(kept, || format!("{answer} lacks the key `{UNKNOWN}` of the previous result"))
}

fn attaches_twice(bench: &Bench<'_>) -> Verdict {
    let attaches = bench.profile.role != Role::Chained && bench.subject.ifname.as_str() != "lo";
    applies(attaches, "the plugin makes no attachment of its own")?;
    bench.needs_different_addresses()?;
    let container = bench.addable()?;
    let first = container.add().given()?;
    let before = container.view()?.links;
    let name = IfName::new("second0").expect("short, and without odd characters");
    let second = container.again_as(name).add().when("under a second name")?;
    let now = container.view()?;
    let vanished = before.iter().find(|link| now.link(&link.name).is_none());
    expect_none(vanished.map(|link| format!("{} has made {} vanish", second.answer, link.name)))?;
    expect_none(shared_address(&[first, second]).map(|address| format!("both attachments have {address}")))
}

fn refuses_own_namespace(bench: &Bench<'_>) -> Verdict {
    applies(bench.profile.role != Role::Ipam, "an IPAM plugin changes no namespace")?;
    let container = bench.container()?;
    let own = own_namespace()?;
    let name = container.ifname.as_str();
    if name != "lo" {
        // Something of that name for DEL to take away.
        add_pair_here(&mut Handle::here()?, name, "guarded")?;
    }
    let free = if name == "lo" { name } else { "free0" };
    [(Command::Del, name), (Command::Add, free)].into_iter().try_for_each(|(command, name)| {
        let before = bench.state()?;
        let answer = container.call(command).with(CNI_NETNS, &own).with(CNI_IFNAME, name).run();
        let changes = bench.state()?.changes(&before);
        expect_none(changes.map(|changes| format!("{answer}, and the host has changed; {changes}")))?;
        answer.is_refused_with(&[ErrorCode::INVALID_NETNS])
    })
}
