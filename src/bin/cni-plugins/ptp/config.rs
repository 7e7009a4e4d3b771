//! The plugin's configuration.

use libcni::plugin::{Answer, Call};
use libcni::spec::Dns;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::invalid::invalid;

/// The keys of the reference plugin of the same name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Config {
    /// Masquerades what the container sends beyond its network.
    pub(crate) ip_masq: bool,
    /// The tools that the reference plugin masquerades with. Both are nf_tables here.
    ip_masq_backend: Option<String>,
    mtu: i64,
    dns: Dns,
}

/// Which keys of `dns` there are: an empty list is one, too.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Given {
    nameservers: Option<IgnoredAny>,
    search: Option<IgnoredAny>,
    options: Option<IgnoredAny>,
    domain: String,
}

impl Config {
    pub(crate) fn read(call: &Call) -> Answer<Self> {
        let config: Self = call.config.typed()?;
        let known = config.ip_masq_backend.as_deref().filter(|_| config.ip_masq).unwrap_or("nftables");
        if !["iptables", "nftables"].contains(&known) {
            let msg = format!("ptp: unknown `ipMasqBackend` `{known}`: `iptables` and `nftables` are known");
            return Err(invalid(msg));
        }
        Ok(config)
    }

    /// The `dns` in place of that of the IPAM plugin, if it is configured.
    pub(crate) fn dns(&self, call: &Call) -> Answer<Option<Dns>> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Key {
            dns: Given,
        }
        let Given { nameservers, search, options, domain } = call.config.typed::<Key>()?.dns;
        let is_given = [nameservers, search, options].iter().any(Option::is_some) || !domain.is_empty();
        Ok(is_given.then(|| self.dns.clone()))
    }

    /// MTU of both ends; the kernel's choice when `None`.
    pub(crate) fn mtu(&self) -> Option<u32> {
        // More than fits is more than any link takes: the kernel says so.
        (self.mtu > 0).then(|| u32::try_from(self.mtu).unwrap_or(u32::MAX))
    }
}

/// The IPAM plugin, without which there is no gateway.
pub(crate) fn ipam_type(call: &Call) -> Answer<String> {
    call.config.ipam_type()?.ok_or_else(|| invalid("ptp: the configuration has no `ipam` with a `type`"))
}
