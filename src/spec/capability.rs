//! Typed capability arguments, which a runtime may pass to plugins that declare the capability.
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

use serde::{Deserialize, Serialize};

use super::{InvalidField, IpNet, Json, Malformed, Object};
use crate::setters::setters;

mod protocol;
mod shapes;

pub use protocol::{InvalidProtocol, Protocol};

/// Capability arguments by key. A plugin gets those that its `capabilities` set to true, as `runtimeConfig`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CapabilityArgs(Object);

/// A port of the host that leads to a port of the container (key `portMappings`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortMapping {
    /// The port on the host.
    pub host_port: u16,
    /// The port in the container.
    pub container_port: u16,
    /// The protocol.
    pub protocol: Protocol,
    /// The only address of the host that is mapped; all of them when absent.
    pub host_ip: Option<IpAddr>,
}

impl PortMapping {
    /// A port on every address of the host.
    pub fn new(protocol: Protocol, host_port: u16, container_port: u16) -> Self {
        Self { host_port, container_port, protocol, host_ip: None }
    }

    /// A TCP port on every address of the host.
    pub fn tcp(host_port: u16, container_port: u16) -> Self {
        Self::new(Protocol::Tcp, host_port, container_port)
    }

    /// A UDP port on every address of the host.
    pub fn udp(host_port: u16, container_port: u16) -> Self {
        Self::new(Protocol::Udp, host_port, container_port)
    }

    /// An SCTP port on every address of the host.
    pub fn sctp(host_port: u16, container_port: u16) -> Self {
        Self::new(Protocol::Sctp, host_port, container_port)
    }
}

setters! {
    PortMapping {
        protocol: Protocol,
        host_ip: some IpAddr,
    }
}

/// Limits of an interface (key `bandwidth`): rates in bits per second, bursts in bits; 0 is unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
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

setters! {
    Bandwidth {
        ingress_rate: u64,
        ingress_burst: u64,
        egress_rate: u64,
        egress_burst: u64,
    }
}

/// A range to take an address from (key `ipRanges`, a list of lists of these).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IpRange {
    /// The network.
    pub subnet: IpNet,
    /// The first address; the network's first when absent.
    pub range_start: Option<IpAddr>,
    /// The last address; the network's last when absent.
    pub range_end: Option<IpAddr>,
    /// The gateway of the network.
    pub gateway: Option<IpAddr>,
}

impl IpRange {
    /// All addresses of a network.
    pub fn new(subnet: IpNet) -> Self {
        Self { subnet, range_start: None, range_end: None, gateway: None }
    }
}

setters! {
    IpRange {
        range_start: some IpAddr,
        range_end: some IpAddr,
        gateway: some IpAddr,
    }
}

/// Settings for the container's resolver (key `dns`). Its keys are not those of [`Dns`](super::Dns), which results and
/// configurations have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
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

setters! {
    Resolver {
        servers: into Vec<String>,
        searches: into Vec<String>,
        domain: some into String,
        options: into Vec<String>,
    }
}

impl CapabilityArgs {
    /// No arguments.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a JSON object of arguments.
    ///
    /// # Errors
    /// The text is not a JSON object.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        Object::parse(text).map(Self)
    }

    /// Returns true if there are no arguments.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The argument of a capability.
    pub fn get(&self, capability: &str) -> Option<Json<'_>> {
        self.0.get(capability)
    }

    /// The argument of a capability as a type of this module, or of the caller.
    ///
    /// Keys are found in any case, and `null` counts as absent
    /// ([1.7](crate::specification#17-how-json-is-read)): containerd writes them as here.
    ///
    /// ```
    /// use libcni::spec::capability::{CapabilityArgs, PortMapping};
    ///
    /// let args = CapabilityArgs::parse(
    ///     r#"{"portMappings": [{"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp", "HostIP": ""}]}"#,
    /// )?;
    /// let ports: Option<Vec<PortMapping>> = args.typed("portMappings")?;
    /// assert_eq!(ports, Some(vec![PortMapping::tcp(8080, 80)]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// It does not have the required form.
    pub fn typed<'de, T: Deserialize<'de>>(&'de self, capability: &str) -> Result<Option<T>, InvalidField> {
        self.0.typed(capability)
    }

    /// The arguments in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Json<'_>)> {
        self.0.iter()
    }

    /// The arguments of the capabilities that are wanted.
    pub(crate) fn only(&self, wanted: impl Fn(&str) -> bool) -> Object {
        self.0.only(wanted)
    }

    /// Sets the argument of any capability.
    ///
    /// # Errors
    /// The value can't be written as JSON: it is a map with keys that are not texts, or its `Serialize` fails. Nothing
    /// is set.
    pub fn set(&mut self, capability: &str, value: &(impl Serialize + ?Sized)) -> Result<(), InvalidField> {
        self.0.try_set(capability, value)
    }

    /// Sets `portMappings`.
    pub fn set_port_mappings(&mut self, mappings: &[PortMapping]) {
        self.0.set("portMappings", mappings);
    }

    /// Sets `bandwidth`.
    pub fn set_bandwidth(&mut self, bandwidth: &Bandwidth) {
        self.0.set("bandwidth", bandwidth);
    }

    /// Sets `ipRanges`: for each inner list the plugin allocates one address.
    pub fn set_ip_ranges(&mut self, sets: &[Vec<IpRange>]) {
        self.0.set("ipRanges", sets);
    }

    /// Sets `ips`: the addresses to use.
    pub fn set_ips(&mut self, ips: &[IpNet]) {
        self.0.set("ips", ips);
    }

    /// Sets `mac`: the hardware address to use.
    pub fn set_mac(&mut self, mac: &str) {
        self.0.set("mac", mac);
    }

    /// Sets `dns`: the resolver's configuration.
    pub fn set_dns(&mut self, resolver: &Resolver) {
        self.0.set("dns", resolver);
    }

    /// Sets `aliases`: further names of the container.
    pub fn set_aliases(&mut self, aliases: &[String]) {
        self.0.set("aliases", aliases);
    }

    /// Sets `deviceID`: the PCI or other address of a device.
    pub fn set_device_id(&mut self, device: &str) {
        self.0.set("deviceID", device);
    }

    /// Sets `infinibandGUID`.
    pub fn set_infiniband_guid(&mut self, guid: &str) {
        self.0.set("infinibandGUID", guid);
    }

    /// Sets `cgroupPath`: the container's control group.
    pub fn set_cgroup_path(&mut self, path: &str) {
        self.0.set("cgroupPath", path);
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
