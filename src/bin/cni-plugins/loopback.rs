//! `loopback`: brings `lo` of the container up, whatever CNI_IFNAME says. No configuration of its own.

use std::path::Path;

use libcni::plugin::{Answer, AttachmentCall, Failure, Plugin};
use libcni::result::{AddResult, v100};
use libcni::spec::IpNet;

use libcni::link::{Handle, Link, Request};

const LO: &str = "lo";

pub(crate) struct Loopback;

impl Plugin for Loopback {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let netns = call.require_netns()?;
        let mut handle = Handle::inside(netns)?;
        let lo = lo(&mut handle)?;
        handle.ask([Request::set_up(lo.index)])?;
        let result = |ips| describe(&lo, ips, netns).into();
        // What an earlier plugin said stays the result of the list: `lo` is nobody's attachment.
        match call.config.prev_result()? {
            Some(previous) => Ok(previous),
            None => Ok(result(handle.addresses(lo.index)?.into_iter().map(|address| address.address).collect())),
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

fn describe(lo: &Link, addresses: Vec<IpNet>, netns: &Path) -> v100::Body {
    let interface = v100::Interface {
        name: lo.name.clone(),
        mac: Some(lo.mac.clone()),
        sandbox: Some(netns.display().to_string()),
        ..v100::Interface::default()
    };
    let ip = |address| v100::Ip { interface: Some(0), ..v100::Ip::new(address) };
    let ips = addresses.into_iter().map(ip).collect();
    v100::Body { interfaces: vec![interface], ips, ..v100::Body::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_has_lo_and_its_addresses() {
        let lo = Link { name: "lo".to_owned(), mac: "00:00:00:00:00:00".to_owned(), ..Link::default() };
        let ips = ["127.0.0.1/8", "::1/128"].map(|address| address.parse().unwrap());
        let result = AddResult::from(describe(&lo, ips.to_vec(), Path::new("/run/netns/blue")));
        let expected = r#"{"cniVersion":"1.1.0","interfaces":[{"name":"lo","mac":"00:00:00:00:00:00","sandbox":"/run/netns/blue"}],"ips":[{"interface":0,"address":"127.0.0.1/8"},{"interface":0,"address":"::1/128"}]}"#;
        assert_eq!(result.to_string(), expected);
    }
}
