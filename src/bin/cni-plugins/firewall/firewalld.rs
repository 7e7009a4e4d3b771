//! Hosts whose packets firewalld rules over: containers' addresses are sources of one of its zones.

use std::io::ErrorKind;
use std::net::IpAddr;

use libcni::Chain;
use libcni::plugin::{Answer, Failure};
use libcni::spec::ErrorCode;
use netlink_packet_netfilter::NetfilterProtoFamily;

use crate::firewall::config::{Backend, Config};
use crate::firewall::dbus::{Bus, CallError, Object};
use crate::inside::single;
use crate::nft::error::{if_there, unless_unavailable};
use crate::nft::request::Requests;
use crate::nft::socket::connection;

const NAME: &str = "org.fedoraproject.FirewallD1";
const ZONES: Object =
    Object { name: NAME, path: "/org/fedoraproject/FirewallD1", interface: "org.fedoraproject.FirewallD1.zone" };

/// The firewalld of this host.
#[derive(Debug)]
pub(crate) struct Firewalld {
    bus: Bus,
}

impl Firewalld {
    /// The firewalld that a configuration asks for, or, if it asks for nothing, the one that runs.
    ///
    /// # Errors
    /// It can't be reached, and it is asked for, or has rules: packets that others accept may be dropped by those.
    pub(crate) fn of(config: &Config) -> Answer<Option<Self>> {
        let why = match config.backend {
            Backend::Iptables => return Ok(None),
            Backend::Firewalld => "`backend` is `firewalld`",
            Backend::Any => "firewalld is in use (nf_tables has its table `inet firewalld`)",
        };
        match Self::running() {
            Ok(Some(running)) => Ok(Some(running)),
            _ if config.backend == Backend::Any && !has_rules()? => Ok(None),
            Ok(None) => Err(unreachable(why, "nobody has that name")),
            Err(error) => Err(unreachable(why, &Chain(&error).to_string())),
        }
    }

    /// The firewalld that runs; `None` if none does.
    pub(crate) fn running() -> Result<Option<Self>, CallError> {
        let mut bus = match Bus::connect() {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            bus => bus?,
        };
        Ok(bus.has_owner(NAME)?.then_some(Self { bus }))
    }

    /// Adds addresses to a zone: all of them, or, after an error, none.
    pub(crate) fn add(&mut self, zone: &str, addresses: &[IpAddr]) -> Answer {
        let mut added = Vec::new();
        for address in addresses {
            match self.call("addSource", zone, *address) {
                Ok(_) => added.push(*address),
                Err(error) if is(&error, "ZONE_ALREADY_SET") => {}
                Err(error) => {
                    // The first error is what the runtime must hear.
                    let _ = self.remove(zone, &added);
                    return Err(failed("add", *address, zone, &error));
                }
            }
        }
        Ok(())
    }

    /// Removes addresses from a zone. One that is not in it, or in no zone, is fine.
    pub(crate) fn remove(&mut self, zone: &str, addresses: &[IpAddr]) -> Answer {
        for address in addresses {
            match self.call("removeSource", zone, *address) {
                Err(error @ CallError::Bus(_)) => return Err(failed("remove", *address, zone, &error)),
                _ => continue,
            }
        }
        Ok(())
    }

    /// Checks that addresses are in a zone.
    pub(crate) fn check(&mut self, zone: &str, addresses: &[IpAddr]) -> Answer {
        for address in addresses {
            if !self.call("querySource", zone, *address).map_err(|error| failed("find", *address, zone, &error))? {
                return Err(Failure::internal(format!("CHECK: firewall: zone `{zone}` of firewalld lacks {address}")));
            }
        }
        Ok(())
    }

    fn call(&mut self, method: &str, zone: &str, address: IpAddr) -> Result<bool, CallError> {
        self.bus.call(ZONES, method, &[zone, &single(address).to_string()])
    }
}

/// Returns true if it is an error of firewalld that begins so.
fn is(error: &CallError, code: &str) -> bool {
    matches!(error, CallError::Refused { message, .. } if message.contains(code))
}

fn failed(doing: &str, address: IpAddr, zone: &str, error: &CallError) -> Failure {
    let text = Chain(error).to_string();
    Failure::internal(format!("firewall: cannot {doing} address {address} in zone `{zone}` of firewalld: {text}"))
}

fn unreachable(why: &str, error: &str) -> Failure {
    let msg = format!(
        "firewall: {why}, but it can't be reached by D-Bus ({NAME}): {error}; start it, or set `backend` to `iptables` \
         and put the containers' networks into a zone that accepts them, as \
         `firewall-cmd --zone=trusted --add-source=NETWORK`"
    );
    Failure::new(ErrorCode::INVALID_ENVIRONMENT, msg)
}

/// Returns true if firewalld has rules of nf_tables.
fn has_rules() -> Answer<bool> {
    let table = Requests { table: "firewalld", family: NetfilterProtoFamily::Inet }.get_table();
    let found = connection().and_then(|mut connection| if_there(connection.ask(&table)));
    Ok(unless_unavailable(found)?.flatten().is_some())
}
