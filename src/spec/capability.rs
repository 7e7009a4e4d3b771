//! Typed capability arguments: what a runtime may pass to plugins that declare the capability.
//!
//! The keys and shapes are those of the [conventions](crate::specification#61-capability-arguments). [`CapabilityArgs`]
//! takes any other key too.
//!
//! ```
//! use libcni::spec::capability::{CapabilityArgs, PortMapping};
//!
//! let mut args = CapabilityArgs::new();
//! args.set_port_mappings(&[PortMapping::tcp(8080, 80)]);
//! args.set_mac("c2:11:22:33:44:55");
//! assert_eq!(
//!     args.to_string(),
//!     r#"{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}],"mac":"c2:11:22:33:44:55"}"#,
//! );
//! ```

use std::fmt;
use std::net::IpAddr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::fields::{Fields, InvalidField, Shape, serde_by_shape};
use super::{IpNet, Object};

/// Capability arguments by key. A plugin gets those that its `capabilities` set to true, as `runtimeConfig`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CapabilityArgs(Object);

/// A port of the host that leads to a port of the container (key `portMappings`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortMapping {
    /// The port on the host.
    pub host_port: u16,
    /// The port in the container.
    pub container_port: u16,
    /// `tcp`, `udp` or `sctp`.
    #[serde(default = "tcp")]
    pub protocol: String,
    /// The only address of the host that is mapped; all of them when absent.
    #[serde(
        rename = "hostIP",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "absent_when_empty"
    )]
    pub host_ip: Option<IpAddr>,
}

/// `""` counts as absent: containerd and CRI-O always send the key.
fn absent_when_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IpAddr>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty());
    let parse = |text: String| text.parse().map_err(|e| D::Error::custom(format!("`{text}`: {e}")));
    text.map(parse).transpose()
}

fn tcp() -> String {
    "tcp".to_owned()
}

impl PortMapping {
    /// A TCP port on every address of the host.
    pub fn tcp(host_port: u16, container_port: u16) -> Self {
        Self { host_port, container_port, protocol: tcp(), host_ip: None }
    }
}

/// Limits of an interface (key `bandwidth`): rates in bits per second, bursts in bits; 0 is unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Bandwidth {
    /// Towards the container, bits per second.
    pub ingress_rate: u64,
    /// Towards the container, bits.
    pub ingress_burst: u64,
    /// From the container, bits per second.
    pub egress_rate: u64,
    /// From the container, bits.
    pub egress_burst: u64,
}

/// A range to take an address from (key `ipRanges`, a list of lists of these).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IpRange {
    /// The network.
    pub subnet: IpNet,
    /// The first address; the network's first when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range_start: Option<IpAddr>,
    /// The last address; the network's last when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range_end: Option<IpAddr>,
    /// The gateway of the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
}

/// Settings for the container's resolver (key `dns`). Its keys are not those of [`Dns`](super::Dns), which results and
/// configurations have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolver {
    /// Addresses of name servers, the preferred one first.
    pub servers: Vec<String>,
    /// Domains to search for short names.
    pub searches: Vec<String>,
    /// The local domain.
    pub domain: Option<String>,
    /// Options for the resolver.
    pub options: Vec<String>,
}

// By shape, since runtimes written in Go print the names of the fields as they are: `Servers`.
impl Shape for Resolver {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            servers: fields.take_or_default("servers")?,
            searches: fields.take_or_default("searches")?,
            domain: fields.take_text("domain")?,
            options: fields.take_or_default("options")?,
        })
    }

    fn write(&self, object: &mut Object) {
        object.set_filled("servers", &self.servers);
        object.set_filled("searches", &self.searches);
        object.set_some("domain", &self.domain);
        object.set_filled("options", &self.options);
    }
}

serde_by_shape!(Resolver);

impl CapabilityArgs {
    /// No arguments.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a JSON object of arguments.
    ///
    /// # Errors
    /// The text is not a JSON object.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        Object::parse(text).map(Self)
    }

    /// Whether there is no argument.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a capability.
    pub fn get(&self, capability: &str) -> Option<&RawValue> {
        self.0.get(capability)
    }

    /// The arguments in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter()
    }

    /// The arguments of the capabilities that are wanted.
    pub(crate) fn only(&self, wanted: impl Fn(&str) -> bool) -> Object {
        self.0.only(wanted)
    }

    /// Sets the argument of any capability.
    pub fn set(&mut self, capability: &str, value: &(impl Serialize + ?Sized)) {
        self.0.set(capability, value);
    }

    /// Sets `portMappings`.
    pub fn set_port_mappings(&mut self, mappings: &[PortMapping]) {
        self.set("portMappings", mappings);
    }

    /// Sets `bandwidth`.
    pub fn set_bandwidth(&mut self, bandwidth: &Bandwidth) {
        self.set("bandwidth", bandwidth);
    }

    /// Sets `ipRanges`: for each inner list the plugin allocates one address.
    pub fn set_ip_ranges(&mut self, sets: &[Vec<IpRange>]) {
        self.set("ipRanges", sets);
    }

    /// Sets `ips`: the addresses to use.
    pub fn set_ips(&mut self, ips: &[IpNet]) {
        self.set("ips", ips);
    }

    /// Sets `mac`: the hardware address to use.
    pub fn set_mac(&mut self, mac: &str) {
        self.set("mac", mac);
    }

    /// Sets `dns`: the resolver's configuration.
    pub fn set_dns(&mut self, resolver: &Resolver) {
        self.set("dns", resolver);
    }

    /// Sets `aliases`: further names of the container.
    pub fn set_aliases(&mut self, aliases: &[String]) {
        self.set("aliases", aliases);
    }

    /// Sets `deviceID`: the PCI or other address of a device.
    pub fn set_device_id(&mut self, device: &str) {
        self.set("deviceID", device);
    }

    /// Sets `infinibandGUID`.
    pub fn set_infiniband_guid(&mut self, guid: &str) {
        self.set("infinibandGUID", guid);
    }

    /// Sets `cgroupPath`: the container's control group.
    pub fn set_cgroup_path(&mut self, path: &str) {
        self.set("cgroupPath", path);
    }
}

/// The JSON text.
impl fmt::Display for CapabilityArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Object> for CapabilityArgs {
    fn from(object: Object) -> Self {
        Self(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resolver_has_the_keys_of_the_convention_and_not_those_of_a_result() {
        let mut args = CapabilityArgs::new();
        let servers = vec!["10.1.0.1".to_owned()];
        args.set_dns(&Resolver { servers, searches: vec!["example.org".to_owned()], ..Resolver::default() });
        assert_eq!(args.to_string(), r#"{"dns":{"servers":["10.1.0.1"],"searches":["example.org"]}}"#);
    }

    #[test]
    fn the_resolver_of_a_runtime_in_go_is_read() {
        let text = r#"{"Servers":["10.1.0.1"],"Searches":null,"Options":["ndots:5"]}"#;
        let resolver: Resolver = serde_json::from_str(text).unwrap();
        assert_eq!((resolver.servers.len(), resolver.searches.len(), resolver.options.len()), (1, 0, 1));
    }

    #[test]
    fn a_mapping_without_an_address_is_for_all_of_them() {
        for absent in ["", r#","hostIP":"""#, r#","hostIP":null"#] {
            let json = format!(r#"{{"hostPort":8080,"containerPort":80{absent}}}"#);
            assert_eq!(serde_json::from_str::<PortMapping>(&json).unwrap(), PortMapping::tcp(8080, 80));
        }
        let error = serde_json::from_str::<PortMapping>(r#"{"hostPort":1,"containerPort":1,"hostIP":"10.0"}"#);
        assert!(error.unwrap_err().to_string().starts_with("`10.0`: "));
    }
}
