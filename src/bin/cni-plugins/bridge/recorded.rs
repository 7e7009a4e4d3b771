//! The interfaces of an attachment in a result, whichever implementation made them.

use libcni::link::Link;
use libcni::result::v100::{Body, Interface};

/// The interfaces of an attachment, as a result has them; each `None` when it has not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recorded<'a> {
    pub(crate) bridge: Option<&'a Interface>,
    /// The host's end, which stands after the bridge.
    pub(crate) port: Option<&'a Interface>,
    pub(crate) inside: Option<&'a Interface>,
}

impl<'a> Recorded<'a> {
    pub(crate) fn of(body: &'a Body, bridge: &str, ifname: &str) -> Self {
        let is_on_host = |interface: &&Interface| interface.sandbox.as_deref().unwrap_or_default().is_empty();
        let mut on_host = body.interfaces.iter().filter(is_on_host).skip_while(|interface| interface.name != bridge);
        let (bridge, port) = (on_host.next(), on_host.next());
        let is_inside = |interface: &&Interface| interface.name == ifname && !is_on_host(interface);
        Self { bridge, port, inside: body.interfaces.iter().find(is_inside) }
    }
}

/// Returns true if a link may be an interface, by the hardware address that is recorded of it.
pub(crate) fn may_have(interface: &Interface, link: &Link) -> bool {
    let recorded = interface.mac.as_deref().unwrap_or_default();
    recorded.is_empty() || link.has_mac(recorded)
}
