//! `bridge`: connects containers to a bridge on the host. Keys as those of the reference plugin of the same name.

mod add;
mod antispoof;
mod check;
mod config;
mod gateway;
mod host;
mod port;
mod recorded;
mod remove;
mod result;
mod theirs;
mod vlan;
mod vlan_gateway;

use libcni::plugin::{Answer, AttachmentCall, Call, Plugin};
use libcni::result::AddResult;

use self::config::Config;
use crate::nft::masquerade;

pub(crate) struct Bridge;

impl Plugin for Bridge {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        add::add(call)
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        remove::del(call)
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        check::check(call)
    }

    fn gc(&self, call: &Call) -> Answer {
        remove::gc(call)
    }

    fn status(&self, call: &Call) -> Answer {
        let config = Config::read(call)?;
        if config.ip_masq {
            masquerade::rehearse()?;
        }
        if config.macspoofchk {
            antispoof::rehearse()?;
        }
        call.config.ipam_type()?.map_or(Ok(()), |plugin| call.delegate(&plugin).status())
    }

    fn about(&self) -> Option<String> {
        Some(crate::about::about("bridge"))
    }
}
