//! `ptp`: connects each container to the host by a pair of veths of its own. The host's end is the gateway.

mod add;
mod check;
mod config;
mod remove;

use libcni::plugin::{Answer, AttachmentCall, Call, Plugin};
use libcni::result::AddResult;

use self::config::Config;
use crate::nft::masquerade;

pub(crate) struct Ptp;

impl Plugin for Ptp {
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
        call.delegate(&config::ipam_type(call)?).status()
    }

    fn about(&self) -> Option<String> {
        Some(crate::about::about("ptp"))
    }
}
