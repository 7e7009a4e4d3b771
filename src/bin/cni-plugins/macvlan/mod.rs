//! `macvlan`: gives a container a link with a hardware address of its own on top of one of the host's.

mod add;
mod check;
mod config;

use libcni::link::{Handle, Link, Request};
use libcni::plugin::{Answer, AttachmentCall, Call, Failure, Plugin};
use libcni::result::AddResult;
use libcni::spec::ErrorCode;

use self::config::Config;
use crate::names::{Names, temporary_name};

pub(crate) struct MacvlanPlugin;

impl Plugin for MacvlanPlugin {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        add::add(call)
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        let ipam_type = call.config.ipam_type()?;
        // From then on no process sends from the address, so another container may get it.
        delete(call)?;
        ipam_type.map_or(Ok(()), |plugin| call.delegate(&plugin).del())
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        check::check(call)
    }

    /// Interfaces go with the namespaces that they are in.
    fn gc(&self, call: &Call) -> Answer {
        call.config.ipam_type()?.map_or(Ok(()), |plugin| call.delegate(&plugin).gc())
    }

    fn status(&self, call: &Call) -> Answer {
        let config = Config::read(call)?;
        if let Some(master) = config.master.as_ref().filter(|_| !config.link_in_container)
            && Handle::here()?.link(master)?.is_none()
        {
            let msg = format!("macvlan: `master`: the host has no link `{master}`");
            return Err(Failure::new(ErrorCode::NOT_AVAILABLE, msg));
        }
        call.config.ipam_type()?.map_or(Ok(()), |plugin| call.delegate(&plugin).status())
    }

    fn about(&self) -> Option<String> {
        Some(crate::about::about("macvlan"))
    }
}

/// Deletes the interface of an attachment; another one of that name is somebody else's.
fn delete(call: &AttachmentCall) -> Answer {
    let Some(netns) = call.netns() else { return Ok(()) };
    let mut inside = match Handle::inside(netns) {
        Err(error) if error.is_gone() => return Ok(()),
        inside => inside?,
    };
    // An ADD that was killed may have left it with the name that it has at first.
    let names = Names::of(call);
    for name in [call.ifname.as_str(), &temporary_name(&names.port)] {
        if inside.link(name)?.is_some_and(|link| is_of(call, &names, &link)) {
            inside.ask([Request::delete_link(name)])?;
        }
    }
    Ok(())
}

/// Returns true if a macvlan is an attachment's: it says so. One that says nothing is the reference plugin's, or of an
/// ADD that was killed, or whoever is inside has changed what it said; if there is a record it has the recorded
/// hardware address.
fn is_of(call: &AttachmentCall, names: &Names, link: &Link) -> bool {
    if link.kind.as_deref() != Some("macvlan") {
        return false;
    }
    if let Some(alias) = link.alias.as_ref().filter(|alias| alias.starts_with("cni:")) {
        return *alias == names.alias;
    }
    let body = call.config.prev_result().ok().flatten().as_ref().map(AddResult::latest).unwrap_or_default();
    let recorded = body.interfaces.iter().find(|interface| interface.name == link.name);
    recorded.and_then(|interface| interface.mac.as_ref()).is_none_or(|mac| link.has_mac(mac))
}
