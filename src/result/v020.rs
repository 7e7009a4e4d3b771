//! Results of 0.1.0 and 0.2.0.
//!
//! From newer results they keep the first address of each family, with the routes of the family (destination and next
//! hop only), and the resolver settings. They have no interfaces, and must have an address.

use std::net::IpAddr;

use super::v040;
use crate::spec::{Dns, Fields, InvalidField, IpNet, Object, Route, Shape, serde_by_shape};

/// The content of a result of this generation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Body {
    /// The IPv4 address.
    pub(super) ip4: Option<Ip>,
    /// The IPv6 address.
    pub(super) ip6: Option<Ip>,
    /// Settings for the container's resolver.
    pub(super) dns: Dns,
    /// Keys that the specification does not know.
    pub(super) extra: Object,
}

/// An address with its gateway and routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ip {
    /// The address.
    pub(super) ip: IpNet,
    /// The gateway of its network.
    pub(super) gateway: Option<IpAddr>,
    /// The routes of its family.
    pub(super) routes: Vec<Route>,
    /// Keys that the specification does not know.
    pub(super) extra: Object,
}

impl Body {
    pub(super) fn forget_extra(&mut self) {
        for ip in [&mut self.ip4, &mut self.ip6].into_iter().flatten() {
            ip.extra = Object::new();
            ip.routes.iter_mut().for_each(|r| r.extra = Object::new());
        }
        self.dns.extra = Object::new();
        self.extra = Object::new();
    }

    /// The rest of a newer result; `None` when it has no address.
    pub(super) fn downgrade(new: v040::Body) -> Option<Self> {
        let first = |family: &str| {
            let ip = new.ips.iter().find(|ip| ip.version == family)?;
            Some(Ip {
                ip: ip.address,
                gateway: ip.gateway,
                routes: routes_of(family, &new.routes),
                extra: ip.extra.without(&["ip", "routes"]),
            })
        };
        let (ip4, ip6) = (first("4"), first("6"));
        if ip4.is_none() && ip6.is_none() {
            return None;
        }
        Some(Self { ip4, ip6, dns: new.dns, extra: new.extra.without(&["ip4", "ip6"]) })
    }
}

fn routes_of(family: &str, routes: &[Route]) -> Vec<Route> {
    let of_family = routes.iter().filter(|r| r.dst.is_ipv4() == (family == "4"));
    let plain = of_family.map(|route| Route { gw: route.gw, extra: route.extra.clone(), ..Route::new(route.dst) });
    plain.collect()
}

impl Shape for Body {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            ip4: fields.take_shape("ip4")?,
            ip6: fields.take_shape("ip6")?,
            dns: fields.take_shape("dns")?.unwrap_or_default(),
            extra: fields.rest(),
        })
    }

    fn write(&self, object: &mut Object) {
        object.set_some("ip4", &self.ip4);
        object.set_some("ip6", &self.ip6);
        // Go prints an empty `dns` up to 0.4.0, and so do we: somebody may compare results as text.
        object.set("dns", &self.dns);
        object.append_missing(&self.extra);
    }
}

impl Shape for Ip {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            ip: fields.require("ip")?,
            gateway: fields.take_parsed("gateway")?,
            routes: fields.take_list("routes")?,
            extra: fields.rest(),
        })
    }

    fn write(&self, object: &mut Object) {
        object.set("ip", &self.ip);
        object.set_some("gateway", &self.gateway);
        object.set_filled("routes", &self.routes);
        object.append_missing(&self.extra);
    }
}

serde_by_shape!(Body, Ip);
