//! Dry runs: the requests that the verbs would send, without running anything.

use super::{Attachment, Cni, derive};
use crate::conf::NetworkConfig;
use crate::error::Error;
use crate::invoke::Request;
use crate::result::AddResult;
use crate::spec::Command;
use crate::waiting::block_on;

impl Cni {
    /// Returns the requests that [`Cni::add`] would send, in order. It locks and writes nothing, and runs nothing
    /// except VERSION if versions are negotiated.
    ///
    /// The first request is exactly the one that the plugin would get. The others lack `prevResult`, the answer of the
    /// plugin before them, which is not known before that plugin runs.
    ///
    /// ```no_run
    /// # use libcni::{Attachment, Cni, Error, conf::NetworkConfig};
    /// # fn example(cni: &Cni, network: &NetworkConfig, attachment: &Attachment) -> Result<(), Error> {
    /// for request in cni.add_requests(network, attachment)? {
    ///     println!("{} gets {}", request.program.display(), String::from_utf8_lossy(&request.stdin));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A name or the version is not allowed, or a plugin can't be found.
    pub fn add_requests(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<Vec<Request>, Error> {
        block_on(self.add_requests_async(network, attachment))
    }

    pub(super) async fn add_requests_async(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
    ) -> Result<Vec<Request>, Error> {
        network.network_name()?;
        self.version(network, Command::Add)?;
        if network.plugins().is_empty() {
            return Err(Error::NoPlugins { network: network.name().to_owned() });
        }
        let network = &*self.agreed(network).await?;
        self.requests(Command::Add, network, attachment, None)
    }

    /// Returns the requests that [`Cni::check`] would send, in order; none where the network disables it.
    ///
    /// # Errors
    /// As those of [`Cni::add_requests`]; or the version has no CHECK, or the cached result can't be used.
    pub fn check_requests(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<Vec<Request>, Error> {
        block_on(self.check_requests_async(network, attachment))
    }

    pub(super) async fn check_requests_async(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
    ) -> Result<Vec<Request>, Error> {
        let key = attachment.key(network.network_name()?);
        let network = &*self.agreed(network).await?;
        let Some(version) = self.checked_version(network)? else { return Ok(Vec::new()) };
        let previous = self.result_to_check(network, attachment, &key, &version)?;
        self.requests(Command::Check, network, attachment, previous.as_ref())
    }

    /// Returns the requests that [`Cni::del`] would send, in the order of DEL, the last plugin first.
    ///
    /// # Errors
    /// As those of [`Cni::add_requests`].
    pub fn del_requests(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<Vec<Request>, Error> {
        block_on(self.del_requests_async(network, attachment))
    }

    pub(super) async fn del_requests_async(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
    ) -> Result<Vec<Request>, Error> {
        let key = attachment.key(network.network_name()?);
        let network = &*self.agreed_or_as_written(network).await;
        let (attachment, previous) = self.what_to_delete(network, attachment, &key)?;
        let mut requests = self.requests(Command::Del, network, &attachment, previous.as_ref())?;
        requests.reverse();
        Ok(requests)
    }

    /// The requests in the order of the list.
    fn requests(
        &self,
        command: Command,
        network: &NetworkConfig,
        attachment: &Attachment,
        previous: Option<&AddResult>,
    ) -> Result<Vec<Request>, Error> {
        let request = |plugin| {
            let config = derive::for_attachment(network, plugin, attachment, previous);
            self.request_in(command, network, plugin.plugin_type(), Some(attachment), &config)
        };
        network.plugins().iter().map(request).collect()
    }
}
