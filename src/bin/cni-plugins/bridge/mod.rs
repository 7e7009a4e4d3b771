//! `bridge`: connects containers to a bridge on the host. Keys as those of the reference plugin of the same name.

mod add;
mod antispoof;
mod check;
mod config;
mod container;
mod gateway;
mod host;
mod mac;
mod port;
mod recorded;
mod remove;
mod result;
mod sysctl;
mod theirs;
mod vlan;

use std::thread::ScopedJoinHandle;

use libcni::plugin::{Answer, AttachmentCall, Call, Plugin};
use libcni::result::AddResult;

use self::config::Config;
use crate::nft::{Owner, masquerade};

pub(crate) struct Bridge;

/// What an attachment is called on the host.
struct Names {
    port: String,
    alias: String,
    owner: Owner,
}

impl Names {
    fn of(call: &AttachmentCall) -> Self {
        let (network, id, ifname) = (call.config.name().as_str(), call.container_id.as_str(), call.ifname.as_str());
        Self {
            port: config::host_name(network, id, ifname),
            alias: config::alias(network, id, ifname),
            owner: Owner::new(network, id, ifname),
        }
    }
}

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

/// What a thread returned; its panic is ours.
fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
