//! IPAM plugin: gives addresses out of ranges, and keeps in a directory of the host which are in use.
//!
//! Takes the configuration of the plugin of the same name in Go and keeps the same files, so that either can take over
//! from the other. Under `ipam`:
//!
//! - `ranges`: a list of range sets, each a list of ranges {`subnet`, `rangeStart`, `rangeEnd`, `gateway`}; the
//!   container gets one address from each set. Or one such range, directly in `ipam`.
//! - `routes`: the routes of the result.
//! - `resolvConf`: a file like /etc/resolv.conf, for the `dns` of the result.
//! - `dataDir`: where the reservations are kept, /var/lib/cni/networks by default.
//!
//! The capabilities `ipRanges` (further range sets) and `ips`, `ips` in `args.cni` and `IP` in CNI_ARGS (addresses
//! that the container asks for) are known.

mod allocate;
mod config;
mod held;
mod index;
mod owner;
mod range;
mod range_set;
mod resolv_conf;
mod store;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use libcni::plugin::{Answer, AttachmentCall, Call, Config, Plugin, is_awaited};
use libcni::result::{AddResult, v100};
use libcni::spec::{Dns, ErrorCode, ErrorReply, IpNet};

use crate::host_local::allocate::{allocate, next_free};
use crate::host_local::config::{Ipam, store_dir};
use crate::host_local::held::Held;
use crate::host_local::owner::Owner;
use crate::host_local::range_set::RangeSet;
use crate::host_local::store::{Reservation, Store, StoreError};
use crate::text;
use crate::valid::Valid;

pub(crate) struct HostLocal;

/// The gateways of all ranges of a configuration; none when it is not one for this plugin.
pub(crate) fn gateways(config: &Config) -> Vec<IpNet> {
    let ranges = Ipam::read(config).map(|ipam| ipam.sets).unwrap_or_default();
    ranges.iter().flat_map(RangeSet::gateways).collect()
}

impl Plugin for HostLocal {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let ipam = Ipam::read(&call.config)?;
        let requested = ipam.requested(call)?;
        let dns = ipam.resolv_conf.as_deref().map(read_dns).transpose()?.unwrap_or_default();
        let store = Store::create(store_dir(&call.config)?).map_err(ErrorReply::from)?;
        refuse_abandoned()?;
        let ips = allocate(&store, &ipam.sets, &requested, &call.into())?;
        Ok(v100::Body::default().ips(ips).routes(ipam.routes).dns(dns).into())
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        let Some(store) = Store::open(store_dir(&call.config)?).map_err(ErrorReply::from)? else { return Ok(()) };
        let owner = Owner::from(call);
        let same = [Some(owner.clone()), Some(owner.without_ifname()), None];
        let mut held = store.surely_held_by(&same).map_err(ErrorReply::from)?;
        let stale = of_attachment(held.reservations(), &owner);
        Ok(release(stale, |reservation| held.release(reservation.address, reservation.owner.as_ref()))?)
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let ipam = Ipam::read(&call.config)?;
        let store = Store::open(store_dir(&call.config)?).map_err(ErrorReply::from)?;
        let owner = Owner::from(call);
        let same = [Some(owner.clone()), Some(owner.without_ifname())];
        let held = store.as_ref().map(|store| store.surely_held_by(&same)).transpose().map_err(ErrorReply::from)?;
        let own = held.iter().flat_map(Held::reservations).map(|reservation| reservation.address).collect::<Vec<_>>();
        let previous = call.config.prev_result()?.map(|result| result.latest().ips).unwrap_or_default();
        let given = previous.iter().map(|ip| ip.address.addr());
        let given = given.filter(|address| ipam.sets.iter().any(|set| set.range_of(*address).is_some()));
        Ok(check_reserved(&own, &given.collect::<Vec<_>>(), &owner)?)
    }

    fn gc(&self, call: &Call) -> Answer {
        let Some(valid) = call.config.valid_attachments()? else { return Ok(()) };
        let Some(store) = Store::open(store_dir(&call.config)?).map_err(ErrorReply::from)? else { return Ok(()) };
        let reservations = store.reservations().map_err(ErrorReply::from)?;
        Ok(release(stale(reservations, &Valid::new(valid)), |reservation| store.release(reservation.address))?)
    }

    fn status(&self, call: &Call) -> Answer {
        let ipam = Ipam::read(&call.config)?;
        let taken = taken(&store_dir(&call.config)?);
        let taken = taken.map_err(|e| unavailable(ErrorReply::from(e).to_string()))?;
        let full = ipam.sets.iter().find(|set| next_free(set, None, &taken).is_none());
        match full {
            Some(set) => Err(unavailable(format!("no IP addresses available in range set {set}")))?,
            None => Ok(()),
        }
    }

    fn about(&self) -> Option<String> {
        Some(crate::about::about("host-local"))
    }
}

/// Takes no address for a caller that was killed: the DEL that follows may have been here already.
fn refuse_abandoned() -> Result<(), ErrorReply> {
    if is_awaited() {
        return Ok(());
    }
    Err(ErrorReply::new(ErrorCode::IO, "the caller is gone: nobody reads the answer"))
}

fn read_dns(path: &Path) -> Result<Dns, ErrorReply> {
    let unreadable = |e: std::io::Error| {
        ErrorReply::new(ErrorCode::IO, format!("cannot read resolvConf {}", path.display())).with_details(e.to_string())
    };
    text::read(path).map(|text| resolv_conf::parse(&text)).map_err(unreadable)
}

/// The addresses of an attachment, and those without an owner. Where it has none, what its container got from a version
/// that did not know interfaces.
fn of_attachment(reservations: &[Reservation], owner: &Owner) -> Vec<Reservation> {
    let of = |owner: Option<&Owner>| {
        reservations.iter().filter(move |reservation| reservation.owner.as_ref() == owner).cloned().collect::<Vec<_>>()
    };
    let own = match of(Some(owner)) {
        none if none.is_empty() => of(Some(&owner.without_ifname())),
        own => own,
    };
    [own, of(None)].concat()
}

/// The reservations whose owner is not a valid attachment.
fn stale(reservations: Vec<Reservation>, valid: &Valid) -> Vec<Reservation> {
    let is_valid = |owner: &Owner| match &owner.ifname {
        Some(ifname) => valid.has(&owner.container_id, ifname),
        None => valid.has_container(&owner.container_id),
    };
    let is_stale = |reservation: &Reservation| !reservation.owner.as_ref().is_some_and(is_valid);
    reservations.into_iter().filter(is_stale).collect()
}

/// Frees all that can be freed; then tells what could not.
fn release(
    stale: Vec<Reservation>,
    mut release: impl FnMut(&Reservation) -> Result<(), StoreError>,
) -> Result<(), ErrorReply> {
    let errors = stale.iter().filter_map(|reservation| release(reservation).err());
    let errors: Vec<_> = errors.map(|e| ErrorReply::from(e).to_string()).collect();
    if errors.is_empty() {
        return Ok(());
    }
    Err(ErrorReply::new(ErrorCode::IO, errors.join("; ")))
}

/// Every address that was given is still reserved for its owner, and there is one at least.
fn check_reserved(own: &[IpAddr], given: &[IpAddr], owner: &Owner) -> Result<(), ErrorReply> {
    let Owner { container_id, .. } = owner;
    if own.is_empty() {
        let msg = format!("no address is reserved for container {container_id}");
        return Err(ErrorReply::new(ErrorCode::INTERNAL, msg));
    }
    match given.iter().find(|address| !own.contains(address)) {
        Some(address) => {
            let msg = format!("address {address} is not reserved for container {container_id} any more");
            Err(ErrorReply::new(ErrorCode::INTERNAL, msg))
        }
        None => Ok(()),
    }
}

/// The addresses in use; fails if no further one could be reserved.
fn taken(dir: &Path) -> Result<BTreeSet<IpAddr>, StoreError> {
    store::check_writable(dir)?;
    let addresses = Store::open(dir.to_owned())?.map(|store| store.addresses()).transpose()?;
    Ok(addresses.unwrap_or_default())
}

fn unavailable(msg: String) -> ErrorReply {
    ErrorReply::new(ErrorCode::NOT_AVAILABLE, msg)
}

#[cfg(test)]
mod tests;
