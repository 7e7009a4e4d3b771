//! DEL: every plugin in reverse order, with the cached result of ADD; then the cache entry goes.

use std::borrow::Cow;

use super::occupied::Record;
use super::update::Pending;
use super::{Attachment, Cni, Notice, derive};
use crate::cache::{Cached, Key};
use crate::conf::{NetworkConfig, PluginConfig};
use crate::error::Error;
use crate::invoke::FindError;
use crate::result::AddResult;
use crate::spec::{Command, text};
use crate::waiting::block_on;

/// The choice of what DEL does about a plugin that is not installed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnMissingPlugin {
    /// Stops with an error, as the specification says: only the plugin can remove what it added, and the plugins before
    /// it must not release what it still uses.
    #[default]
    Stop,
    /// Skips the plugin and continues with the others. What it added is left behind for good.
    Continue,
}

/// The outcome of a DEL for each plugin.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct DelReport {
    /// The plugins in the order that they were called.
    pub plugins: Vec<DeletedBy>,
}

/// The outcome of DEL for one plugin.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeletedBy {
    /// The plugin.
    pub plugin: String,
    /// Why it was skipped, if it was.
    pub skipped: Option<FindError>,
}

/// The network and the attachment as ADD had them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CachedAttachment {
    /// The network, as it was then.
    pub network: NetworkConfig,
    /// The attachment.
    pub attachment: Attachment,
}

impl DelReport {
    /// The plugins that were not installed.
    pub fn skipped(&self) -> impl Iterator<Item = &FindError> {
        self.plugins.iter().filter_map(|by| by.skipped.as_ref())
    }
}

impl Cni {
    /// Removes a container from a network. Without a cache entry, the plugins run without a previous result.
    ///
    /// A cache entry that can't be used is reported ([`Notice`]) and counts as none. If the path of the namespace leads
    /// to another one than at ADD, to an ordinary file, or to that of this process, plugins get no namespace, so that
    /// it is not touched.
    ///
    /// # Errors
    /// The first plugin that fails ends the call. The cache entry stays, so that DEL can be tried again.
    #[doc(alias("DelNetworkList", "DelNetwork"))]
    pub fn del(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<(), Error> {
        block_on(self.del_async(network, attachment))
    }

    pub(super) async fn del_async(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<(), Error> {
        self.del_with_async(network, attachment, OnMissingPlugin::Stop).await.map(drop)
    }

    /// The same, with a choice of what happens when a plugin is not installed, and a report.
    ///
    /// # Errors
    /// As those of [`Cni::del`].
    pub fn del_with(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
        on_missing: OnMissingPlugin,
    ) -> Result<DelReport, Error> {
        block_on(self.del_with_async(network, attachment, on_missing))
    }

    pub(super) async fn del_with_async(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
        on_missing: OnMissingPlugin,
    ) -> Result<DelReport, Error> {
        let key = attachment.key(network.network_name()?);
        let network = &*self.agreed_or_as_written(network).await;
        let _locks = self.lock_for_removal(&key).await?;
        self.del_locked(network, attachment, &key, on_missing).await
    }

    /// Removes a cached attachment, finished or not, with nothing but the cache: the configuration and the parameters
    /// are those of its ADD.
    ///
    /// The plugins of a network's folder are not in the cache, as they are not in that of the Go libcni.
    ///
    /// ```no_run
    /// use libcni::Cni;
    /// use libcni::runtime::OnMissingPlugin;
    ///
    /// let cni = Cni::new();
    /// for entry in cni.cache().attachments(None)?.entries {
    ///     let key = libcni::cache::Key::of(&entry)?;
    ///     cni.del_cached(&key, OnMissingPlugin::Stop)?;
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As those of [`Cni::del`]; [`Error::NotCached`] when there is nothing, [`Error::NoRecordedConfiguration`] when
    /// there is no configuration in it.
    #[doc(alias = "GetCachedConfig")]
    pub fn del_cached(&self, key: &Key, on_missing: OnMissingPlugin) -> Result<DelReport, Error> {
        block_on(self.del_cached_async(key, on_missing))
    }

    pub(super) async fn del_cached_async(&self, key: &Key, on_missing: OnMissingPlugin) -> Result<DelReport, Error> {
        let _locks = self.lock_for_removal(key).await?;
        let CachedAttachment { network, attachment } = self.cached_attachment(key)?;
        self.del_locked(&network, &attachment, key, on_missing).await
    }

    /// The network and the attachment as ADD had them.
    ///
    /// # Errors
    /// [`Error::NotCached`] when there is nothing, [`Error::NoRecordedConfiguration`] when there is no configuration in
    /// it; or the entry can't be read.
    pub fn cached_attachment(&self, key: &Key) -> Result<CachedAttachment, Error> {
        let entry = match self.cache.read(key)? {
            Some(Cached::Entry(entry)) => entry,
            Some(Cached::BareResult(_)) => self.cache.read_intent(key)?.unwrap_or_default(),
            None => self.cache.read_intent(key)?.ok_or_else(|| self.not_cached(key))?,
        };
        if entry.config.is_empty() {
            return Err(Error::NoRecordedConfiguration { key: Box::new(key.clone()) });
        }
        let network = NetworkConfig::parse_any(&text(&entry.config)).map_err(|error| Error::Load(error.into()))?;
        Ok(CachedAttachment { network, attachment: Attachment::from_entry(&entry)? })
    }

    /// Returns an attachment with what its ADD was given, where nothing else is: namespace, arguments and capabilities.
    /// As it is, where nothing is on record of it.
    pub fn as_recorded(&self, key: &Key, given: Attachment) -> Attachment {
        let Ok(CachedAttachment { attachment: recorded, .. }) = self.cached_attachment(key) else { return given };
        let netns = given.netns.or(recorded.netns);
        let args = if given.args.is_empty() { recorded.args } else { given.args };
        let capability_args =
            if given.capability_args.is_empty() { recorded.capability_args } else { given.capability_args };
        Attachment { netns, args, capability_args, ..given }
    }

    pub(super) fn not_cached(&self, key: &Key) -> Error {
        let is_begun = matches!(self.cache.read_intent(key), Ok(Some(_)));
        Error::NotCached { key: Box::new(key.clone()), dir: self.cache.dir().to_owned(), is_begun }
    }

    /// DEL of an attachment that is locked.
    pub(super) async fn del_locked(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
        key: &Key,
        on_missing: OnMissingPlugin,
    ) -> Result<DelReport, Error> {
        let before = self.before_removal(attachment, || self.record(key));
        // Whatever an update was about when it ended may be there.
        let report = match self.pending_update(key) {
            Some(Pending { network, attachment, .. }) => {
                self.del_of(&network, network.plugins(), &attachment, key, on_missing).await
            }
            None => self.del_of(network, network.plugins(), attachment, key, on_missing).await,
        }?;
        self.tell_removed(key, attachment, before);
        Ok(report)
    }

    /// DEL of these plugins of the network only.
    async fn del_of(
        &self,
        network: &NetworkConfig,
        plugins: &[PluginConfig],
        attachment: &Attachment,
        key: &Key,
        on_missing: OnMissingPlugin,
    ) -> Result<DelReport, Error> {
        let (attachment, previous) = self.what_to_delete(network, attachment, key)?;
        let report = self.del_plugins(network, plugins, &attachment, previous.as_ref(), on_missing).await?;
        self.cache.remove(key)?;
        Ok(report)
    }

    /// DEL of the first plugins of a network, which are all that an ADD had started.
    pub(super) async fn del_started(
        &self,
        network: &NetworkConfig,
        started: usize,
        attachment: &Attachment,
    ) -> Result<(), Error> {
        let key = attachment.key(network.network_name()?);
        let network = &*self.agreed_or_as_written(network).await;
        let _locks = self.lock_for_removal(&key).await?;
        let all = network.plugins();
        let before = self.before_removal(attachment, || Record::Begun);
        self.del_of(network, &all[..started.min(all.len())], attachment, &key, OnMissingPlugin::Continue).await?;
        self.tell_removed(&key, attachment, before);
        Ok(())
    }

    /// The attachment as DEL may touch it, and what ADD answered, if that is known and of use.
    pub(super) fn what_to_delete<'a>(
        &self,
        network: &NetworkConfig,
        attachment: &'a Attachment,
        key: &Key,
    ) -> Result<(Cow<'a, Attachment>, Option<AddResult>), Error> {
        let version = self.version(network, Command::Del)?;
        let cached = self.notices.usable(self.cache.read(key)).flatten();
        let begun = if cached.is_none() { self.cache.read_intent(key).ok().flatten() } else { None };
        let recorded = match &cached {
            Some(Cached::Entry(entry)) => Some(entry),
            _ => begun.as_ref(),
        };
        let attachment = if cached.is_none() && begun.is_none() {
            self.without_interface_of_others(attachment, key)
        } else {
            Cow::Borrowed(attachment)
        };
        let identity = recorded.and_then(|entry| entry.netns_identity.as_ref());
        let attachment = self.without_foreign_netns(attachment, identity);
        let previous = cached
            .filter(|_| version.has_check())
            .and_then(|cached| self.notices.usable(self.cached_result(network, &attachment, &cached, &version)));
        Ok((attachment, previous))
    }

    pub(super) async fn del_plugins(
        &self,
        network: &NetworkConfig,
        plugins: &[PluginConfig],
        attachment: &Attachment,
        previous: Option<&AddResult>,
        on_missing: OnMissingPlugin,
    ) -> Result<DelReport, Error> {
        let mut report = DelReport::default();
        for plugin in plugins.iter().rev() {
            let config = derive::for_attachment(network, plugin, attachment, previous);
            let called = self.call(Command::Del, network, plugin.plugin_type(), Some(attachment), &config).await;
            let skipped = match called {
                Err(error @ Error::PluginNotFound { .. }) if on_missing == OnMissingPlugin::Continue => {
                    self.notices.tell(&Notice::PluginSkipped { error: &error });
                    error.into_find_error()
                }
                called => called.map(|_| None)?,
            };
            report.plugins.push(DeletedBy { plugin: plugin.plugin_type().to_owned(), skipped });
        }
        Ok(report)
    }
}
