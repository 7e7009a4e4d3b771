//! The container's interface, and its settings.

use libcni::link::{Handle, Link, LinkError, Request};
use libcni::plugin::{Answer, AttachmentCall, Failure};
use nix::errno::Errno;

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

/// The kernel's words for a setting that it, or the driver, does not let be as it was, whoever asks how often.
const REFUSED: [Errno; 6] =
    [Errno::EBUSY, Errno::EINVAL, Errno::EOPNOTSUPP, Errno::EADDRNOTAVAIL, Errno::ERANGE, Errno::EPERM];

/// Makes the interface as it was, as far as the kernel lets it: it is about to go, or to be changed again.
///
/// # Errors
/// The kernel could not be asked; asked again, it may do it.
pub(crate) fn restore(inside: &mut Handle, call: &AttachmentCall, settings: &Settings) -> Result<(), LinkError> {
    let Some(link) = inside.link(call.ifname.as_str())? else { return Ok(()) };
    for request in requests(link.index, settings) {
        match inside.ask([request]) {
            // It went meanwhile.
            Err(error) if error.is(Errno::ENODEV as i32) => return Ok(()),
            Err(error) if REFUSED.into_iter().any(|refused| error.is(refused as i32)) => {
                let text = libcni::Chain(&error).to_string();
                let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("tuning: {text}\n"));
            }
            answer => drop(answer?),
        }
    }
    Ok(())
}
