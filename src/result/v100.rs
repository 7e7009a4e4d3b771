//! Results of 1.0.0 and 1.1.0.
//!
//! 1.1.0 added `mtu`, `socketPath` and `pciID` of interfaces and the numbers of routes; both versions share one
//! shape here, as they do in the Go libraries, so 1.0.0 results may carry them too.

use std::net::IpAddr;

use super::v040;
use crate::setters::setters;
use crate::spec::{Dns, Fields, InvalidField, IpNet, Object, Route, Shape, serde_by_shape};

/// The content of a result of this generation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(alias = "types100.Result")]
#[non_exhaustive]
pub struct Body {
    /// The interfaces that the plugins made, in the container and on the host.
    pub interfaces: Vec<Interface>,
    /// The addresses that they have.
    pub ips: Vec<Ip>,
    /// The routes in the container.
    pub routes: Vec<Route>,
    /// Settings for the container's resolver.
    pub dns: Dns,
    /// Keys that the specification does not know.
    pub extra: Object,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its hardware address.
    pub mac: Option<String>,
    /// Its MTU in bytes.
    pub mtu: Option<i64>,
    /// The path of the namespace that it is in; absent for the host's own.
    pub sandbox: Option<String>,
    /// The path of a socket that belongs to it.
    pub socket_path: Option<String>,
    /// The PCI address of the device behind it.
    pub pci_id: Option<String>,
    /// Keys that the specification does not know.
    pub extra: Object,
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "IPConfig")]
#[non_exhaustive]
pub struct Ip {
    /// The index of its interface in the list of interfaces. Not checked: it may point nowhere.
    pub interface: Option<i64>,
    /// The address.
    pub address: IpNet,
    /// The gateway of its network.
    pub gateway: Option<IpAddr>,
    /// Keys that the specification does not know.
    pub extra: Object,
}

impl Ip {
    /// An address without interface and gateway.
    pub fn new(address: IpNet) -> Self {
        Self { interface: None, address, gateway: None, extra: Object::new() }
    }
}

setters! {
    Body {
        interfaces: into Vec<Interface>,
        ips: into Vec<Ip>,
        routes: into Vec<Route>,
        dns: Dns,
        extra: Object,
    }
}

impl Interface {
    /// An interface of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

setters! {
    Interface {
        mac: some into String,
        mtu: some i64,
        sandbox: some into String,
        socket_path: some into String,
        pci_id: some into String,
        extra: Object,
    }
}

setters! {
    Ip {
        interface: some i64,
        gateway: some IpAddr,
        extra: Object,
    }
}

impl Body {
    /// Appends what another result has, for a plugin that has several others make an interface each. The addresses keep
    /// their interfaces; of settings for the resolver and of unknown keys that both have, those of this one stay.
    ///
    /// ```
    /// use libcni::result::v100::{Body, Interface, Ip};
    ///
    /// let made = |name: &str, address: &str| -> Result<Body, libcni::spec::InvalidIpNet> {
    ///     let ip = Ip::new(address.parse()?).interface(0);
    ///     Ok(Body::default().interfaces([Interface::new(name).sandbox("/run/netns/blue")]).ips([ip]))
    /// };
    /// let mut body = made("eth0", "10.1.0.5/16")?;
    /// body.append(made("eth1", "10.2.0.5/16")?);
    /// assert_eq!(body.ips_of("eth1").next().map(|ip| ip.address), Some("10.2.0.5/16".parse()?));
    /// # Ok::<(), libcni::spec::InvalidIpNet>(())
    /// ```
    pub fn append(&mut self, other: Self) {
        let before = i64::try_from(self.interfaces.len()).unwrap_or(i64::MAX);
        let moved = |ip: Ip| Ip { interface: ip.interface.map(|index| index.saturating_add(before)), ..ip };
        self.ips.extend(other.ips.into_iter().map(moved));
        self.interfaces.extend(other.interfaces);
        self.routes.extend(other.routes);
        if self.dns == Dns::default() {
            self.dns = other.dns;
        }
        self.extra.append_missing(&other.extra);
    }

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
        if !self.dns.is_empty() {
            object.set("dns", &self.dns);
        }
        object.append_missing(&self.extra);
    }
}

impl Shape for Interface {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            name: fields.take_or_default("name")?,
            mac: fields.take_text("mac")?,
            mtu: fields.take("mtu")?.filter(|mtu| *mtu != 0),
            sandbox: fields.take_text("sandbox")?,
            socket_path: fields.take_text("socketPath")?,
            pci_id: fields.take_text("pciID")?,
            extra: fields.rest(),
        })
    }

    fn write(&self, object: &mut Object) {
        object.set("name", &self.name);
        object.set_some("mac", &self.mac);
        object.set_some("mtu", &self.mtu);
        object.set_some("sandbox", &self.sandbox);
        object.set_some("socketPath", &self.socket_path);
        object.set_some("pciID", &self.pci_id);
        object.append_missing(&self.extra);
    }
}

impl Shape for Ip {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            interface: fields.take("interface")?,
            address: fields.require("address")?,
            gateway: fields.take_parsed("gateway")?,
            extra: fields.rest(),
        })
    }

    fn write(&self, object: &mut Object) {
        object.set_some("interface", &self.interface);
        object.set("address", &self.address);
        object.set_some("gateway", &self.gateway);
        object.append_missing(&self.extra);
    }
}

serde_by_shape!(Body, Interface, Ip);

impl From<v040::Body> for Body {
    fn from(old: v040::Body) -> Self {
        Self {
            interfaces: old.interfaces.into_iter().map(Interface::from).collect(),
            ips: old.ips.into_iter().map(Ip::from).collect(),
            routes: old.routes,
            dns: old.dns,
            extra: old.extra,
        }
    }
}

impl From<v040::Interface> for Interface {
    fn from(old: v040::Interface) -> Self {
        Self {
            name: old.name,
            mac: old.mac,
            sandbox: old.sandbox,
            // Meaningful from 1.0.0 on only: in an older result they are somebody else's keys.
            extra: old.extra.without(&["mtu", "socketPath", "pciID"]),
            ..Self::default()
        }
    }
}

impl From<v040::Ip> for Ip {
    fn from(old: v040::Ip) -> Self {
        Self { interface: old.interface, address: old.address, gateway: old.gateway, extra: old.extra }
    }
}
