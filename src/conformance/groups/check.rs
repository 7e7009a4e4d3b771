//! CHECK: it succeeds right after ADD, and finds damage.

use crate::link::{Address, Request};
use crate::spec::{Command, ErrorCode, IpNet, Route};
use serde_json::json;

use crate::conformance::bench::{Bench, has_verb};
use crate::conformance::check::{Check, Group, Origin};
use crate::conformance::container::{Added, Container};
use crate::conformance::finding::{Step, Verdict, applies, expect_none, not_applicable};

const SECTION: &str = "2.7 CHECK";

pub(in crate::conformance) const GROUP: Group = Group {
    title: "CHECK",
    checks: &[
        Check::must(601, SECTION, "CHECK succeeds right after ADD", succeeds),
        Check::must(602, SECTION, "CHECK finds that an address is gone", finds_missing_address),
        Check::must(603, SECTION, "CHECK finds that the interface is gone", finds_missing_interface),
        Check::must(604, SECTION, "CHECK finds that a route is gone", finds_missing_route),
        Check::must(605, SECTION, "CHECK finds that DEL has removed the attachment", finds_deleted),
        Check::must(606, SECTION, "CHECK changes nothing", changes_nothing).of(Origin::Ours),
        Check::must(607, SECTION, "CHECK accepts a further route", allows_further_routes),
        Check::must(608, SECTION, "CHECK is refused with code 1 before 0.4.0", is_refused_before).of(Origin::Go),
    ],
};

/// A container for which CHECK succeeds.
fn checked<'b>(bench: &'b Bench<'b>) -> Verdict<(Container<'b>, Added)> {
    bench.needs_verb(Command::Check)?;
    let container = bench.addable()?;
    let added = container.add().given()?;
    container.check(&added.result).succeeds().given()?;
    Ok((container, added))
}

fn succeeds(bench: &Bench<'_>) -> Verdict {
    bench.needs_verb(Command::Check)?;
    let container = bench.addable()?;
    let added = container.add().given()?;
    container.check(&added.result).succeeds()
}

fn is_noticed(container: &Container<'_>, added: &Added, damage: &str) -> Verdict {
    container.check(&added.result).is_refused().when(damage)
}

fn finds_missing_address(bench: &Bench<'_>) -> Verdict {
    bench.needs_interface()?;
    let (container, added) = checked(bench)?;
    let view = container.view()?;
    let said = added.result.latest().ips;
    let found = view.addresses.iter().find(|on_link| said.iter().any(|ip| ip.address == on_link.address));
    let Address { link, address, .. } =
        found.ok_or_else(|| not_applicable("the result has no address in the container"))?;
    container.inside(|network| network.ask([Request::delete_address(*link, *address)]))?;
    is_noticed(&container, &added, &format!("with {address} gone"))
}

fn finds_missing_interface(bench: &Bench<'_>) -> Verdict {
    bench.needs_interface()?;
    let (container, added) = checked(bench)?;
    let name = container.ifname.as_str();
    container.inside(|network| network.ask([Request::delete_link(name)]))?;
    is_noticed(&container, &added, &format!("with {name} gone"))
}

fn finds_missing_route(bench: &Bench<'_>) -> Verdict {
    bench.needs_interface()?;
    let (container, added) = checked(bench)?;
    let view = container.view()?;
    let said = added.result.latest().routes;
    let found = view.routes.iter().find(|route| said.iter().any(|other| other.dst == route.dst));
    let route = found.ok_or_else(|| not_applicable("the result has no route in the container"))?;
    container.inside(|network| network.ask([Request::delete_route(route)]))?;
    is_noticed(&container, &added, &format!("with the route to {} gone", route.dst))
}

fn finds_deleted(bench: &Bench<'_>) -> Verdict {
    bench.needs_verb(Command::Check)?;
    // Without it, what all attachments share would count as made by this one.
    bench.warmed_up()?;
    let container = bench.addable()?;
    let before = container.state()?;
    let added = container.add().given()?;
    applies(!container.state()?.is_within(&before), "ADD makes nothing that can be seen")?;
    container.check(&added.result).succeeds().given()?;
    container.del(Some(&added.result)).succeeds().given()?;
    is_noticed(&container, &added, "after DEL")
}

fn changes_nothing(bench: &Bench<'_>) -> Verdict {
    bench.needs_verb(Command::Check)?;
    let container = bench.addable()?;
    let added = container.add().given()?;
    let before = container.state()?;
    container.check(&added.result).succeeds().given()?;
    expect_none(container.state()?.changes(&before))
}

fn allows_further_routes(bench: &Bench<'_>) -> Verdict {
    bench.needs_interface()?;
    let (container, added) = checked(bench)?;
    let elsewhere = IpNet::new([198, 51, 100, 0].into(), 24).expect("a prefix length");
    let name = container.ifname.as_str();
    container.inside(|network| {
        let link = network.link(name)?.unwrap_or_default();
        network.ask([Request::add_route(link.index, &Route::new(elsewhere))])
    })?;
    container.check(&added.result).succeeds().when("with a further route")
}

fn is_refused_before(bench: &Bench<'_>) -> Verdict {
    refused_in_old_versions(bench, Command::Check)
}

/// A verb is refused in versions that do not have it. A plugin from before the verb does not know it at all, and may
/// miss its parameters first.
pub(super) fn refused_in_old_versions(bench: &Bench<'_>, command: Command) -> Verdict {
    let knows = bench.profile.versions.iter().any(|version| has_verb(version, command));
    bench.versions_without(command)?.iter().try_for_each(|version| {
        let container = bench.container_at(version)?;
        let call = match command {
            Command::Check => container.call(command).key("prevResult", &json!({"cniVersion": "0.2.0"})),
            _ => bench.call(command).key("cniVersion", version.as_str()),
        };
        let answer = call.run();
        let refused =
            if knows { answer.is_refused_with(&[ErrorCode::INCOMPATIBLE_VERSION]) } else { answer.is_refused() };
        refused.when(&format!("in {version}"))
    })
}
