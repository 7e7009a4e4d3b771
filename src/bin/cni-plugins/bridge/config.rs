//! The plugin's configuration, and what the call adds to it.

use libcni::plugin::{Answer, Call, Failure};
use libcni::spec::Dns;
use serde::Deserialize;

use crate::bridge::vlan::{Trunk, Vlans};
use crate::invalid::invalid;

/// The bridge of a network that names none.
pub(crate) const DEFAULT_BRIDGE: &str = "cni0";

/// The keys of the reference plugin of the same name.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Config {
    /// The bridge's name.
    pub(crate) bridge: String,
    /// Gives the bridge the gateway's address, and turns on forwarding.
    pub(crate) is_gateway: bool,
    /// Also routes everything in the container to it.
    pub(crate) is_default_gateway: bool,
    /// Takes an address of the same network from the bridge, if it has another one than the gateway's.
    pub(crate) force_address: bool,
    /// Masquerades what leaves the container's network.
    pub(crate) ip_masq: bool,
    /// The tools that the reference plugin masquerades with. Both are nf_tables here.
    pub(crate) ip_masq_backend: Option<String>,
    /// MTU of both ends; the kernel's choice when it is not above 0.
    pub(crate) mtu: i64,
    /// Lets frames leave by the port that they came in.
    pub(crate) hairpin_mode: bool,
    /// Makes the bridge promiscuous.
    pub(crate) promisc_mode: bool,
    /// Keeps ports from talking to each other.
    pub(crate) port_isolation: bool,
    /// The VLAN of the container's port; none when 0.
    pub(crate) vlan: i64,
    /// The VLANs whose frames the port takes with their tags.
    pub(crate) vlan_trunk: Option<Vec<Trunk>>,
    /// Keeps the port in the bridge's default VLAN as well.
    pub(crate) preserve_default_vlan: bool,
    /// Drops frames from the container that don't have its own hardware address.
    pub(crate) macspoofchk: bool,
    /// Waits with IPv6 addresses until duplicate address detection is over.
    pub(crate) enabledad: bool,
    /// Leaves the container's end down and without address.
    pub(crate) disable_container_interface: bool,
    /// Overrides what the IPAM plugin says.
    pub(crate) dns: Option<Dns>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bridge: DEFAULT_BRIDGE.to_owned(),
            is_gateway: false,
            is_default_gateway: false,
            force_address: false,
            ip_masq: false,
            ip_masq_backend: None,
            mtu: 0,
            hairpin_mode: false,
            promisc_mode: false,
            port_isolation: false,
            vlan: 0,
            vlan_trunk: None,
            preserve_default_vlan: false,
            macspoofchk: false,
            enabledad: false,
            disable_container_interface: false,
            dns: None,
        }
    }
}

impl Config {
    pub(crate) fn read(call: &Call) -> Answer<Self> {
        let mut config: Self = call.config.typed()?;
        config.is_gateway |= config.is_default_gateway;
        config.check(call)?;
        Ok(config)
    }

    fn check(&self, call: &Call) -> Answer {
        if libcni::spec::IfName::new(&*self.bridge).is_err() {
            return Err(invalid(format!("invalid bridge name `{}`", self.bridge)));
        }
        if self.hairpin_mode && self.promisc_mode {
            return Err(invalid("`hairpinMode` and `promiscMode` can't be set together"));
        }
        self.vlans()?;
        let known = self.ip_masq_backend.as_deref().filter(|_| self.ip_masq).unwrap_or("nftables");
        if !["iptables", "nftables"].contains(&known) {
            return Err(invalid(format!("unknown `ipMasqBackend` `{known}`: `iptables` and `nftables` are known")));
        }
        if self.disable_container_interface && call.config.ipam_type()?.is_some() {
            return Err(invalid("with `disableContainerInterface` there can't be an `ipam`"));
        }
        Ok(())
    }

    /// The VLANs of the container's port.
    pub(crate) fn vlans(&self) -> Result<Vlans, Failure> {
        Vlans::new(self.vlan, self.vlan_trunk.as_deref().unwrap_or_default())
    }

    /// Returns true if the bridge is to keep VLANs apart.
    pub(crate) fn filters_vlans(&self) -> bool {
        self.vlan != 0 || self.vlan_trunk.is_some()
    }

    /// The VLAN whose gateway an interface of its own is; `None` when the bridge itself is the gateway.
    pub(crate) fn gateway_vlan(&self) -> Option<u16> {
        u16::try_from(self.vlan).ok().filter(|vlan| *vlan > 0)
    }

    pub(crate) fn mtu(&self) -> Option<u32> {
        // More than fits is more than any link takes: the kernel says so.
        (self.mtu > 0).then(|| u32::try_from(self.mtu).unwrap_or(u32::MAX))
    }
}
