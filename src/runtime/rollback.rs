//! All or nothing: what a failed ADD began is undone, and so is what was added before it.

use super::{Attachment, Cni, OnMissingPlugin};
use crate::conf::NetworkConfig;
use crate::error::{Error, Failures};
use crate::result::AddResult;

impl Cni {
    /// The same, but no token ends its plugins: for what must be undone although, or because, everything else is
    /// cancelled. Each execution still has its deadline.
    pub fn uncancelled(mut self) -> Self {
        self.limits.cancel = None;
        self
    }

    /// [`Cni::add`], and DEL after a failure that may have left something behind ([`Error::needs_cleanup`]).
    ///
    /// DEL has deadlines of its own and is not cancelled, so that it works after whatever ended ADD. It is not run
    /// where the attachment is in the cache already: what ADD ran into then is what an earlier one made. What nobody
    /// recorded is not protected: most plugins delete an interface of the attachment's name, whoever made it.
    ///
    /// # Errors
    /// As those of [`Cni::add`]; as [`Error::RolledBack`] when DEL was run, with its error where that failed, too.
    pub fn add_with_rollback(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<AddResult, Error> {
        let mut results = self.add_all(&[(network, attachment)])?;
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
        let mut results = Vec::with_capacity(attachments.len());
        for &(network, attachment) in attachments {
            match self.add(network, attachment) {
                Ok(result) => results.push(result),
                Err(error) => {
                    // A failed ADD caches nothing, so an entry is that of an earlier one, and so is what this one met.
                    let began = error.needs_cleanup() && !self.is_cached(network, attachment);
                    return Err(self.roll_back(&attachments[..results.len() + usize::from(began)], error));
                }
            }
        }
        Ok(results)
    }

    /// Removes a container from several networks, in reverse order.
    ///
    /// # Errors
    /// Goes on after an error; all of them come back, more than one as [`Error::Several`].
    pub fn del_all(&self, attachments: &[(&NetworkConfig, &Attachment)]) -> Result<(), Error> {
        self.del_all_with(attachments, OnMissingPlugin::Stop)
    }

    fn del_all_with(
        &self,
        attachments: &[(&NetworkConfig, &Attachment)],
        on_missing: OnMissingPlugin,
    ) -> Result<(), Error> {
        let del = |&(network, attachment): &(&NetworkConfig, &Attachment)| {
            self.del_with(network, attachment, on_missing).err()
        };
        Failures::into_result(attachments.iter().rev().filter_map(del).collect())
    }

    fn roll_back(&self, attachments: &[(&NetworkConfig, &Attachment)], error: Error) -> Error {
        if attachments.is_empty() {
            return error;
        }
        // A plugin that is not installed was not for ADD either, and has left nothing.
        let undo = self.clone().uncancelled().del_all_with(attachments, OnMissingPlugin::Continue).err();
        Error::RolledBack { source: Box::new(error), undo: undo.map(Box::new) }
    }

    fn is_cached(&self, network: &NetworkConfig, attachment: &Attachment) -> bool {
        // A name that is none has no entry; a file that can't be read may be one.
        network.network_name().is_ok_and(|name| !matches!(self.cache.read(&attachment.key(name)), Ok(None)))
    }
}
