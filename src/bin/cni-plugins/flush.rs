//! `cni-plugins flush`: removes the rules of the plugins, and the settings that are of use with them only. Those of
//! `firewall` stay: they are the reference plugin's, which removes them.

use libcni::plugin::Answer;
use netlink_packet_netfilter::NetfilterProtoFamily;

use crate::nft::batch;
use crate::nft::request::{Requests, read_table};
use crate::portmap::localhost;

/// The beginning of the names of our tables.
const OURS: &str = "libcni_";

/// The families that we have tables of.
const FAMILIES: [NetfilterProtoFamily; 2] = [NetfilterProtoFamily::Inet, NetfilterProtoFamily::Bridge];

/// Removes the tables whole, also what somebody else put into them. Loopback addresses are closed first: after the
/// tables nothing guards them.
///
/// # Errors
/// The kernel did not let it.
pub(crate) fn flush() -> Answer {
    localhost::close(|| Ok(Vec::new()))?;
    batch::change_if_available(|connection| {
        let mut requests = Vec::new();
        for family in FAMILIES {
            let listed = connection.dump(&Requests { table: "", family }.get_tables())?;
            let names = listed.iter().filter_map(|table| read_table(table)).filter(|name| name.starts_with(OURS));
            requests.extend(names.map(|name| Requests { table: &name, family }.delete_table()));
        }
        Ok(requests)
    })?;
    Ok(())
}
