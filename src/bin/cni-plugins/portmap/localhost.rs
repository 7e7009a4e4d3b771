//! Lets connections from 127.0.0.1 out of the host.
//!
//! The kernel drops packets of loopback addresses on any interface but `lo`, also before masquerading could give them
//! another one, unless the interface has `route_localnet`. There is nothing like it for ::1.

use std::net::IpAddr;

use libcni::link::{Handle, LinkError, Request};

/// Sets `route_localnet` on the interface through which the host reaches a container. It stays set, as the container's
/// network stays: others may need it.
pub(crate) fn route_to(container: IpAddr) -> Result<(), LinkError> {
    let mut host = Handle::here()?;
    // A host without a route reaches the container from no address.
    if let Some(index) = host.interface_towards(container)? {
        host.ask([Request::route_localnet(index)])?;
    }
    Ok(())
}
