//! Views of a result: interfaces, addresses and gateways.

use std::net::IpAddr;

use super::AddResult;
use super::v100::{Body, Interface, Ip};
use crate::spec::IpNet;

impl Body {
    /// Returns the interfaces in the container, those with a sandbox.
    pub fn container_interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.interfaces.iter().filter(|interface| interface.sandbox.is_some())
    }

    /// Returns the interfaces on the host, those without a sandbox.
    pub fn host_interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.interfaces.iter().filter(|interface| interface.sandbox.is_none())
    }

    /// Returns the interface of this name in the container. One of the host may have the same name.
    pub fn container_interface(&self, ifname: &str) -> Option<&Interface> {
        self.container_interfaces().find(|interface| interface.name == ifname)
    }

    /// Returns the addresses of the interface of this name in the container.
    ///
    /// An address without an interface belongs to the one that ADD was asked for, which is `ifname` if this is called
    /// with `CNI_IFNAME`. Results without interfaces, those of 0.2.0 and of IPAM plugins, have such addresses.
    pub fn ips_of(&self, ifname: &str) -> impl Iterator<Item = &Ip> {
        self.ips.iter().filter(move |ip| match ip.interface {
            None => true,
            Some(index) => self.interface_at(index).is_some_and(|i| i.sandbox.is_some() && i.name == ifname),
        })
    }

    /// Returns the interface of an address; `None` if the address names none, or one that does not exist.
    pub fn interface_of(&self, ip: &Ip) -> Option<&Interface> {
        self.interface_at(ip.interface?)
    }

    fn interface_at(&self, index: i64) -> Option<&Interface> {
        self.interfaces.get(usize::try_from(index).ok()?)
    }
}

impl AddResult {
    /// Returns the addresses of an interface in the container, in the order of the result, as runtimes report them: the
    /// first is the container's address ([`Body::ips_of`]).
    ///
    /// ```
    /// use libcni::result::AddResult;
    ///
    /// let result = AddResult::parse(
    ///     r#"{
    ///         "cniVersion": "1.0.0",
    ///         "interfaces": [{"name": "cni0"}, {"name": "eth0", "sandbox": "/run/netns/blue"}],
    ///         "ips": [{"address": "10.1.0.1/16", "interface": 0}, {"address": "10.1.0.5/16", "interface": 1}]
    ///     }"#,
    /// )?;
    /// assert_eq!(result.addresses("eth0"), ["10.1.0.5/16".parse()?]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn addresses(&self, ifname: &str) -> Vec<IpNet> {
        self.latest().ips_of(ifname).map(|ip| ip.address).collect()
    }

    /// Returns the gateways of an interface's networks, in the order of its addresses, each once.
    pub fn gateways(&self, ifname: &str) -> Vec<IpAddr> {
        let mut gateways = Vec::new();
        for gateway in self.latest().ips_of(ifname).filter_map(|ip| ip.gateway) {
            if !gateways.contains(&gateway) {
                gateways.push(gateway);
            }
        }
        gateways
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESULT: &str = r#"{"cniVersion": "1.0.0",
        "interfaces": [{"name": "eth0"}, {"name": "eth0", "sandbox": "/n"}, {"name": "eth1", "sandbox": "/n"}],
        "ips": [{"address": "10.1.0.1/16", "interface": 0}, {"address": "10.1.0.5/16", "interface": 1,
            "gateway": "10.1.0.1"}, {"address": "fd00::5/64", "interface": 1, "gateway": "fd00::1"},
            {"address": "10.2.0.5/16", "interface": 2}, {"address": "10.3.0.5/16", "interface": 7},
            {"address": "10.4.0.5/16", "interface": -1}]}"#;

    fn addresses(text: &str, ifname: &str) -> Vec<String> {
        AddResult::parse(text).unwrap().addresses(ifname).iter().map(IpNet::to_string).collect()
    }

    #[test]
    fn addresses_are_those_of_the_interface_in_the_container_and_not_of_its_namesake() {
        assert_eq!(addresses(RESULT, "eth0"), ["10.1.0.5/16", "fd00::5/64"]);
        assert_eq!(addresses(RESULT, "eth1"), ["10.2.0.5/16"]);
        assert!(addresses(RESULT, "eth2").is_empty());
        let result = AddResult::parse(RESULT).unwrap();
        assert_eq!(result.gateways("eth0"), ["10.1.0.1", "fd00::1"].map(|ip| ip.parse::<IpAddr>().unwrap()));
    }

    #[test]
    fn an_address_of_no_interface_is_that_of_the_one_asked_for() {
        assert_eq!(addresses(r#"{"cniVersion":"0.2.0","ip4":{"ip":"10.1.0.5/16"}}"#, "eth0"), ["10.1.0.5/16"]);
        assert_eq!(addresses(r#"{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.5/16"}]}"#, "net1"), ["10.1.0.5/16"]);
    }

    #[test]
    fn interfaces_are_on_the_host_or_in_the_container() {
        let body = AddResult::parse(RESULT).unwrap().latest();
        assert_eq!((body.container_interfaces().count(), body.host_interfaces().count()), (2, 1));
        assert_eq!(body.container_interface("eth0"), Some(&body.interfaces[1]));
        assert_eq!(body.interface_of(&body.ips[3]), Some(&body.interfaces[2]));
        assert!(body.ips[4..].iter().all(|ip| body.interface_of(ip).is_none()));
    }
}
