//! The counts of owners, as a table has them.

use std::collections::BTreeSet;

use libcni::plugin::Answer;

use super::attempts::until_undisturbed;
use super::counts::{Counts, Key, OWNED, OWNERS};
use super::error::{Error, if_there};
use super::owned::Layout;
use super::request::{read_counts, read_users};
use super::socket::{Connection, Object, connection};

/// The counts of a table.
pub(super) struct Counted {
    /// The counts of the owners in question.
    pub(super) counts: Counts,
    /// How many owners there are.
    pub(super) owners: usize,
}

impl Layout {
    /// The counts of some owners; `None` of a table that counts nothing, or is not there. The map and the chain that
    /// its elements lead to are both needed.
    pub(super) fn counted(
        &self,
        connection: &mut Connection,
        owners: &BTreeSet<Key>,
    ) -> Result<Option<Counted>, Error> {
        let table = self.requests();
        let mut requests = vec![table.get_map(OWNERS.name), table.get_chain(OWNED)];
        requests.extend(owners.iter().map(|owner| table.get_element(OWNERS.name, owner)));
        let mut answers = connection.ask_each(&requests)?.into_iter().map(if_there);
        let mut next = || answers.next().transpose().map(Option::flatten);
        let (map, chain) = (next()?, next()?);
        let counts = answers.map(|answer| Ok(answer?.unwrap_or_default())).collect::<Result<Vec<_>, Error>>()?;
        let counts = counts.iter().flatten().flat_map(|object| read_counts(object)).collect();
        let users = |chain: Vec<Object>| chain.iter().find_map(|object| read_users(object)).unwrap_or_default();
        Ok(map.and(chain).map(|chain| Counted { counts, owners: users(chain) as usize }))
    }

    /// All counts; `None` of a table that counts nothing.
    pub(super) fn counts(&self, connection: &mut Connection) -> Result<Option<Counts>, Error> {
        if self.counted(connection, &BTreeSet::new())?.is_none() {
            return Ok(None);
        }
        let mut counts = Counts::new();
        let request = self.requests().get_elements(OWNERS.name);
        let listed = connection.dump_each(&request, |object| counts.extend(read_counts(object)));
        Ok(if_there(listed)?.map(|()| counts))
    }

    /// Returns true if somebody has elements in the table, which must count them.
    pub(crate) fn has_owners(&self) -> Answer<bool> {
        let counted = until_undisturbed(|| self.counted(&mut *connection()?, &BTreeSet::new()));
        Ok(counted.map_err(Error::into_failure)?.is_some_and(|counted| counted.owners > 0))
    }
}
