//! `portmap`: maps ports of the host to ports of a container. Comes after another plugin that gives the container its
//! addresses.
//!
//! The ports come from the runtime, as the capability `portMappings`: a list of {`hostPort`, `containerPort`,
//! `protocol` (`tcp`, `udp` or `sctp`), `hostIP`}. Without `hostIP` a port of all the host's addresses is mapped, of
//! both families as far as the container has addresses of them; `0.0.0.0` and `::` stand for all of one family. A
//! mapping for a single address comes before one for all. A port that is mapped for another attachment is refused with
//! code 101.
//!
//! Keys of the configuration, all optional, as in the reference plugin of the same name:
//!
//! - `snat` (true): connections that come from the container's own network, or from the host by a loopback address,
//!   get an address of the host as their source; without that, answers to them do not come back this way.
//! - `masqAll` (false): so do all others.
//! - `conditionsV4`, `conditionsV6`: what must hold of a connection besides; see [`condition`].
//! - `backend`: `iptables` or `nftables`. Only says for which of the two the conditions are written, and need not: the
//!   plugin itself uses nf_tables.
//! - `markMasqBit`, `externalSetMarkChain`: checked, and without effect. They say how iptables is to remember what to
//!   masquerade; here nothing needs to be remembered, and no bit of the mark is used up.

mod condition;
mod config;
mod conntrack;
mod layout;
mod localhost;
mod mapping;
mod table;

use std::collections::BTreeSet;
use std::io::Write;

use libcni::Chain;
use libcni::plugin::{Answer, AttachmentCall, Call, Plugin};
use libcni::result::AddResult;
use serde::de::IgnoredAny;

use crate::nft::Owner;
use crate::nft::family::Family;
use crate::portmap::config::{Config, Masquerade};
use crate::portmap::mapping::{Mapping, Protocol};
use crate::takeover;

pub(crate) struct Portmap;

impl Plugin for Portmap {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let config = Config::read(call)?;
        let previous = call.config.require_prev_result()?;
        let mappings = mapping::read(call, &previous.latest())?;
        if !mappings.is_empty() {
            map(&Owner::of(call), &mappings, &config)?;
        }
        Ok(previous)
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        let owner = Owner::of(call);
        let removed = table::remove(&owner)?;
        if !removed.had_any && may_be_of_others(call) {
            takeover::ports::remove(&owner)?;
        }
        forget(&removed.udp);
        Ok(())
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let config = Config::read(call)?;
        let previous = call.config.require_prev_result()?;
        let mappings = mapping::read(call, &previous.latest())?;
        let owner = Owner::of(call);
        // The reference plugin may have added the container.
        table::check(&owner, &mappings, &config).or_else(|missing| {
            let is_there = takeover::mapped::are_there(&owner, &ports(&mappings))?;
            if is_there { Ok(()) } else { Err(missing) }
        })
    }

    fn gc(&self, call: &Call) -> Answer {
        let Some(valid) = call.config.valid_attachments()? else { return Ok(()) };
        let is = |owner: &Owner| valid.iter().any(|v| v.container_id == owner.container_id && v.ifname == owner.ifname);
        let network = call.config.name().as_str();
        table::retain(network, is)?;
        takeover::ports::retain(network, &valid)
    }

    fn status(&self, call: &Call) -> Answer {
        Config::read(call)?;
        table::rehearse()
    }

    fn about(&self) -> Option<String> {
        Some(crate::about::about("portmap"))
    }
}

/// Whether the reference plugin may have mapped ports: when some are asked for, or when nothing says what was.
fn may_be_of_others(call: &AttachmentCall) -> bool {
    let asked = call.config.capability::<Vec<IgnoredAny>>("portMappings").map(Option::unwrap_or_default);
    let previous = call.config.prev_result();
    !matches!((asked, previous), (Ok(asked), Ok(Some(_))) if asked.is_empty())
}

fn ports(mappings: &[Mapping]) -> Vec<takeover::Port> {
    mappings.iter().map(|mapping| mapping.host.into()).collect()
}

fn map(owner: &Owner, mappings: &[Mapping], config: &Config) -> Answer {
    if let Some((port, whose)) = takeover::mapped::holder(owner, &ports(mappings))? {
        return Err(table::taken(port, &whose));
    }
    let is_ipv4 = |mapping: &&Mapping| mapping.family() == Family::V4;
    if let Some(mapping) = mappings.iter().find(is_ipv4).filter(|_| config.masquerade != Masquerade::Nothing) {
        localhost::route_to(mapping.container.addr())?;
    }
    table::add(owner, mappings, config)?;
    let udp = mappings.iter().filter(|mapping| mapping.host.protocol == Protocol::Udp);
    forget(&udp.map(|mapping| (mapping.family(), mapping.host.port)).collect());
    Ok(())
}

/// Has the kernel forget UDP connections to ports of the host. Nothing fails for want of it: they time out.
fn forget(ports: &BTreeSet<(Family, u16)>) {
    for (family, port) in ports {
        if let Err(error) = conntrack::forget(*family, *port) {
            let _ = writeln!(std::io::stderr(), "portmap: UDP port {port}: {}", Chain(&error));
        }
    }
}
