//! True if the host sends packets on.

use std::fs;
use std::net::IpAddr;

use libcni::plugin::{Answer, Failure};

/// Has the host send packets of a family on.
pub(crate) fn enable_forwarding(family_of: IpAddr) -> Answer {
    let path = match family_of {
        IpAddr::V4(_) => "/proc/sys/net/ipv4/ip_forward",
        IpAddr::V6(_) => "/proc/sys/net/ipv6/conf/all/forwarding",
    };
    let failed = |e: std::io::Error| Failure::internal(format!("cannot turn on forwarding ({path}): {e}"));
    // Written only when needed: writing makes the kernel go through all interfaces.
    if fs::read_to_string(path).map_err(failed)?.trim() != "1" {
        fs::write(path, "1").map_err(failed)?;
    }
    Ok(())
}
