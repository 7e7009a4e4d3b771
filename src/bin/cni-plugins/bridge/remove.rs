//! DEL, GC, and what a failed ADD leaves.

use libcni::plugin::{Answer, AttachmentCall, Call};
use libcni::spec::IpNet;

use crate::bridge::{antispoof, theirs};
use crate::chained;
use crate::host_end;
use crate::names::Names;
use crate::nft::{Owner, masquerade};
use crate::takeover;
use crate::threads::both;
use crate::valid::Valid;
use libcni::link::Handle;

pub(crate) fn del(call: &AttachmentCall) -> Answer {
    let names = Names::of(call);
    let ipam_type = call.config.ipam_type()?;
    let mut host = Handle::here()?;
    let is_ours = host_end::take_down(&mut host, &names)?;
    if !is_ours {
        theirs::delete(&mut host, call)?;
    }
    // From here on no process sends from the address, so another container may get it. To free links and rules the
    // kernel waits until no processor can be looking at them any more: about ten milliseconds, in which all else is
    // done. Rules come last: a link's wait is for all that was to be freed when it began.
    let delete_link = || if is_ours { host_end::delete(&mut host, &names.port) } else { Ok(()) };
    let (link, others) = both(delete_link, || {
        let ipam = ipam_type.as_deref().map_or(Ok(()), |plugin| call.delegate(plugin).del());
        let rules = remove_rules(&names, &chained::recorded_addresses(call));
        let rules = rules.and_then(|had_any| if is_ours || had_any { Ok(()) } else { take_over(&names.owner) });
        rules.and(ipam)
    });
    link?;
    others
}

/// Removes them whatever the configuration says now, since it may have been different at ADD. Returns true if there
/// were any.
fn remove_rules(names: &Names, addresses: &[IpNet]) -> Answer<bool> {
    let guarded = antispoof::remove(&names.owner, &names.port);
    let masqueraded = masquerade::remove(&names.owner, addresses);
    Ok(guarded? | masqueraded?)
}

/// Removes the rules of the reference plugin, which may have added the container.
fn take_over(owner: &Owner) -> Answer {
    takeover::antispoof::remove(owner).and(takeover::masquerade::remove(owner))
}

/// Undoes a failed ADD, except for its address.
pub(crate) fn undo(host: &mut Handle, names: &Names) -> Answer {
    let rules = remove_rules(names, &[]);
    host_end::delete(host, &names.port)?;
    rules.map(drop)
}

pub(crate) fn gc(call: &Call) -> Answer {
    let ipam = call.config.ipam_type()?.map_or(Ok(()), |plugin| call.delegate(&plugin).gc());
    let Some(valid) = call.config.valid_attachments()?.map(Valid::new) else { return ipam };
    let network = call.config.name().as_str();
    let is_valid = |owner: &Owner| valid.has(&owner.container_id, &owner.ifname);
    masquerade::retain(network, is_valid)?;
    takeover::masquerade::retain(network, &valid)?;
    antispoof::retain(network, is_valid)?;
    host_end::delete_stale(network, &valid)?;
    ipam
}
