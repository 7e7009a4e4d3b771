//! Versions that a configuration and all its plugins have in common.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Cni;
use crate::conf::{NetworkConfig, PluginConfig};
use crate::error::{Error, Failures};
use crate::spec::{Object, Version};
use crate::waiting::block_on;

/// The versions that a network's configuration and each of its plugins support.
#[derive(Debug)]
#[non_exhaustive]
pub struct SupportedVersions {
    /// The network.
    pub network: String,
    /// The version that verbs use unless they negotiate: [`NetworkConfig::effective_version`].
    pub used: String,
    /// The versions that the configuration says it is written for, oldest first.
    pub configured: Vec<Version>,
    /// The plugins in the order of the list.
    pub plugins: Vec<SupportedBy>,
}

/// The features that one plugin supports.
#[derive(Debug)]
#[non_exhaustive]
pub struct SupportedBy {
    /// The plugin.
    pub plugin: String,
    /// The versions that it answered, as it wrote them, or why it did not answer.
    pub versions: Result<Vec<String>, Error>,
}

impl SupportedVersions {
    /// The versions that every plugin supports, oldest first; empty if a plugin could not be asked.
    pub fn common(&self) -> Vec<Version> {
        let mut answers = self.plugins.iter().map(|by| by.versions.as_deref().unwrap_or_default());
        let first = answers.next().unwrap_or_default();
        let rest: Vec<_> = answers.collect();
        let by_all = |version: &&String| rest.iter().all(|versions| versions.contains(version));
        let mut common: Vec<Version> = first.iter().filter(by_all).filter_map(|text| text.parse().ok()).collect();
        common.sort();
        common.dedup();
        common
    }

    /// The highest version that the configuration and every plugin support.
    pub fn highest(&self) -> Option<Version> {
        let common = self.common();
        // As text, like everywhere in CNI: a plugin looks up the version of its configuration by its text.
        let shared = |version: &&Version| common.iter().any(|other| other.as_str() == version.as_str());
        self.configured.iter().rfind(shared).cloned()
    }

    /// Returns whether every plugin supports the version that is used.
    pub fn is_usable(&self) -> bool {
        self.common().iter().any(|version| version.as_str() == self.used)
    }

    /// Describes them: `network`, `plugins` (each with `plugin`, `supportedVersions` and `error` where it has none),
    /// `configured`, `common`, `used` and `negotiated`.
    pub fn to_object(&self) -> Object {
        let texts =
            |versions: &[Version]| versions.iter().map(|version| version.as_str().to_owned()).collect::<Vec<_>>();
        let mut object = Object::new();
        object.set("network", &self.network);
        object.set("plugins", &self.plugins.iter().map(describe).collect::<Vec<_>>());
        object.set("configured", &texts(&self.configured));
        object.set("common", &texts(&self.common()));
        object.set("used", &self.used);
        object.set("negotiated", &self.highest().map(|version| version.as_str().to_owned()));
        object
    }
}

fn describe(by: &SupportedBy) -> Object {
    let mut object = Object::new();
    object.set("plugin", &by.plugin);
    object.set("supportedVersions", by.versions.as_deref().unwrap_or_default());
    if let Err(error) = &by.versions {
        object.set("error", &error.reason());
    }
    object
}

impl Cni {
    /// Asks every plugin of a network, and every plugin that one of them delegates addresses to (`ipam`), which
    /// versions it supports. It skips an `ipam` type that is not installed, since some plugins have theirs built in.
    pub fn supported_versions(&self, network: &NetworkConfig) -> SupportedVersions {
        block_on(self.supported_versions_async(network))
    }

    pub(super) async fn supported_versions_async(&self, network: &NetworkConfig) -> SupportedVersions {
        let mut plugins: Vec<SupportedBy> = Vec::new();
        let of_list = network.plugins().iter().map(|plugin| (plugin.plugin_type(), false));
        let of_ipam = network.plugins().iter().filter_map(PluginConfig::ipam_type).map(|ipam| (ipam, true));
        for (plugin, is_optional) in of_list.chain(of_ipam) {
            if plugins.iter().any(|asked| asked.plugin == plugin) {
                continue;
            }
            let versions = match self.plugin_version_async(plugin).await {
                Err(Error::PluginNotFound { .. }) if is_optional => continue,
                Err(error) => Err(error.in_network(network.name())),
                Ok(reply) => Ok(reply.supported_versions),
            };
            plugins.push(SupportedBy { plugin: plugin.to_owned(), versions });
        }
        let (network, used, configured) = (network.name(), network.effective_version(), network.versions().to_vec());
        SupportedVersions { network: network.to_owned(), used: used.to_owned(), configured, plugins }
    }

    /// The same network at the highest version that its configuration (`cniVersion`, `cniVersions`) and all its plugins
    /// support. Without this call, verbs use the highest version of the configuration, even if the plugins do not
    /// support it; [`Builder::negotiate`](super::Builder::negotiate) makes each verb do it.
    ///
    /// This costs one execution of every plugin, so keep the answer. Add, check and delete with the same network.
    ///
    /// ```no_run
    /// use libcni::Cni;
    /// use libcni::conf::ConfDir;
    ///
    /// let cni = Cni::new();
    /// let network = cni.negotiate(&ConfDir::default().load("mynet")?.network)?;
    /// println!("version {}", network.effective_version());
    /// # Ok::<(), libcni::Error>(())
    /// ```
    ///
    /// # Errors
    /// A plugin can't be asked, or there is no version in common.
    pub fn negotiate(&self, network: &NetworkConfig) -> Result<NetworkConfig, Error> {
        block_on(self.negotiate_async(network))
    }

    pub(super) async fn negotiate_async(&self, network: &NetworkConfig) -> Result<NetworkConfig, Error> {
        let supported = self.supported_versions_async(network).await;
        if let Some(version) = supported.highest() {
            return Ok(network.at_version(&version)?);
        }
        let SupportedVersions { configured, plugins, .. } = supported;
        let (mut answers, mut errors) = (BTreeMap::new(), Vec::new());
        for SupportedBy { plugin, versions } in plugins {
            match versions {
                Ok(versions) => drop(answers.insert(plugin, versions)),
                Err(error) => errors.push(error),
            }
        }
        Failures::into_result(errors)?;
        Err(Error::NoCommonVersion { network: network.name().to_owned(), configured, plugins: answers })
    }

    /// The network as a verb uses it: at the version that all plugins know, where that is wanted.
    pub(super) async fn agreed<'a>(&self, network: &'a NetworkConfig) -> Result<Cow<'a, NetworkConfig>, Error> {
        if self.negotiates { self.negotiate_async(network).await.map(Cow::Owned) } else { Ok(Cow::Borrowed(network)) }
    }

    /// The network as DEL uses it. DEL continues if plugins can't be asked, so that the installed ones undo their work.
    pub(super) async fn agreed_or_as_written<'a>(&self, network: &'a NetworkConfig) -> Cow<'a, NetworkConfig> {
        self.agreed(network).await.unwrap_or(Cow::Borrowed(network))
    }
}
