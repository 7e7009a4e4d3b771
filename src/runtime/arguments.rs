//! Shortcuts for the arguments that runtimes give most often.

use serde::Serialize;

use super::Attachment;
use crate::spec::capability::{Bandwidth, IpRange, PortMapping, Resolver};
use crate::spec::{InvalidArg, InvalidField, IpNet, Pod};

/// Each is the same attachment with one more argument. A capability reaches the plugins that declare it.
///
/// ```
/// use libcni::Attachment;
/// use libcni::spec::Pod;
/// use libcni::spec::capability::{Bandwidth, PortMapping};
///
/// let pod = Pod::new("default", "web-0").uid("0c6ad3a7-9d5c-4d9b-8a39-4f7d3b5a2f10");
/// let attachment = Attachment::new("4f5a9b".parse()?, "eth0".parse()?)
///     .netns("/run/netns/web-0")
///     .pod(&pod)?
///     .port_mappings(&[PortMapping::tcp(8080, 80)])
///     .bandwidth(&Bandwidth::default().ingress_rate(10_000_000).ingress_burst(8_000_000))
///     .capability("io.kubernetes.cri.pod-annotations", &[("team", "blue")])?;
/// assert!(attachment.args.to_string().starts_with("IgnoreUnknown=1;K8S_POD_NAMESPACE=default;"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Attachment {
    /// Says which Kubernetes pod the container is the sandbox of.
    ///
    /// # Errors
    /// A text of the pod can't be an argument.
    pub fn pod(mut self, pod: &Pod<'_>) -> Result<Self, InvalidArg> {
        pod.set_args(&self.container_id, &mut self.args)?;
        Ok(self)
    }

    /// Sets the argument of any capability.
    ///
    /// # Errors
    /// The value can't be written as JSON: it is a map with keys that are not texts, or its `Serialize` fails.
    pub fn capability(mut self, capability: &str, value: &(impl Serialize + ?Sized)) -> Result<Self, InvalidField> {
        self.capability_args.set(capability, value)?;
        Ok(self)
    }

    /// Sets `portMappings`: ports of the host that lead to the container.
    pub fn port_mappings(mut self, mappings: &[PortMapping]) -> Self {
        self.capability_args.set_port_mappings(mappings);
        self
    }

    /// Sets `bandwidth`: limits in bits per second, and bursts in bits.
    pub fn bandwidth(mut self, bandwidth: &Bandwidth) -> Self {
        self.capability_args.set_bandwidth(bandwidth);
        self
    }

    /// Sets `ips`: the addresses to use.
    pub fn ips(mut self, ips: &[IpNet]) -> Self {
        self.capability_args.set_ips(ips);
        self
    }

    /// Sets `mac`: the hardware address to use.
    pub fn mac(mut self, mac: &str) -> Self {
        self.capability_args.set_mac(mac);
        self
    }

    /// Sets `dns`: the resolver's configuration.
    pub fn dns(mut self, resolver: &Resolver) -> Self {
        self.capability_args.set_dns(resolver);
        self
    }

    /// Sets `aliases`: further names of the container.
    pub fn aliases(mut self, aliases: &[String]) -> Self {
        self.capability_args.set_aliases(aliases);
        self
    }

    /// Sets `ipRanges`: where to take addresses from, one of each inner list.
    pub fn ip_ranges(mut self, sets: &[Vec<IpRange>]) -> Self {
        self.capability_args.set_ip_ranges(sets);
        self
    }

    /// Sets `deviceID`: the PCI or other address of a device.
    pub fn device_id(mut self, device: &str) -> Self {
        self.capability_args.set_device_id(device);
        self
    }

    /// Sets `infinibandGUID`.
    pub fn infiniband_guid(mut self, guid: &str) -> Self {
        self.capability_args.set_infiniband_guid(guid);
        self
    }

    /// Sets `cgroupPath`: the container's control group.
    pub fn cgroup_path(mut self, path: &str) -> Self {
        self.capability_args.set_cgroup_path(path);
        self
    }
}
