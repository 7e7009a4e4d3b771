//! The result: the previous one, with the interface as it is now.

use libcni::result::v100::{Body, Interface};

use crate::mac;
use crate::tuning::config::Settings;

/// Says of the container's interface what has changed.
pub(crate) fn update(body: &mut Body, ifname: &str, settings: &Settings) {
    let is_inside = |interface: &Interface| interface.sandbox.as_deref().is_some_and(|sandbox| !sandbox.is_empty());
    // Old plugins leave the sandbox out.
    let any_inside = body.interfaces.iter().any(|interface| interface.name == ifname && is_inside(interface));
    let of_container = |interface: &&mut Interface| interface.name == ifname && (!any_inside || is_inside(interface));
    for interface in body.interfaces.iter_mut().filter(of_container) {
        if let Some(mac) = settings.mac {
            interface.mac = Some(mac::format(mac));
        }
        if let Some(mtu) = settings.mtu {
            interface.mtu = Some(mtu.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interface_inside_is_updated_and_no_other_of_its_name() {
        let interface = |sandbox: &str| Interface::new("eth0").sandbox(sandbox);
        let mut body = Body::default().interfaces([interface(""), interface("/n")]);
        let settings = Settings { mac: Some([2, 0, 0, 0, 0, 1]), mtu: Some(1400), ..Settings::default() };
        update(&mut body, "eth0", &settings);
        assert_eq!(body.interfaces[0], interface(""));
        assert_eq!(body.interfaces[1].mac.as_deref(), Some("02:00:00:00:00:01"));
        assert_eq!(body.interfaces[1].mtu, Some(1400));
    }
}
