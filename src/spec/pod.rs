//! The arguments with which runtimes of Kubernetes name a pod to plugins.

use super::{CniArgs, ContainerId, InvalidArg};
use crate::setters::setters;

/// A pod, for the generic arguments that plugins know it by.
///
/// Without them, plugins that look up the pod (Calico, Cilium, Multus) attach it without its policies, or not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pod<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its UID, where it is known.
    pub uid: Option<&'a str>,
}

impl<'a> Pod<'a> {
    /// A pod whose UID is not known.
    pub fn new(namespace: &'a str, name: &'a str) -> Self {
        Self { namespace, name, uid: None }
    }
}

setters! {
    Pod<'a> {
        uid: some &'a str,
    }
}

impl Pod<'_> {
    /// Sets the arguments of a pod whose sandbox is a container: `IgnoreUnknown`, without which plugins that don't know
    /// the others fail, `K8S_POD_NAMESPACE`, `K8S_POD_NAME`, `K8S_POD_INFRA_CONTAINER_ID` and `K8S_POD_UID`.
    ///
    /// # Errors
    /// A text can't be an argument; then nothing is set.
    pub fn set_args(&self, sandbox: &ContainerId, args: &mut CniArgs) -> Result<(), InvalidArg> {
        let known = [
            ("IgnoreUnknown", "1"),
            ("K8S_POD_NAMESPACE", self.namespace),
            ("K8S_POD_NAME", self.name),
            ("K8S_POD_INFRA_CONTAINER_ID", sandbox.as_str()),
        ];
        let uid = self.uid.map(|uid| ("K8S_POD_UID", uid));
        let mut all = args.clone();
        for (key, value) in known.into_iter().chain(uid) {
            all.set(key, value)?;
        }
        *args = all;
        Ok(())
    }
}
