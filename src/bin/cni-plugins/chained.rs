//! The part of a plugin that makes an interface in a list of several: the results of those before it.

use libcni::link::Link;
use libcni::plugin::AttachmentCall;
use libcni::result::AddResult;
use libcni::result::v100::{Body, Interface, Ip};
use libcni::spec::IpNet;

/// An interface of the host.
pub(crate) fn on_host(link: &Link) -> Interface {
    let mut interface = Interface::new(link.name.clone()).mtu(link.mtu.into());
    interface.mac.clone_from(&link.mac);
    interface
}

/// The answer: what the plugins before this one said, and then what this one has to say. The reference plugin answers
/// with its own part alone. What plugins behind it would notice is `lo`: its addresses are those of every container,
/// and `firewall` makes rules for each address of the result.
pub(crate) fn after(previous: Option<AddResult>, own: Body) -> Body {
    let Some(mut body) = previous.as_ref().map(AddResult::latest) else { return own };
    leave_out_loopback(&mut body);
    let before = i64::try_from(body.interfaces.len()).unwrap_or_default();
    body.interfaces.extend(own.interfaces);
    body.ips.extend(own.ips.into_iter().map(|mut ip| {
        ip.interface = ip.interface.map(|index| index + before);
        ip
    }));
    body.routes.extend(own.routes);
    if !own.dns.is_empty() {
        body.dns = own.dns;
    }
    body
}

fn leave_out_loopback(body: &mut Body) {
    let is_lo: Vec<_> = body.interfaces.iter().map(|interface| interface.name == "lo").collect();
    let at = |index: i64| usize::try_from(index).ok();
    let of_lo = |ip: &Ip| ip.interface.and_then(at).and_then(|index| is_lo.get(index).copied());
    body.ips.retain(|ip| !of_lo(ip).unwrap_or_else(|| ip.address.addr().is_loopback()));
    body.interfaces.retain(|interface| interface.name != "lo");
    for ip in &mut body.ips {
        let before = ip.interface.and_then(at).map(|index| is_lo.iter().take(index).filter(|is_lo| **is_lo).count());
        ip.interface = ip.interface.zip(before).and_then(|(index, before)| Some(index - i64::try_from(before).ok()?));
    }
}

/// A whole result without the addresses of other interfaces: what this plugin has to check.
pub(crate) fn of_interface(mut body: Body, ifname: &str) -> Body {
    let named = |index| body.interfaces.get(usize::try_from(index).ok()?).map(|i| i.name == ifname);
    body.ips.retain(|ip| ip.interface.and_then(named).unwrap_or(true));
    body
}

/// The addresses of the result of ADD, as far as the call has it: all that the attachment may have.
pub(crate) fn recorded_addresses(call: &AttachmentCall) -> Vec<IpNet> {
    let previous = call.config.prev_result().ok().flatten();
    previous.map(|previous| previous.latest().ips.iter().map(|ip| ip.address).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ipam(text: &str) -> AddResult {
        AddResult::parse(text).unwrap()
    }

    #[test]
    fn what_other_plugins_said_stays_and_indexes_still_fit() {
        let previous = r#"{"cniVersion":"1.0.0","interfaces":[{"name":"eth9","sandbox":"/n"}],
            "ips":[{"interface":0,"address":"192.0.2.1/24"}],"x":1}"#;
        let eth0 = Interface::new("eth0").sandbox("/n".to_owned());
        let ip = Ip::new("10.1.2.9/24".parse().unwrap()).interface(0);
        let own = Body::default().interfaces(vec![eth0]).ips(vec![ip]);
        let body = after(Some(ipam(previous)), own);
        assert_eq!(body.ips.iter().map(|ip| ip.interface).collect::<Vec<_>>(), [Some(0), Some(1)]);
        assert!(body.extra.get("x").is_some());
        let checked = of_interface(body, "eth0");
        assert_eq!(checked.ips.iter().map(|ip| ip.address.to_string()).collect::<Vec<_>>(), ["10.1.2.9/24"]);
    }

    #[test]
    fn what_loopback_said_is_left_out() {
        let previous = r#"{"cniVersion":"1.0.0",
            "interfaces":[{"name":"lo","sandbox":"/n"},{"name":"eth9","sandbox":"/n"},{"name":"lo","sandbox":"/m"}],
            "ips":[{"interface":0,"address":"127.0.0.1/8"},{"interface":1,"address":"192.0.2.1/24"},
                {"interface":2,"address":"::1/128"},{"address":"127.0.0.1/8"},{"address":"192.0.2.2/24"}]}"#;
        let eth0 = Interface::new("eth0");
        let ip = Ip::new("10.1.2.9/24".parse().unwrap()).interface(0);
        let own = Body::default().interfaces(vec![eth0]).ips(vec![ip]);
        let body = after(Some(ipam(previous)), own);
        let names: Vec<_> = body.interfaces.iter().map(|interface| interface.name.as_str()).collect();
        assert_eq!(names, ["eth9", "eth0"]);
        let ips: Vec<_> = body.ips.iter().map(|ip| (ip.address.to_string(), ip.interface)).collect();
        let expected = [("192.0.2.1/24", Some(0)), ("192.0.2.2/24", None), ("10.1.2.9/24", Some(1))];
        assert_eq!(ips, expected.map(|(address, index)| (address.to_owned(), index)));
    }
}
