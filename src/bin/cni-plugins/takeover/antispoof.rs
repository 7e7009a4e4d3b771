//! `macspoofchk` of the reference plugin `bridge`.

use libcni::plugin::Answer;

use super::nat::Removal;
use super::rule::Rule;
use super::{kernel, names, nat};
use crate::nft::Owner;
use crate::nft::attempts::read_if_available;
use crate::nft::batch;
use crate::nft::socket::connection;

/// The chain that leads to those of all ports.
const PREROUTING: &str = "PREROUTING";

/// Removes what guards an attachment's port.
pub(crate) fn remove(owner: &Owner) -> Answer {
    let [chain, of_address] = names::antispoof_chains(owner);
    batch::change_if_available(|connection| {
        if kernel::there(connection, &[(kernel::ANTISPOOF, &chain)])?.is_empty() {
            return Ok(Vec::new());
        }
        let chains = nat::read(connection, kernel::ANTISPOOF, &[PREROUTING, &chain, &of_address])?;
        let mut removal = Removal::default();
        removal.add(&chains, [PREROUTING, &chain]);
        // After the chain that leads there.
        removal.add(&chains, [&chain, &of_address]);
        removal.rules.retain(|(of, _)| *of != chain);
        Ok(removal.into_requests(kernel::ANTISPOOF))
    })?;
    Ok(())
}

/// Returns true if an attachment's port is guarded.
pub(crate) fn is_there(owner: &Owner) -> Answer<bool> {
    let [chain, of_address] = names::antispoof_chains(owner);
    let is_guarded = || {
        let connection = &mut *connection()?;
        let chains = nat::read(connection, kernel::ANTISPOOF, &[PREROUTING, &chain, &of_address])?;
        let leads =
            |from: &str, to| chains.get(from).is_some_and(|rules| rules.iter().any(|rule: &Rule| rule.leads_to(to)));
        Ok(leads(PREROUTING, &chain) && leads(&chain, &of_address) && chains.contains_key(&of_address))
    };
    Ok(read_if_available(is_guarded)?.unwrap_or_default())
}
