//! `bandwidth`: limits how fast a container sends and receives. Comes after a plugin that connects it by a pair of
//! veths.
//!
//! Traffic to the container is limited as it leaves the host's end. What comes from it can't be limited there, where
//! it comes in: it goes by way of an `ifb`, and is limited as it leaves that.

mod check;
mod config;
mod limit;
mod names;

use libcni::link::{Handle, Link, Request};
use libcni::plugin::{Answer, AttachmentCall, Call, Failure, Plugin};
use libcni::result::AddResult;
use libcni::result::v100::{Body, Interface};

use self::config::Limits;
use self::names::Names;
use crate::valid::Valid;
use crate::{chained, host_end};

pub(crate) struct Bandwidth;

impl Plugin for Bandwidth {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let limits = Limits::read(call)?;
        let previous = call.config.require_prev_result()?;
        if limits.are_none() {
            return Ok(previous);
        }
        let mut body = previous.latest();
        let mut host = Handle::here()?;
        let port = known_port(&mut host, call, &body)?;
        let ifb = limit::apply(&mut host, &Names::of(call), &port, &limits)?;
        body.interfaces.extend(ifb.iter().map(chained::on_host));
        Ok(body.into())
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        let mut host = Handle::here()?;
        let port = host_end::of(&mut host, call)?.filter(|port| !host_end::is_of_other(port, call));
        limit::lift(&mut host, &Names::of(call), port.as_ref())
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let limits = Limits::read(call)?;
        let body = call.config.require_prev_result()?.latest();
        let mut host = Handle::here()?;
        let port = known_port(&mut host, call, &body)?;
        check::check(&mut host, &Names::of(call), &port, &limits)
    }

    fn gc(&self, call: &Call) -> Answer {
        let Some(valid) = call.config.valid_attachments()?.map(Valid::new) else { return Ok(()) };
        let mut host = Handle::here()?;
        let links = host.links()?;
        let stale = names::stale(&links, call.config.name().as_str(), &valid);
        host.ask_all(stale.map(|link| Request::delete_link(&link.name)).collect())?;
        Ok(())
    }

    fn status(&self, call: &Call) -> Answer {
        Limits::read(call).map(drop)
    }

    fn about(&self) -> Option<String> {
        Some(crate::about::about("bandwidth"))
    }
}

/// The host's end of the container's interface, which the previous result must know.
fn known_port(host: &mut Handle, call: &AttachmentCall, body: &Body) -> Answer<Link> {
    let ifname = &call.ifname;
    if body.interfaces.is_empty() {
        return Err(Failure::internal("bandwidth: the previous result has no `interfaces`"));
    }
    let no_pair = || {
        let netns = call.netns().unwrap_or("".as_ref()).display();
        Failure::internal(format!(
            "bandwidth: interface `{ifname}` in {netns} is not an end of a pair of veths whose other end is on the host"
        ))
    };
    call.require_netns()?;
    let port = host_end::of(host, call)?.ok_or_else(no_pair)?;
    let is_known = |interface: &Interface| {
        interface.name == port.name && interface.sandbox.as_deref().unwrap_or_default().is_empty()
    };
    if body.interfaces.iter().any(is_known) {
        return Ok(port);
    }
    let msg = format!(
        "bandwidth: the other end of interface `{ifname}`, `{}`, is not among the `interfaces` of the previous result",
        port.name
    );
    Err(Failure::internal(msg))
}
