//! Routes and resolver settings: what every generation of results shares.

use std::net::IpAddr;

use super::fields::{Fields, Shape, serde_by_shape};
use super::object::Object;
use super::{InvalidField, IpNet};
use crate::setters::setters;

/// A route in the container.
///
/// ```
/// use libcni::spec::Route;
///
/// let route = Route::new("0.0.0.0/0".parse()?).via([10, 1, 0, 1].into());
/// assert_eq!(serde_json::to_string(&route)?, r#"{"dst":"0.0.0.0/0","gw":"10.1.0.1"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Numbers are signed and 64 bits wide because plugins written in Go print what their `int` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The destination.
    pub dst: IpNet,
    /// The next hop; the address's gateway, if any, when absent.
    pub gw: Option<IpAddr>,
    /// The route's MTU in bytes.
    pub mtu: Option<i64>,
    /// The largest TCP segment to announce, in bytes.
    pub advmss: Option<i64>,
    /// The metric: lower is preferred.
    pub priority: Option<i64>,
    /// The routing table.
    pub table: Option<i64>,
    /// The scope, by the kernel's numbers (0 is global, 253 link).
    pub scope: Option<i64>,
    /// Keys that the specification does not know.
    pub extra: Object,
}

impl Route {
    /// A route to a destination.
    pub fn new(dst: IpNet) -> Self {
        Self { dst, gw: None, mtu: None, advmss: None, priority: None, table: None, scope: None, extra: Object::new() }
    }

    /// The same route through a next hop.
    pub fn via(self, gw: IpAddr) -> Self {
        let gw = Some(gw);
        Self { gw, ..self }
    }
}

setters! {
    Route {
        mtu: some i64,
        advmss: some i64,
        priority: some i64,
        table: some i64,
        scope: some i64,
        extra: Object,
    }
}

impl Shape for Route {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        let nonzero = |number: &i64| *number != 0;
        Ok(Self {
            dst: fields.require("dst")?,
            gw: fields.take_parsed("gw")?,
            mtu: fields.take("mtu")?.filter(nonzero),
            advmss: fields.take("advmss")?.filter(nonzero),
            priority: fields.take("priority")?.filter(nonzero),
            // 0 is a table and a scope of its own.
            table: fields.take("table")?,
            scope: fields.take("scope")?,
            extra: fields.rest(),
        })
    }

    fn write(&self, object: &mut Object) {
        object.set("dst", &self.dst);
        object.set_some("gw", &self.gw);
        object.set_some("mtu", &self.mtu);
        object.set_some("advmss", &self.advmss);
        object.set_some("priority", &self.priority);
        object.set_some("table", &self.table);
        object.set_some("scope", &self.scope);
        object.append_missing(&self.extra);
    }
}

/// Settings for the container's resolver. None of the texts is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dns {
    /// Addresses of name servers, the preferred one first.
    pub nameservers: Vec<String>,
    /// The local domain.
    pub domain: Option<String>,
    /// Domains to search for short names.
    pub search: Vec<String>,
    /// Options for the resolver.
    pub options: Vec<String>,
    /// Keys that the specification does not know.
    pub extra: Object,
}

setters! {
    Dns {
        nameservers: into Vec<String>,
        domain: some into String,
        search: into Vec<String>,
        options: into Vec<String>,
        extra: Object,
    }
}

impl Dns {
    /// Returns true if nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Shape for Dns {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            nameservers: fields.take_or_default("nameservers")?,
            domain: fields.take_text("domain")?,
            search: fields.take_or_default("search")?,
            options: fields.take_or_default("options")?,
            extra: fields.rest(),
        })
    }

    fn write(&self, object: &mut Object) {
        object.set_filled("nameservers", &self.nameservers);
        object.set_some("domain", &self.domain);
        object.set_filled("search", &self.search);
        object.set_filled("options", &self.options);
        object.append_missing(&self.extra);
    }
}

serde_by_shape!(Route, Dns);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_two_to_the_53_survive_in_routes() {
        let text = r#"{"dst":"0.0.0.0/0","priority":9007199254740993,"weight":1e400}"#;
        let route: Route = serde_json::from_str(text).unwrap();
        assert_eq!(route.priority, Some(9007199254740993));
        assert_eq!(serde_json::to_string(&route).unwrap(), text);
    }
}
