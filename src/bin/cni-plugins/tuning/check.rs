//! CHECK: everything is as configured.

use libcni::link::Handle;
use libcni::plugin::{Answer, AttachmentCall, Failure};

use crate::mac;
use crate::tuning::config::{Config, Settings};
use crate::tuning::{interface, sysctls};

/// Compares what is configured with what is, in the namespace of the container.
pub(crate) fn check(call: &AttachmentCall, config: &Config, settings: &Settings) -> Answer {
    let ifname = call.ifname.as_str();
    config.sysctl.iter().try_for_each(|(key, value)| sysctls::check(key, ifname, value))?;
    let link = interface::link(&mut Handle::here()?, ifname)?;
    let found = Settings::of(settings, &link);
    let different = |key: &str, found: &str, wanted: &str| {
        Failure::internal(format!("CHECK: tuning: `{key}` of interface `{ifname}` is {found}, not {wanted}"))
    };
    if let Some(mac) = settings.mac.filter(|_| found.mac != settings.mac) {
        return Err(different("mac", mac::shown(&link), &mac::format(mac)));
    }
    for (key, found, wanted) in [
        ("promisc", found.promisc.map(u32::from), settings.promisc.map(u32::from)),
        ("mtu", found.mtu, settings.mtu),
        ("allmulti", found.allmulti.map(u32::from), settings.allmulti.map(u32::from)),
        ("txQLen", found.tx_queue_len, settings.tx_queue_len),
    ] {
        if let (Some(found), Some(wanted)) = (found, wanted)
            && found != wanted
        {
            return Err(different(key, &found.to_string(), &wanted.to_string()));
        }
    }
    Ok(())
}
