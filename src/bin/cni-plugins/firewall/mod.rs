//! `firewall`: lets a container's packets through a host that sends on none by default, by rules of iptables. Comes
//! after a plugin that gives the container its addresses.
//!
//! Another chain of nf_tables could not: what one accepts, the next may drop. So the rules are in the chains that drop:
//! the table `filter` of `iptables-nft`, whose rules are those of nf_tables and need no program, and that of
//! `iptables-legacy` where this host uses it, by its programs. They are the rules of the reference plugin, so that
//! either plugin finds and removes what the other made, and say whose they are.
//!
//! Where firewalld runs, its rules decide, and it is asked to accept the containers' addresses.

mod config;
mod dbus;
mod firewalld;
mod legacy;
mod legacy_owner;
mod plan;
mod reading;
mod rule;
mod rule_owner;
mod table;

use std::cell::RefCell;
use std::net::IpAddr;

use libcni::plugin::{Answer, AttachmentCall, Call, Failure, Plugin};
use libcni::result::AddResult;
use libcni::result::v100::Body;
use libcni::spec::ErrorCode;

use self::config::{Backend, Config, addresses};
use self::firewalld::Firewalld;
use self::plan::{Chains, Step, Wanted};
use self::rule_owner::Kept;
use crate::nft::Owner;
use crate::nft::batch;
use crate::nft::family::Family;
use crate::nft::socket::connection;
use crate::valid::Valid;

pub(crate) struct Firewall;

impl Plugin for Firewall {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let config = Config::read(call)?;
        let previous = call.config.require_prev_result()?;
        let (owner, body) = (Owner::of(call), previous.latest());
        if let Some(mut firewalld) = Firewalld::of(&config)? {
            firewalld.add(&config.zone, &all_addresses(&body))?;
            // The policy is one of iptables, whatever accepts packets.
            let kept_apart = each_family(&config, &owner, &body, |family, wanted| {
                change(family, &names(&config), |chains| plan::keep_apart(chains, wanted))
            });
            kept_apart.inspect_err(|_| drop(firewalld.remove(&config.zone, &all_addresses(&body))))?;
            return Ok(previous);
        }
        let added = each_family(&config, &owner, &body, |family, wanted| {
            change(family, &names(&config), |chains| plan::add(chains, wanted))
        });
        // The first error is what the runtime must hear.
        added.inspect_err(|_| drop(remove(&owner, &Body::default())))?;
        Ok(previous)
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        let body = call.config.prev_result().ok().flatten().as_ref().map(AddResult::latest).unwrap_or_default();
        remove(&Owner::of(call), &body).and(remove_from_zone(call, &body))
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let config = Config::read(call)?;
        let body = call.config.require_prev_result()?.latest();
        let owner = Owner::of(call);
        if let Some(mut firewalld) = Firewalld::of(&config)? {
            return firewalld.check(&config.zone, &all_addresses(&body));
        }
        each_family(&config, &owner, &body, |family, wanted| check(family, &names(&config), wanted))
    }

    fn gc(&self, call: &Call) -> Answer {
        let Some(valid) = call.config.valid_attachments()?.map(Valid::new) else { return Ok(()) };
        let network = call.config.name().as_str();
        let kept = Kept::new(network, &valid);
        let stale = |chains: &Chains| plan::remove_owned(chains, |owner| kept.lacks(owner));
        Family::ALL.into_iter().try_for_each(|family| {
            if legacy::is_in_use(family) {
                legacy::change_if_possible(family, stale)?;
            }
            change_nft_if_available(family, &[plan::CONTAINERS], stale)
        })
    }

    fn status(&self, call: &Call) -> Answer {
        let config = Config::read(call)?;
        let unavailable = |text: String| Failure::new(ErrorCode::NOT_AVAILABLE, text);
        if Firewalld::of(&config).map_err(|failure| unavailable(failure.into_reply().msg))?.is_some() {
            return Ok(());
        }
        let table = table::filter(Family::V4).new_table();
        let rehearsed = connection().and_then(|mut connection| connection.rehearse(&[table]));
        rehearsed.map_err(|error| unavailable(libcni::Chain(&error).to_string()))
    }

    fn about(&self) -> Option<String> {
        Some(crate::about::about("firewall"))
    }
}

/// The chains that rules may be in.
fn names(config: &Config) -> Vec<&str> {
    [plan::FORWARD, plan::CONTAINERS, &config.admin_chain].into_iter().chain(plan::STAGES).collect()
}

/// Takes the addresses out of the zone of firewalld.
fn remove_from_zone(call: &AttachmentCall, body: &Body) -> Answer {
    match Config::read(call) {
        Ok(config) if config.backend != Backend::Iptables => match Firewalld::running() {
            Ok(Some(mut firewalld)) => firewalld.remove(&config.zone, &all_addresses(body)),
            // What it accepted ended with it.
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn all_addresses(body: &Body) -> Vec<IpAddr> {
    Family::ALL.into_iter().flat_map(|family| addresses(body, family)).collect()
}

/// Does something for each family that the container has addresses of.
fn each_family(config: &Config, owner: &Owner, body: &Body, act: impl Fn(Family, &Wanted<'_>) -> Answer) -> Answer {
    let ingress = config.isolated(body)?;
    for family in Family::ALL {
        let addresses = addresses(body, family);
        if !addresses.is_empty() {
            let admin_chain = &config.admin_chain;
            act(family, &Wanted { owner, addresses: &addresses, admin_chain, ingress })?;
        }
    }
    Ok(())
}

/// Changes the chains in use: those of `iptables-legacy` where there are some, those of `iptables-nft` where there are
/// some or no others.
fn change(family: Family, names: &[&str], plan: impl Fn(&Chains) -> Vec<Step>) -> Answer {
    if !legacy::is_in_use(family) {
        return change_nft(family, names, plan);
    }
    legacy::change(family, &plan)?;
    let has_packets = |chains: &Chains| chains.contains_key(plan::FORWARD);
    change_nft_if_available(family, names, |chains| if has_packets(chains) { plan(chains) } else { Vec::new() })
}

fn change_nft(family: Family, names: &[&str], plan: impl Fn(&Chains) -> Vec<Step>) -> Answer {
    batch::change(|connection| Ok(table::requests(family, &plan(&table::read(connection, family, names)?))))
}

/// The same, where there may be no such tables, since the kernel has no nf_tables.
fn change_nft_if_available(family: Family, names: &[&str], plan: impl Fn(&Chains) -> Vec<Step>) -> Answer {
    batch::change_if_available(|connection| {
        Ok(table::requests(family, &plan(&table::read(connection, family, names)?)))
    })
}

fn remove(owner: &Owner, body: &Body) -> Answer {
    for family in Family::ALL {
        let addresses = addresses(body, family);
        let plan = |chains: &Chains| plan::remove(chains, owner, &addresses);
        // Without a record the attachment may have had addresses of either family.
        if legacy::is_in_use(family) && (body.ips.is_empty() || !addresses.is_empty()) {
            let is_possible = legacy::change_if_possible(family, plan)?;
            if !is_possible && !addresses.is_empty() {
                return Err(legacy::no_programs(family));
            }
        }
        change_nft_if_available(family, &[plan::CONTAINERS], plan)?;
    }
    Ok(())
}

fn check(family: Family, names: &[&str], wanted: &Wanted<'_>) -> Answer {
    let different = |of: &str, missing: String| {
        Failure::internal(format!("CHECK: firewall: table `filter` of {of} lacks the rule: {missing}"))
    };
    let is_legacy = legacy::is_in_use(family);
    if is_legacy && let Some(missing) = plan::missing(&legacy::chains_of(family)?, wanted) {
        return Err(different("iptables-legacy", missing));
    }
    let read = RefCell::new(Chains::new());
    // Nothing is changed, and it is read again when somebody else changes it.
    let keep = |chains: &Chains| {
        read.replace(chains.clone());
        Vec::new()
    };
    if is_legacy { change_nft_if_available(family, names, keep) } else { change_nft(family, names, keep) }?;
    let chains = read.into_inner();
    if is_legacy && !chains.contains_key(plan::FORWARD) {
        return Ok(());
    }
    plan::missing(&chains, wanted).map_or(Ok(()), |missing| Err(different("iptables-nft", missing)))
}
