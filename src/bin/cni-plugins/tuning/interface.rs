//! The container's interface, and its settings.

use libcni::link::{Handle, Link, Request};
use libcni::plugin::{Answer, AttachmentCall, Failure};

use crate::tuning::config::Settings;

pub(crate) fn link(inside: &mut Handle, ifname: &str) -> Answer<Link> {
    let missing = || Failure::internal(format!("tuning: there is no interface `{ifname}` in the container"));
    inside.link(ifname)?.ok_or_else(missing)
}

pub(crate) fn requests(index: u32, settings: &Settings) -> Vec<Request> {
    let mtu = settings.mtu.map(|mtu| Request::set_mtu(index, mtu));
    let mac = settings.mac.map(|mac| Request::set_mac(index, mac));
    let promiscuous = settings.promisc.map(|is_on| Request::set_promiscuous(index, is_on.into()));
    let all_multicast = settings.allmulti.map(|is_on| Request::set_all_multicast(index, is_on.into()));
    let queue = settings.tx_queue_len.map(|length| Request::set_tx_queue_len(index, length));
    [mac, promiscuous, mtu, all_multicast, queue].into_iter().flatten().collect()
}

/// Makes the interface as it was, as far as that can be done: it is about to go, or to be changed again.
pub(crate) fn restore(inside: &mut Handle, call: &AttachmentCall, settings: &Settings) {
    let link = match inside.link(call.ifname.as_str()) {
        Ok(Some(link)) => link,
        _ => return,
    };
    for request in requests(link.index, settings) {
        if let Err(error) = inside.ask([request]) {
            let text = libcni::Chain(&error).to_string();
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("tuning: {text}\n"));
        }
    }
}
