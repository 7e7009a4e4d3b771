//! Interfaces of a namespace, as far as their names.

use nix::errno::Errno;
use nix::net::if_::if_nametoindex;

use super::Namespace;
use super::error::{NetnsError, Operation};

impl Namespace {
    /// Returns whether an interface of this name is in the namespace.
    ///
    /// # Errors
    /// This process may not enter the namespace, or no thread can be started.
    pub fn has_interface(&self, name: &str) -> Result<bool, NetnsError> {
        match self.run(|| if_nametoindex(name))? {
            Ok(_) => Ok(true),
            Err(Errno::ENODEV) => Ok(false),
            Err(errno) => Err(NetnsError::new(Operation::LookUpInterface, self.path(), errno.into())),
        }
    }
}
