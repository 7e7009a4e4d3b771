//! The verbs, each handed to the workers with what it needs.

use std::collections::BTreeSet;

use super::AsyncCni;
use crate::cache::{Entry, Key};
use crate::conf::NetworkConfig;
use crate::error::Error;
use crate::invoke::Request;
use crate::result::AddResult;
use crate::runtime::{
    Attachment, CachedAttachment, Changes, DelReport, Fault, InstalledPlugins, Keep, OnMissingPlugin, Plan,
    SupportedVersions, Updated,
};
use crate::spec::{ContainerId, VersionReply};

impl AsyncCni {
    /// [`Cni::add`](crate::Cni::add) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn add(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<AddResult, Error> {
        let (network, attachment) = (network.clone(), attachment.clone());
        self.call(vec![attachment.container_id.clone()], move |cni| async move {
            cni.add_async(&network, &attachment).await
        })
        .await
    }

    /// [`Cni::add_with_rollback`](crate::Cni::add_with_rollback) as a future. It is rolled back when the future is
    /// dropped, too.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn add_with_rollback(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
    ) -> Result<AddResult, Error> {
        let (network, attachment) = (network.clone(), attachment.clone());
        self.call(vec![attachment.container_id.clone()], move |cni| async move {
            cni.add_with_rollback_async(&network, &attachment).await
        })
        .await
    }

    /// [`Cni::add_all`](crate::Cni::add_all) as a future. All are rolled back when the future is dropped, too.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn add_all(&self, attachments: &[(&NetworkConfig, &Attachment)]) -> Result<Vec<AddResult>, Error> {
        let attachments = owned(attachments);
        self.call(containers(&attachments), move |cni| async move { cni.add_all_async(&borrowed(&attachments)).await })
            .await
    }

    /// [`Cni::check`](crate::Cni::check) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn check(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<(), Error> {
        let (network, attachment) = (network.clone(), attachment.clone());
        self.call(vec![attachment.container_id.clone()], move |cni| async move {
            cni.check_async(&network, &attachment).await
        })
        .await
    }

    /// [`Cni::del`](crate::Cni::del) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn del(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<(), Error> {
        let (network, attachment) = (network.clone(), attachment.clone());
        self.call(vec![attachment.container_id.clone()], move |cni| async move {
            cni.del_async(&network, &attachment).await
        })
        .await
    }

    /// [`Cni::del_with`](crate::Cni::del_with) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn del_with(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
        on_missing: OnMissingPlugin,
    ) -> Result<DelReport, Error> {
        let (network, attachment) = (network.clone(), attachment.clone());
        self.call(vec![attachment.container_id.clone()], move |cni| async move {
            cni.del_with_async(&network, &attachment, on_missing).await
        })
        .await
    }

    /// [`Cni::del_cached`](crate::Cni::del_cached) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn del_cached(&self, key: &Key, on_missing: OnMissingPlugin) -> Result<DelReport, Error> {
        let key = key.clone();
        self.call(
            vec![key.container_id.clone()],
            move |cni| async move { cni.del_cached_async(&key, on_missing).await },
        )
        .await
    }

    /// [`Cni::del_all`](crate::Cni::del_all) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn del_all(&self, attachments: &[(&NetworkConfig, &Attachment)]) -> Result<(), Error> {
        let attachments = owned(attachments);
        self.call(containers(&attachments), move |cni| async move { cni.del_all_async(&borrowed(&attachments)).await })
            .await
    }

    /// [`Cni::cached_attachment`](crate::Cni::cached_attachment) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn cached_attachment(&self, key: &Key) -> Result<CachedAttachment, Error> {
        let key = key.clone();
        self.call(vec![key.container_id.clone()], move |cni| async move { cni.cached_attachment(&key) }).await
    }

    /// [`Cni::update`](crate::Cni::update) as a future. When it is dropped, what was before is made again.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn update(&self, network: &NetworkConfig, key: &Key, changes: &Changes) -> Result<Updated, Error> {
        let (network, key, changes) = (network.clone(), key.clone(), changes.clone());
        self.call(
            vec![key.container_id.clone()],
            move |cni| async move { cni.update_async(&network, &key, &changes).await },
        )
        .await
    }

    /// [`Cni::update_plan`](crate::Cni::update_plan) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn update_plan(&self, network: &NetworkConfig, key: &Key, changes: &Changes) -> Result<Plan, Error> {
        let (network, key, changes) = (network.clone(), key.clone(), changes.clone());
        self.call(vec![key.container_id.clone()], move |cni| async move {
            cni.update_plan_async(&network, &key, &changes).await
        })
        .await
    }

    /// [`Cni::update_result`](crate::Cni::update_result) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn update_result(
        &self,
        key: &Key,
        change: impl FnOnce(AddResult) -> Result<AddResult, Error> + Send + 'static,
    ) -> Result<AddResult, Error> {
        let key = key.clone();
        self.call(vec![key.container_id.clone()], move |cni| async move { cni.update_result_async(&key, change).await })
            .await
    }

    /// [`Cni::gc`](crate::Cni::gc) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn gc(&self, network: &NetworkConfig, keep: &Keep) -> Result<(), Error> {
        let (network, keep) = (network.clone(), keep.clone());
        self.call(Vec::new(), move |cni| async move { cni.gc_async(&network, &keep).await }).await
    }

    /// [`Cni::stale`](crate::Cni::stale) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn stale(&self, network: &NetworkConfig, keep: &Keep) -> Result<Vec<Entry>, Error> {
        let (network, keep) = (network.clone(), keep.clone());
        self.call(Vec::new(), move |cni| async move { cni.stale(&network, &keep) }).await
    }

    /// [`Cni::status`](crate::Cni::status) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn status(&self, network: &NetworkConfig) -> Result<(), Error> {
        let network = network.clone();
        self.call(Vec::new(), move |cni| async move { cni.status_async(&network).await }).await
    }

    /// [`Cni::validate`](crate::Cni::validate) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn validate(&self, network: &NetworkConfig) -> Result<BTreeSet<String>, Error> {
        let network = network.clone();
        self.call(Vec::new(), move |cni| async move { cni.validate_async(&network).await }).await
    }

    /// [`Cni::examine`](crate::Cni::examine) as a future.
    ///
    /// # Errors
    /// [`Error::NotStarted`].
    pub async fn examine(&self, network: &NetworkConfig) -> Result<Vec<Fault>, Error> {
        let network = network.clone();
        self.call(Vec::new(), move |cni| async move { Ok(cni.examine_async(&network).await) }).await
    }

    /// [`Cni::plugin_version`](crate::Cni::plugin_version) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn plugin_version(&self, plugin: &str) -> Result<VersionReply, Error> {
        let plugin = plugin.to_owned();
        self.call(Vec::new(), move |cni| async move { cni.plugin_version_async(&plugin).await }).await
    }

    /// [`Cni::installed_plugins`](crate::Cni::installed_plugins) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn installed_plugins(&self) -> Result<InstalledPlugins, Error> {
        self.call(Vec::new(), move |cni| async move { cni.installed_plugins_async().await }).await
    }

    /// [`Cni::supported_versions`](crate::Cni::supported_versions) as a future.
    ///
    /// # Errors
    /// [`Error::NotStarted`].
    pub async fn supported_versions(&self, network: &NetworkConfig) -> Result<SupportedVersions, Error> {
        let network = network.clone();
        self.call(Vec::new(), move |cni| async move { Ok(cni.supported_versions_async(&network).await) }).await
    }

    /// [`Cni::negotiate`](crate::Cni::negotiate) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn negotiate(&self, network: &NetworkConfig) -> Result<NetworkConfig, Error> {
        let network = network.clone();
        self.call(Vec::new(), move |cni| async move { cni.negotiate_async(&network).await }).await
    }

    /// [`Cni::add_requests`](crate::Cni::add_requests) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn add_requests(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<Vec<Request>, Error> {
        let (network, attachment) = (network.clone(), attachment.clone());
        self.call(Vec::new(), move |cni| async move { cni.add_requests_async(&network, &attachment).await }).await
    }

    /// [`Cni::check_requests`](crate::Cni::check_requests) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn check_requests(
        &self,
        network: &NetworkConfig,
        attachment: &Attachment,
    ) -> Result<Vec<Request>, Error> {
        let (network, attachment) = (network.clone(), attachment.clone());
        self.call(Vec::new(), move |cni| async move { cni.check_requests_async(&network, &attachment).await }).await
    }

    /// [`Cni::del_requests`](crate::Cni::del_requests) as a future.
    ///
    /// # Errors
    /// As there, and [`Error::NotStarted`].
    pub async fn del_requests(&self, network: &NetworkConfig, attachment: &Attachment) -> Result<Vec<Request>, Error> {
        let (network, attachment) = (network.clone(), attachment.clone());
        self.call(Vec::new(), move |cni| async move { cni.del_requests_async(&network, &attachment).await }).await
    }
}

type Owned = Vec<(NetworkConfig, Attachment)>;

fn owned(attachments: &[(&NetworkConfig, &Attachment)]) -> Owned {
    attachments.iter().map(|&(network, attachment)| (network.clone(), attachment.clone())).collect()
}

fn containers(attachments: &Owned) -> Vec<ContainerId> {
    attachments.iter().map(|(_, attachment)| attachment.container_id.clone()).collect()
}

fn borrowed(attachments: &Owned) -> Vec<(&NetworkConfig, &Attachment)> {
    attachments.iter().map(|(network, attachment)| (network, attachment)).collect()
}
