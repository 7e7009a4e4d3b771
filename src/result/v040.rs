//! Results of 0.3.0, 0.3.1 and 0.4.0.
//!
//! From newer results they lose `mtu`, `socketPath` and `pciID` of interfaces; the numbers of routes stay.

use std::net::IpAddr;

use super::{v020, v100};
use crate::spec::{Dns, Fields, InvalidField, IpNet, Object, Route, Shape, serde_by_shape};

/// The content of a result of this generation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Body {
    /// The interfaces that the plugins made, in the container and on the host.
    pub(super) interfaces: Vec<Interface>,
    /// The addresses that they have.
    pub(super) ips: Vec<Ip>,
    /// The routes in the container.
    pub(super) routes: Vec<Route>,
    /// Settings for the container's resolver.
    pub(super) dns: Dns,
    /// Keys that the specification does not know.
    pub(super) extra: Object,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Interface {
    /// Its name.
    pub(super) name: String,
    /// Its hardware address.
    pub(super) mac: Option<String>,
    /// The path of the namespace that it is in; absent for the host's own.
    pub(super) sandbox: Option<String>,
    /// Keys that the specification does not know.
    pub(super) extra: Object,
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ip {
    /// The family: `4` or `6`. Not checked against the address.
    pub(super) version: String,
    /// The index of its interface in the list of interfaces. Not checked: it may point nowhere.
    pub(super) interface: Option<i64>,
    /// The address.
    pub(super) address: IpNet,
    /// The gateway of its network.
    pub(super) gateway: Option<IpAddr>,
    /// Keys that the specification does not know.
    pub(super) extra: Object,
}

/// The family of an address, as this generation writes it.
fn family(address: &IpNet) -> String {
    let family = if address.is_ipv4() { "4" } else { "6" };
    family.to_owned()
}

impl Body {
    pub(super) fn forget_extra(&mut self) {
        let interfaces = self.interfaces.iter_mut().map(|i| &mut i.extra);
        let ips = self.ips.iter_mut().map(|ip| &mut ip.extra);
        let routes = self.routes.iter_mut().map(|r| &mut r.extra);
        let own = [&mut self.extra, &mut self.dns.extra];
        let all = interfaces.chain(ips).chain(routes).chain(own);
        all.for_each(|extra| *extra = Object::new());
    }
}

impl Shape for Body {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            interfaces: fields.take_list("interfaces")?,
            ips: fields.take_list("ips")?,
            routes: fields.take_list("routes")?,
            dns: fields.take_shape("dns")?.unwrap_or_default(),
            extra: fields.rest(),
        })
    }

    fn write(&self, object: &mut Object) {
        object.set_filled("interfaces", &self.interfaces);
        object.set_filled("ips", &self.ips);
        object.set_filled("routes", &self.routes);
        // Go prints an empty `dns` up to 0.4.0, and so do we: somebody may compare results as text.
        object.set("dns", &self.dns);
        object.append_missing(&self.extra);
    }
}

impl Shape for Interface {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            name: fields.take_or_default("name")?,
            mac: fields.take_text("mac")?,
            sandbox: fields.take_text("sandbox")?,
            extra: fields.rest(),
        })
    }

    fn write(&self, object: &mut Object) {
        object.set("name", &self.name);
        object.set_some("mac", &self.mac);
        object.set_some("sandbox", &self.sandbox);
        object.append_missing(&self.extra);
    }
}

impl Shape for Ip {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            version: fields.take_or_default("version")?,
            interface: fields.take("interface")?,
            address: fields.require("address")?,
            gateway: fields.take_parsed("gateway")?,
            extra: fields.rest(),
        })
    }

    fn write(&self, object: &mut Object) {
        object.set("version", &self.version);
        object.set_some("interface", &self.interface);
        object.set("address", &self.address);
        object.set_some("gateway", &self.gateway);
        object.append_missing(&self.extra);
    }
}

serde_by_shape!(Body, Interface, Ip);

impl From<v100::Body> for Body {
    fn from(new: v100::Body) -> Self {
        Self {
            interfaces: new.interfaces.into_iter().map(Interface::from).collect(),
            ips: new.ips.into_iter().map(Ip::from).collect(),
            routes: new.routes,
            dns: new.dns,
            extra: new.extra,
        }
    }
}

impl From<v100::Interface> for Interface {
    fn from(new: v100::Interface) -> Self {
        Self { name: new.name, mac: new.mac, sandbox: new.sandbox, extra: new.extra }
    }
}

impl From<v100::Ip> for Ip {
    fn from(new: v100::Ip) -> Self {
        Self {
            version: family(&new.address),
            interface: new.interface,
            address: new.address,
            gateway: new.gateway,
            extra: new.extra.without(&["version"]),
        }
    }
}

impl From<v020::Body> for Body {
    fn from(old: v020::Body) -> Self {
        let mut body =
            Self { dns: old.dns, extra: old.extra.without(&["interfaces", "ips", "routes"]), ..Self::default() };
        for (version, ip) in [("4", old.ip4), ("6", old.ip6)] {
            let Some(ip) = ip else { continue };
            body.ips.push(Ip {
                // As in Go, the key says the family, whatever the address is.
                version: version.to_owned(),
                interface: None,
                address: ip.ip,
                gateway: ip.gateway,
                extra: ip.extra.without(&["version", "interface", "address"]),
            });
            body.routes.extend(ip.routes);
        }
        body
    }
}
