//! `loopback`: brings up `lo` of the container, whatever CNI_IFNAME says. It has no configuration of its own.

use std::path::Path;

use libcni::link::{Address, Handle, Link, Request};
use libcni::plugin::{Answer, AttachmentCall, Failure, Plugin};
use libcni::result::{AddResult, v100};

const LO: &str = "lo";

pub(crate) struct Loopback;

impl Plugin for Loopback {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let netns = call.require_netns()?;
        let previous = call.config.prev_result()?;
        let mut handle = Handle::inside(netns)?;
        let lo = lo(&mut handle)?;
        handle.ask([Request::set_up(lo.index)])?;
        // The result of an earlier plugin stays that of the list: `lo` is not part of any attachment.
        match previous {
            Some(previous) => Ok(previous),
            None => Ok(describe(&lo, &handle.addresses(lo.index)?, netns).into()),
        }
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        let Some(netns) = call.netns() else { return Ok(()) };
        let mut handle = match Handle::inside(netns) {
            Err(e) if e.is_gone() => return Ok(()),
            entered => entered?,
        };
        let lo = lo(&mut handle)?;
        handle.ask([Request::set_down(lo.index)])?;
        Ok(())
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let netns = call.require_netns()?;
        let lo = lo(&mut Handle::inside(netns)?)?;
        if lo.is_up {
            Ok(())
        } else {
            Err(Failure::internal(format!("`lo` is down in network namespace {}", netns.display())))
        }
    }

    fn about(&self) -> Option<String> {
        Some(crate::about::about("loopback"))
    }
}

fn lo(handle: &mut Handle) -> Answer<Link> {
    handle.link(LO)?.ok_or_else(|| Failure::internal("the network namespace has no `lo`"))
}

/// The result: `lo` with its first loopback address of each family.
fn describe(lo: &Link, addresses: &[Address], netns: &Path) -> v100::Body {
    let mut interface = v100::Interface::new(lo.name.clone()).sandbox(netns.display().to_string());
    interface.mac.clone_from(&lo.mac);
    let loopback = || addresses.iter().map(|address| address.address).filter(|address| address.addr().is_loopback());
    let first = [true, false].map(|is_ipv4| loopback().find(|address| address.is_ipv4() == is_ipv4));
    let ip = |address| v100::Ip::new(address).interface(0);
    let ips = first.into_iter().flatten().map(ip).collect::<Vec<_>>();
    v100::Body::default().interfaces(vec![interface]).ips(ips)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_has_lo_and_its_addresses() {
        let mut lo = Link::new(1, "lo");
        lo.mac = Some("00:00:00:00:00:00".to_owned());
        let address = |text: &str| Address::new(1, text.parse().unwrap());
        // Old results have place for one address of each family.
        let ips = ["192.0.2.1/32", "127.0.0.1/8", "127.0.0.2/8", "::1/128", "2001:db8::1/128"].map(address);
        let result = AddResult::from(describe(&lo, &ips, Path::new("/run/netns/blue")));
        let expected = r#"{"cniVersion":"1.1.0","interfaces":[{"name":"lo","mac":"00:00:00:00:00:00","sandbox":"/run/netns/blue"}],"ips":[{"interface":0,"address":"127.0.0.1/8"},{"interface":0,"address":"::1/128"}]}"#;
        assert_eq!(result.to_string(), expected);
    }
}
