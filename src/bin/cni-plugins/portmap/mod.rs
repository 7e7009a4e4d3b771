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
//! - `conditionsV4`, `conditionsV6`: additional conditions for a connection; see [`condition`].
//! - `backend`: `iptables` or `nftables`. Only says for which of the two the conditions are written, and need not: the
//!   plugin itself uses nf_tables.
//! - `markMasqBit`, `externalSetMarkChain`: checked, and without effect. They say how iptables is to remember what to
//!   masquerade; here nothing needs to be remembered, and no bit of the mark is used up.

mod condition;
mod config;
mod conntrack;
mod containers_link;
mod layout;
pub(crate) mod localhost;
mod mapping;
mod table;
mod unmap;

use libcni::plugin::{Answer, AttachmentCall, Call, Failure, Plugin};
use libcni::result::AddResult;
use serde::de::IgnoredAny;

use crate::host_end;
use crate::invalid::invalid;
use crate::nft::Owner;
use crate::nft::reading::Look;
use crate::portmap::config::Config;
use crate::portmap::layout::LAYOUT;
use crate::portmap::mapping::Mapping;
use crate::takeover;
use crate::valid::Valid;

pub(crate) struct Portmap;

impl Plugin for Portmap {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let previous = call.config.require_prev_result()?;
        let mappings = mapping::read(call, &previous.latest())?;
        if mappings.is_empty() {
            config::check(call)?;
        } else {
            map(&Owner::of(call), &mappings, &Config::read(call)?)?;
        }
        Ok(previous)
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        let owner = Owner::of(call);
        let look = table::of(&owner, &recorded(call).unwrap_or_default());
        let unmapped = unmap::unmap(&look, |other| *other == owner)?;
        if unmapped.had_any {
            return unmapped.tidy_up();
        }
        // They may have been the reference plugin's, or somebody flushed the rules.
        if may_have_had_ports(call) {
            takeover::ports::remove(&owner)?;
            unmapped.tidy_up()?;
        }
        Ok(())
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let previous = call.config.require_prev_result()?;
        let mappings = mapping::read(call, &previous.latest())?;
        if mappings.is_empty() {
            return config::check(call);
        }
        let (owner, config) = (Owner::of(call), Config::read(call)?);
        match table::check(&owner, &mappings, &config) {
            Ok(()) => check_loopback(&mappings, &config),
            // The reference plugin may have added the container.
            Err(_) if takeover::mapped::are_there(&owner, &ports(&mappings))? => Ok(()),
            missing => missing,
        }
    }

    fn gc(&self, call: &Call) -> Answer {
        let Some(valid) = call.config.valid_attachments()?.map(Valid::new) else { return Ok(()) };
        let network = call.config.name().as_str();
        let is_valid = |owner: &Owner| valid.has(&owner.container_id, &owner.ifname);
        unmap::unmap(&Look::Everywhere, |owner| owner.network == network && !is_valid(owner))?.tidy_up()?;
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

/// The mappings of an attachment, as far as the call tells.
fn recorded(call: &AttachmentCall) -> Answer<Vec<Mapping>> {
    let previous = call.config.prev_result()?.map(|previous| previous.latest());
    previous.map_or(Ok(Vec::new()), |body| mapping::read(call, &body))
}

/// Returns true if the reference plugin may have mapped ports: when some are asked for, when nothing says what was, or
/// when reference plugins made the interface. Not every runtime says again at DEL what it asked for.
fn may_have_had_ports(call: &AttachmentCall) -> bool {
    let asked = call.config.capability::<Vec<IgnoredAny>>("portMappings").map(Option::unwrap_or_default);
    match (asked, call.config.prev_result()) {
        (Ok(asked), Ok(Some(previous))) if asked.is_empty() => host_end::is_of_reference(&previous.latest()),
        _ => true,
    }
}

fn ports(mappings: &[Mapping]) -> Vec<takeover::Port> {
    mappings.iter().map(|mapping| mapping.host.into()).collect()
}

fn map(owner: &Owner, mappings: &[Mapping], config: &Config) -> Answer {
    if let Some((port, whose)) = takeover::mapped::holder(owner, &ports(mappings))? {
        return Err(table::taken(port, &whose));
    }
    check_sets(mappings, config)?;
    table::add(owner, mappings, config)?;
    // After the guard, which came with the table.
    if let Some(container) = config.reached_by_loopback(mappings)
        && let Err(error) = localhost::open(container)
    {
        let _ = unmap::unmap(&table::of(owner, mappings), |other| other == owner);
        return Err(error.into());
    }
    let ports: Vec<_> = mappings.iter().map(|mapping| mapping.host).collect();
    unmap::forget(&ports);
    Ok(())
}

/// Sets can be looked up in their own table only.
fn check_sets(mappings: &[Mapping], config: &Config) -> Answer {
    let mut asked = config.sets(mappings).peekable();
    if asked.peek().is_none() {
        return Ok(());
    }
    let there = LAYOUT.sets_of_others()?;
    match asked.find(|(_, set)| !there.contains(*set)) {
        None => Ok(()),
        Some((key, set)) => Err(invalid(format!(
            "`{key}`: table `inet {table}` has no set `{set}`; make it there: \
             nft 'add table inet {table}; add set inet {table} {set} {{ … }}'",
            table = LAYOUT.table
        ))),
    }
}

fn check_loopback(mappings: &[Mapping], config: &Config) -> Answer {
    match config.reached_by_loopback(mappings) {
        Some(container) if !localhost::is_open(container)? => Err(Failure::internal(format!(
            "the link to container address {container} has lost route_localnet: 127.0.0.1 does not lead there"
        ))),
        _ => Ok(()),
    }
}
