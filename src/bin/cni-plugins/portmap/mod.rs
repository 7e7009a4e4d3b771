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

use crate::nft::Owner;
use crate::nft::family::Family;
use crate::portmap::config::{Config, Masquerade};
use crate::portmap::mapping::{Mapping, Protocol};

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
        forget(&table::remove(&Owner::of(call))?);
        Ok(())
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let config = Config::read(call)?;
        let previous = call.config.require_prev_result()?;
        let mappings = mapping::read(call, &previous.latest())?;
        table::check(&Owner::of(call), &mappings, &config)
    }

    fn gc(&self, call: &Call) -> Answer {
        let Some(valid) = call.config.valid_attachments()? else { return Ok(()) };
        let is = |owner: &Owner| valid.iter().any(|v| v.container_id == owner.container_id && v.ifname == owner.ifname);
        table::retain(call.config.name().as_str(), is)
    }

    fn status(&self, call: &Call) -> Answer {
        Config::read(call)?;
        table::rehearse()
    }

    fn about(&self) -> Option<String> {
        Some("CNI portmap plugin of libcni: maps ports of the host to containers".to_owned())
    }
}

fn map(owner: &Owner, mappings: &[Mapping], config: &Config) -> Answer {
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
