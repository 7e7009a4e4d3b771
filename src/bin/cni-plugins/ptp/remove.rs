//! DEL, GC, and what a failed ADD leaves.

use libcni::link::{Handle, Link, Request};
use libcni::plugin::{Answer, AttachmentCall, Call};
use libcni::result::AddResult;
use libcni::result::v100::Interface;

use crate::chained;
use crate::host_end;
use crate::names::Names;
use crate::nft::{Owner, masquerade};
use crate::takeover;
use crate::threads::both;
use crate::valid::Valid;

pub(crate) fn del(call: &AttachmentCall) -> Answer {
    let names = Names::of(call);
    let ipam_type = call.config.ipam_type()?;
    let mut host = Handle::here()?;
    let is_ours = host_end::take_down(&mut host, &names)?;
    if !is_ours {
        delete_theirs(&mut host, call)?;
    }
    // From here on no process sends from the address, so another container may get it; to free links and rules takes
    // the kernel long.
    let delete_link = || if is_ours { host_end::delete(&mut host, &names.port) } else { Ok(()) };
    let (link, others) = both(delete_link, || {
        let ipam = ipam_type.as_deref().map_or(Ok(()), |plugin| call.delegate(plugin).del());
        let rules = masquerade::remove(&names.owner, &chained::recorded_addresses(call))
            .and_then(|had_any| if is_ours || had_any { Ok(()) } else { takeover::masquerade::remove(&names.owner) });
        rules.and(ipam)
    });
    link?;
    others
}

/// Deletes the interface of an attachment that has none of ours, if the reference plugin made it for this network.
/// Another one of that name is somebody else's.
fn delete_theirs(host: &mut Handle, call: &AttachmentCall) -> Answer {
    let body = call.config.prev_result().ok().flatten().as_ref().map(AddResult::latest).unwrap_or_default();
    let is_on_host = |interface: &&Interface| interface.sandbox.as_deref().unwrap_or_default().is_empty();
    let recorded: Vec<_> = body.interfaces.iter().filter(is_on_host).collect();
    let is_recorded = |port: &Link| recorded.iter().any(|end| end.name == port.name);
    let port = match host_end::of(host, call)? {
        // The container may live on without a path to its namespace.
        None => of_record(host, &recorded)?,
        Some(port) if recorded.is_empty() => {
            Some(port).filter(|port| port.master.is_none() && host_end::is_named_by_reference(&port.name))
        }
        Some(port) => Some(port).filter(is_recorded),
    };
    if let Some(port) = port.filter(|port| !host_end::is_of_other(port, call)) {
        host.ask([Request::delete_link(&port.name)])?;
    }
    Ok(())
}

/// The host's end that is on record, if it still has the recorded hardware address.
fn of_record(host: &mut Handle, recorded: &[&Interface]) -> Answer<Option<Link>> {
    let Some(end) = recorded.iter().find(|end| host_end::is_named_by_reference(&end.name)) else { return Ok(None) };
    let has_address = |port: &Link| port.mac.is_some() && port.mac == end.mac;
    Ok(host.link(&end.name)?.filter(has_address))
}

/// Undoes a failed ADD, except for its address.
pub(crate) fn undo(host: &mut Handle, names: &Names) -> Answer {
    let rules = masquerade::remove(&names.owner, &[]);
    host_end::delete(host, &names.port)?;
    rules.map(drop)
}

pub(crate) fn gc(call: &Call) -> Answer {
    let ipam = call.config.ipam_type()?.map_or(Ok(()), |plugin| call.delegate(&plugin).gc());
    let Some(valid) = call.config.valid_attachments()?.map(Valid::new) else { return ipam };
    let network = call.config.name().as_str();
    masquerade::retain(network, |owner: &Owner| valid.has(&owner.container_id, &owner.ifname))?;
    takeover::masquerade::retain(network, &valid)?;
    host_end::delete_stale(network, &valid)?;
    ipam
}
