//! All or nothing: what a failed ADD began is undone, and so is what was added before it.

use super::add::NotAdded;
use super::{Attachment, Cni, OnMissingPlugin};
use crate::conf::NetworkConfig;
use crate::error::{Error, Failures};
use crate::result::AddResult;
use crate::waiting::block_on;

impl Cni {
    /// The same, but no token ends its plugins: for what must be undone although, or because, everything else is
    /// cancelled. Each execution still has its deadline.
    pub fn uncancelled(&self) -> Self {
        let mut cni = self.clone();
        cni.limits.cancel = None;
        cni
    }

    /// [`Cni::add`], and DEL after a failure that may have left something behind ([`Error::needs_cleanup`]).
    ///
    /// DEL runs only for the plugins whose ADD was started. It has deadlines of its own and is not cancelled, so it
    /// works whatever ended ADD. It does not run if the attachment is in the cache already, since ADD then met the work
    /// of an earlier ADD. If the interface exists before ADD, the call fails before anything runs
    /// ([`Error::Occupied`]), so the interface is not touched either.
    ///
    /// # Errors
    /// Those of [`Cni::add`]; [`Error::RolledBack`] if DEL was run, with its error if that failed, too.
    pub fn add_with_rollback(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<AddResult, Error> {
        block_on(self.add_with_rollback_async(network, attachment))
    }

    pub(super) async fn add_with_rollback_async(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
    ) -> Result<AddResult, Error> {
        let mut results = self.add_all_async(&[(network, attachment)]).await?;
        Ok(results.remove(0))
    }

    /// Adds a container to several networks, in order, or to none: when one can't be added, it and those before it are
    /// removed again, as by [`Cni::add_with_rollback`] and in reverse order.
    ///
    /// ```no_run
    /// # use libcni::{Attachment, Cni, Error, conf::NetworkConfig};
    /// # fn example(cni: &Cni, front: &NetworkConfig, back: &NetworkConfig) -> Result<(), Box<dyn std::error::Error>> {
    /// let netns = "/run/netns/web-0";
    /// let eth0 = Attachment::new("web-0".parse()?, "eth0".parse()?).netns(netns);
    /// let eth1 = Attachment::new("web-0".parse()?, "eth1".parse()?).netns(netns);
    /// let attachments = [(front, &eth0), (back, &eth1)];
    /// let results = cni.add_all(&attachments)?;
    /// println!("{} on {}", results[1].latest().ips[0].address, back.name());
    /// cni.del_all(&attachments)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As those of [`Cni::add_with_rollback`].
    pub fn add_all(&self, attachments: &[(&NetworkConfig, &Attachment)]) -> Result<Vec<AddResult>, Error> {
        block_on(self.add_all_async(attachments))
    }

    pub(super) async fn add_all_async(
        &self,
        attachments: &[(&NetworkConfig, &Attachment)],
    ) -> Result<Vec<AddResult>, Error> {
        if let [_, _, ..] = attachments {
            self.check_all(attachments)?;
        }
        let mut results = Vec::with_capacity(attachments.len());
        for &(network, attachment) in attachments {
            match self.try_add(network, attachment).await {
                Ok(result) => results.push(result),
                Err(not_added) => {
                    let added = &attachments[..results.len()];
                    return Err(self.roll_back(added, (network, attachment), not_added).await);
                }
            }
        }
        Ok(results)
    }

    /// Finds out what is in the way of any of them before anything is done for the first.
    fn check_all(&self, attachments: &[(&NetworkConfig, &Attachment)]) -> Result<(), Error> {
        attachments.iter().try_for_each(|(network, attachment)| {
            let key = self.check_addable(network, attachment)?;
            self.check_free(&key, attachment, self.record(&key))
        })
    }

    /// Removes a container from several networks, in reverse order.
    ///
    /// # Errors
    /// The function continues after an error and returns all of them, more than one as [`Error::Several`].
    pub fn del_all(&self, attachments: &[(&NetworkConfig, &Attachment)]) -> Result<(), Error> {
        block_on(self.del_all_async(attachments))
    }

    pub(super) async fn del_all_async(&self, attachments: &[(&NetworkConfig, &Attachment)]) -> Result<(), Error> {
        let mut errors = Vec::new();
        for &(network, attachment) in attachments.iter().rev() {
            errors.extend(self.del_async(network, attachment).await.err());
        }
        Failures::into_result(errors)
    }

    /// Undoes what an ADD that failed had started, and then those that were added before it.
    async fn roll_back(
        &self,
        added: &[(&NetworkConfig, &Attachment)],
        (network, attachment): (&NetworkConfig, &Attachment),
        NotAdded { error, started }: NotAdded,
    ) -> Error {
        if started == 0 && added.is_empty() {
            return *error;
        }
        let cni = self.uncancelled();
        let mut errors = Vec::new();
        if started > 0 {
            errors.extend(cni.del_started(network, started, attachment).await.err());
        }
        for (network, attachment) in added.iter().rev() {
            // A plugin that is not installed any more leaves what it has added.
            errors.extend(cni.del_with_async(network, attachment, OnMissingPlugin::Continue).await.err());
        }
        let undo = Failures::into_result(errors).err();
        Error::RolledBack { source: error, undo: undo.map(Box::new) }
    }
}
