//! The result: its form, and whether it is true.

use crate::link::{Address, Link};
use crate::result::v100::{Body, Interface, Ip};
use crate::spec::{Command, Route, Version};
use serde_json::Value;

use crate::conformance::answer::Answer;
use crate::conformance::bench::Bench;
use crate::conformance::check::{Check, Group};
use crate::conformance::container::{Added, Container};
use crate::conformance::facts::View;
use crate::conformance::finding::{Step, Verdict, applies, deviation, expect, expect_none};
use crate::conformance::profile::{Role, has_lists, says_family};

const NEWEST: &str = "5.1 Results of 1.0.0 and 1.1.0";

pub(in crate::conformance) const GROUP: Group = Group {
    title: "Result",
    checks: &[
        Check::must(
            451,
            "5 Results, errors, versions",
            "the result is in the version that was asked for, for every version",
            is_in_version,
        ),
        Check::must(452, NEWEST, "its interfaces are in the container, with their hardware addresses", has_interfaces),
        Check::must(453, NEWEST, "it has the interface CNI_IFNAME, with CNI_NETNS as sandbox", has_the_interface),
        Check::must(454, NEWEST, "its interfaces without sandbox are on the host", has_host_interfaces),
        Check::must(455, NEWEST, "its addresses are on their interfaces", has_addresses),
        Check::must(456, NEWEST, "its routes are in the container", has_routes),
        Check::must(
            457,
            "4 Delegation",
            "an IPAM plugin answers with addresses and without interfaces",
            is_abbreviated,
        ),
    ],
};

fn is_in_version(bench: &Bench<'_>) -> Verdict {
    bench.needs_add()?;
    bench.profile.versions_for_attachments().try_for_each(|version| {
        let container = bench.container_at(version)?;
        let answer = container.call(Command::Add).run();
        in_version(&answer, version).when(&format!("asked for {version}"))?;
        // There may be one device for all.
        container.del(answer.result().ok().as_ref());
        Ok(())
    })
}

fn in_version(answer: &Answer, version: &Version) -> Verdict {
    answer.succeeds()?;
    let document: Value = serde_json::from_str(&answer.document().given()?.to_string()).unwrap_or_default();
    answer.result()?;
    let said = document["cniVersion"].as_str().unwrap_or_default();
    let unsaid = said.is_empty() && *version == Version::V0_1_0;
    expect(said == version.as_str() || unsaid, || format!("{answer}, whose `cniVersion` is {said:?}"))?;
    let foreign: &[_] = if has_lists(version) { &["ip4", "ip6"] } else { &["interfaces", "ips", "routes"] };
    let key = foreign.iter().find(|key| document.get(key).is_some());
    expect_none(key.map(|key| format!("{answer}: {version} has no `{key}`")))?;
    let ips = document["ips"].as_array().into_iter().flatten();
    let without_family = ips.filter(|_| says_family(version)).find(|ip| !ip["version"].is_string());
    expect_none(without_family.map(|ip| format!("{answer}: {ip} needs a `version` in {version}")))
}

/// The result of an ADD in a new container, and the state after it.
struct Attached<'b> {
    container: Container<'b>,
    answer: Answer,
    body: Body,
    inside: View,
    outside: View,
}

fn attached<'b>(bench: &'b Bench<'b>) -> Verdict<Attached<'b>> {
    applies(bench.profile.role != Role::Ipam, "an IPAM plugin makes no interface")?;
    let container = bench.addable()?;
    let added = container.add().given()?;
    let (inside, outside) = (container.view()?, View::here()?);
    Ok(Attached { container, body: added.result.latest(), answer: added.answer, inside, outside })
}

fn is_inside(interface: &Interface) -> bool {
    interface.sandbox.as_deref().is_some_and(|sandbox| !sandbox.is_empty())
}

/// The interfaces are there, as the result has them.
fn are_there(answer: &Answer, interfaces: &[&Interface], view: &View, place: &str) -> Verdict {
    applies(!interfaces.is_empty(), &format!("the result has no interface {place}"))?;
    interfaces.iter().try_for_each(|said| {
        let missing = || deviation(format!("{answer}: there is no {} {place}", said.name));
        is_as_said(said, view.link(&said.name).ok_or_else(missing)?)
    })
}

fn is_as_said(said: &Interface, link: &Link) -> Verdict {
    let differs =
        |what: &str, said: &str, is: &str| format!("the result has {what} {said} for {}: it is {is}", link.name);
    let mac = said.mac.as_deref().filter(|mac| !mac.is_empty() && !link.has_mac(mac));
    expect_none(mac.map(|mac| differs("hardware address", mac, link.mac.as_deref().unwrap_or("none"))))?;
    let mtu = said.mtu.filter(|mtu| *mtu != i64::from(link.mtu));
    expect_none(mtu.map(|mtu| differs("MTU", &mtu.to_string(), &link.mtu.to_string())))
}

fn has_interfaces(bench: &Bench<'_>) -> Verdict {
    let Attached { answer, body, inside, .. } = attached(bench)?;
    let said: Vec<_> = body.interfaces.iter().filter(|interface| is_inside(interface)).collect();
    are_there(&answer, &said, &inside, "in the container")
}

fn has_host_interfaces(bench: &Bench<'_>) -> Verdict {
    let Attached { answer, body, outside, .. } = attached(bench)?;
    let said: Vec<_> = body.interfaces.iter().filter(|interface| !is_inside(interface)).collect();
    are_there(&answer, &said, &outside, "on the host")
}

fn has_the_interface(bench: &Bench<'_>) -> Verdict {
    applies(bench.profile.role == Role::Interface, "the plugin makes no interface")?;
    applies(has_lists(bench.version()), &format!("results of {} have no interfaces", bench.version()))?;
    let Attached { container, answer, body, .. } = attached(bench)?;
    let wanted = container.ifname.as_str();
    let found = body.interfaces.iter().find(|interface| interface.name == wanted && is_inside(interface));
    let sandbox = found.and_then(|interface| interface.sandbox.as_deref());
    let netns = container.netns.as_str();
    expect(sandbox == Some(netns), || format!("{answer}: no interface {wanted} has the sandbox {netns}"))
}

fn has_addresses(bench: &Bench<'_>) -> Verdict {
    let attached = attached(bench)?;
    applies(!attached.body.ips.is_empty(), "the result has no address")?;
    attached.body.ips.iter().try_for_each(|ip| has_address(&attached, ip))
}

fn has_address(attached: &Attached<'_>, ip: &Ip) -> Verdict {
    let Attached { answer, body, inside, outside, .. } = attached;
    let interface = ip.interface.map(|index| {
        let found = usize::try_from(index).ok().and_then(|index| body.interfaces.get(index));
        found
            .ok_or_else(|| deviation(format!("{answer}: {} is on interface {index}, which does not exist", ip.address)))
    });
    let interface = interface.transpose()?;
    let view = if interface.is_none_or(is_inside) { inside } else { outside };
    let link = interface.and_then(|interface| view.link(&interface.name)).map(|link| link.index);
    let is_it = |found: &Address| found.address == ip.address && (interface.is_none() || link == Some(found.link));
    let place = interface.map_or("the container", |interface| &interface.name);
    expect(view.addresses.iter().any(is_it), || format!("{answer}: {place} has no address {}", ip.address))
}

fn has_routes(bench: &Bench<'_>) -> Verdict {
    let Attached { answer, body, inside, .. } = attached(bench)?;
    applies(!body.routes.is_empty(), "the result has no route")?;
    let missing = body.routes.iter().find(|route| !is_routed(&inside, route));
    expect_none(missing.map(|route| {
        let via = route.gw.map(|gw| format!(" via {gw}")).unwrap_or_default();
        format!("{answer}: the container has no route to {}{via}", route.dst)
    }))
}

fn is_routed(view: &View, said: &Route) -> bool {
    view.routes.iter().any(|route| {
        let table = said.table.is_none_or(|table| table == i64::from(route.table));
        route.dst == said.dst && table && said.gw.is_none_or(|gw| route.gw == Some(gw))
    })
}

fn is_abbreviated(bench: &Bench<'_>) -> Verdict {
    applies(bench.profile.role == Role::Ipam, "the plugin is not an IPAM plugin")?;
    let Added { answer, result } = bench.addable()?.add().given()?;
    let body = result.latest();
    expect(!body.ips.is_empty(), || format!("{answer}: no address"))?;
    let knows_none = body.interfaces.is_empty() && body.ips.iter().all(|ip| ip.interface.is_none());
    expect(knows_none, || format!("{answer}: it names interfaces, which it can't know"))
}
