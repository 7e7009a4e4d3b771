//! Limits made and lifted.

use libcni::link::{Handle, Link, Request};
use libcni::plugin::{Answer, Failure};

use crate::bandwidth::config::Limits;
use crate::bandwidth::names::Names;

/// The index of the link that packets are sent to, when it was deleted.
const DELETED: u32 = 0;

/// Limits both directions at the host's end of a container's interface, in place of what an earlier ADD made, and
/// returns the `ifb`, if there is one.
pub(crate) fn apply(host: &mut Handle, names: &Names, port: &Link, limits: &Limits) -> Answer<Option<Link>> {
    lift(host, names, Some(port))?;
    let applied = try_apply(host, names, port, limits);
    // The first error is what the runtime must hear.
    applied.inspect_err(|_| drop(lift(host, names, Some(port))))
}

fn try_apply(host: &mut Handle, names: &Names, port: &Link, limits: &Limits) -> Answer<Option<Link>> {
    if let Some(bucket) = limits.ingress {
        host.ask_all(Request::shape(port.index, bucket, limits.shaped()))?;
    }
    let Some(bucket) = limits.egress else { return Ok(None) };
    let name = names.free(host)?;
    let made = [Request::add_ifb(name, port.mtu), Request::set_alias(name, &names.alias), Request::get_link(name)];
    let [_, _, found] = host.ask(made)?;
    let ifb = found.into_link().ok_or_else(|| Failure::internal(format!("no answer about link `{name}`")))?;
    // Before the first packet comes by.
    let mut requests = vec![Request::add_token_bucket(ifb.index, bucket)];
    requests.extend(Request::redirect(port.index, ifb.index, limits.shaped()));
    host.ask_all(requests)?;
    Ok(Some(ifb))
}

/// Lifts the limits of an attachment. The host's end may be gone, and with it what was limited there.
pub(crate) fn lift(host: &mut Handle, names: &Names, port: Option<&Link>) -> Answer {
    let ifb = names.find(host)?;
    let Some(port) = port else { return delete(host, ifb) };
    let mut requests = Vec::from(Request::remove_limit(port.index));
    let redirects = host.redirects(port.index)?;
    let is_used = ifb.as_ref().is_some_and(|ifb| redirects.contains(&ifb.index));
    // Before the link is removed through which the packets come. If it is gone already, none come any more.
    let is_lost = redirects.contains(&DELETED);
    requests.extend((is_used || is_lost).then(|| Request::remove_redirect(port.index)));
    host.ask_all(requests)?;
    // An `ifb` without an owner belongs to another interface, unless this one uses it.
    delete(host, ifb.filter(|ifb| is_used || ifb.alias.is_some()))
}

fn delete(host: &mut Handle, ifb: Option<Link>) -> Answer {
    host.ask_all(ifb.iter().map(|ifb| Request::delete_link(&ifb.name)).collect())?;
    Ok(())
}
