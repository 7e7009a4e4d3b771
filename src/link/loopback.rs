//! The loopback interface of a namespace.

use super::{Handle, LinkError, Request};
use crate::netns::{Namespace, NetnsError};

impl Namespace {
    /// Brings up the loopback interface `lo`, which has 127.0.0.1 and ::1 from then on. Takes the feature `link`.
    ///
    /// A runtime does this for each container whose networks don't include the plugin `loopback`: programs expect it.
    ///
    /// ```no_run
    /// use libcni::netns::Namespace;
    ///
    /// Namespace::open("/run/netns/blue")?.bring_loopback_up()?;
    /// # Ok::<(), libcni::netns::NetnsError>(())
    /// ```
    ///
    /// # Errors
    /// This process may not enter the namespace, or not change it.
    pub fn bring_loopback_up(&self) -> Result<(), NetnsError> {
        let bring_up = || Handle::here()?.ask([Request::bring_up("lo")]);
        self.run(bring_up)?.map(drop).map_err(|error| match error {
            LinkError::Refused { source, .. } => NetnsError::of_loopback(self.path(), source),
            LinkError::Netns(error) => error,
        })
    }
}
