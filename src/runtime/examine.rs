//! Everything that is wrong with a network, without stopping at the first.

use std::fmt;

use super::Cni;
use crate::Chain;
use crate::conf::{NetworkConfig, PluginConfig, Remark};
use crate::error::Error;
use crate::spec::VersionReply;
use crate::waiting::block_on;

/// Something that is wrong with a network that can be loaded.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// The configuration has another meaning than it seems to have.
    Remark(Remark),
    /// No verb can be used, or a plugin is missing, can't be run, or does not support the version.
    Error(Error),
    /// A plugin can't get addresses: the plugin that it delegates them to is missing or can't be run.
    #[non_exhaustive]
    Ipam {
        /// The plugin.
        plugin: String,
        /// The plugin that it delegates to.
        ipam: String,
        /// The fault.
        error: Error,
    },
}

impl Cni {
    /// Returns every fault of a network: those that [`Cni::validate`] finds, oddities of its text, and faults of the
    /// plugins that others delegate addresses to. Costs one execution of each plugin that was not asked before.
    ///
    /// ```no_run
    /// use libcni::Cni;
    /// use libcni::conf::ConfDir;
    ///
    /// let cni = Cni::new();
    /// for network in ConfDir::default().list()?.networks {
    ///     for problem in cni.examine(&network) {
    ///         println!("{}: {problem}", network.name());
    ///     }
    /// }
    /// # Ok::<(), libcni::conf::LoadError>(())
    /// ```
    pub fn examine(&self, network: &NetworkConfig) -> Vec<Fault> {
        block_on(self.examine_async(network))
    }

    pub(super) async fn examine_async(&self, network: &NetworkConfig) -> Vec<Fault> {
        let mut problems: Vec<_> = network.remarks().into_iter().map(Fault::Remark).collect();
        match self.validate_async(network).await {
            Ok(_) => {}
            Err(Error::Several(failures)) => problems.extend(failures.into_iter().map(Fault::Error)),
            Err(error) => problems.push(Fault::Error(error)),
        }
        for plugin in network.plugins() {
            problems.extend(self.ipam_problem(network, plugin).await);
        }
        problems
    }

    async fn ipam_problem(&self, network: &NetworkConfig, plugin: &PluginConfig) -> Option<Fault> {
        let (ipam, version) = (plugin.ipam_type()?, network.effective_version());
        let error = match self.plugin_version_async(ipam).await {
            Ok(reply) if reply.supports(version) => return None,
            Ok(VersionReply { supported_versions, .. }) => Error::VersionUnsupported {
                network: network.name().to_owned(),
                plugin: ipam.to_owned(),
                wanted: version.to_owned(),
                supported: supported_versions,
            },
            Err(error) => error,
        };
        Some(Fault::Ipam { plugin: plugin.plugin_type().to_owned(), ipam: ipam.to_owned(), error })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remark(remark) => remark.fmt(f),
            Self::Error(error) => Chain(error).fmt(f),
            Self::Ipam { plugin, ipam, error } => {
                write!(f, "`{plugin}` gets its addresses from `{ipam}`: {}", error.reason())
            }
        }
    }
}
