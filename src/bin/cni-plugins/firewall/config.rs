//! The plugin's configuration.

use std::net::IpAddr;

use libcni::plugin::{Answer, Call};
use libcni::result::v100::{Body, Interface};
use serde::Deserialize;

use crate::firewall::plan::Ingress;
use crate::invalid::invalid;
use crate::nft::family::Family;

/// The keys of the reference plugin of the same name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    backend: String,
    firewalld_zone: String,
    iptables_admin_chain_name: String,
    ingress_policy: String,
}

/// The program whose rules decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// firewalld if it runs, or else iptables.
    Any,
    Iptables,
    Firewalld,
}

/// The action.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) backend: Backend,
    /// The zone of firewalld that addresses are added to.
    pub(crate) zone: String,
    /// The chain that administrators put rules into.
    pub(crate) admin_chain: String,
    /// Who may open connections; `None` when everybody may.
    pub(crate) ingress: Option<Ingress>,
}

impl Config {
    pub(crate) fn read(call: &Call) -> Answer<Self> {
        let written: Written = call.config.typed()?;
        let backend = match &*written.backend {
            "" => Backend::Any,
            "iptables" => Backend::Iptables,
            "firewalld" => Backend::Firewalld,
            other => {
                let known = "`iptables` and `firewalld` are known";
                return Err(invalid(format!("firewall: unknown `backend` `{other}`: {known}")));
            }
        };
        let ingress = match &*written.ingress_policy {
            "" | "open" => None,
            "same-bridge" => Some(Ingress::SameBridge),
            "isolated" => Some(Ingress::Isolated),
            other => {
                let known = "`open`, `same-bridge` and `isolated` are known";
                return Err(invalid(format!("firewall: unknown `ingressPolicy` `{other}`: {known}")));
            }
        };
        let admin_chain = written.iptables_admin_chain_name;
        let admin_chain = if admin_chain.is_empty() { "CNI-ADMIN".to_owned() } else { admin_chain };
        let is_valid = |c: char| c.is_ascii_graphic() && !"!\"'\\".contains(c);
        if admin_chain.len() > 28 || admin_chain.starts_with('-') || !admin_chain.chars().all(is_valid) {
            let msg = format!("firewall: `iptablesAdminChainName` `{admin_chain}` is not the name of a chain");
            return Err(invalid(msg));
        }
        let zone = written.firewalld_zone;
        if zone.contains('\0') {
            return Err(invalid("firewall: `firewalldZone` is not the name of a zone"));
        }
        let zone = if zone.is_empty() { "trusted".to_owned() } else { zone };
        Ok(Self { backend, zone, admin_chain, ingress })
    }

    /// The bridge whose containers are kept from others, and from whom.
    pub(crate) fn isolated<'a>(&self, body: &'a Body) -> Answer<Option<(&'a str, Ingress)>> {
        let Some(ingress) = self.ingress else { return Ok(None) };
        let is_on_host = |interface: &&Interface| interface.sandbox.as_deref().unwrap_or_default().is_empty();
        let bridge = body.interfaces.iter().find(is_on_host).filter(|bridge| !bridge.name.is_empty());
        let missing = "firewall: `ingressPolicy` needs the bridge, which the previous result does not name: \
                       `firewall` must come after `bridge`";
        let bridge = bridge.ok_or_else(|| invalid(missing))?;
        if libcni::spec::IfName::new(&*bridge.name).is_err() {
            return Err(invalid(format!(
                "firewall: invalid name of a bridge in the previous result: `{}`",
                bridge.name
            )));
        }
        Ok(Some((&bridge.name, ingress)))
    }
}

/// The addresses of a family that are let through.
pub(crate) fn addresses(body: &Body, family: Family) -> Vec<IpAddr> {
    let addresses = body.ips.iter().map(|ip| ip.address.addr());
    let mut of_family: Vec<_> =
        addresses.filter(|address| Family::of(*address) == family && !address.is_loopback()).collect();
    of_family.sort();
    of_family.dedup();
    of_family
}
