//! The parameters of one attachment.

use std::path::{Path, PathBuf};

use crate::cache::{Entry, Key};
use crate::conf::NetworkConfig;
use crate::invoke::Parameters;
use crate::netns::Identity;
use crate::spec::capability::CapabilityArgs;
use crate::spec::{CniArgs, ContainerId, IfName, InvalidName, NetworkName, Object};

/// One interface of one container, with the parameters that a runtime passes to ADD, and again to CHECK and DEL.
///
/// ```
/// use libcni::Attachment;
/// use libcni::spec::capability::PortMapping;
///
/// let mut attachment = Attachment::new("web-0".parse()?, "eth0".parse()?)
///     .netns("/run/netns/web-0")
///     .port_mappings(&[PortMapping::tcp(8080, 80)]);
/// attachment.args.push("TENANT", "blue")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "RuntimeConf")]
#[non_exhaustive]
pub struct Attachment {
    /// The container.
    pub container_id: ContainerId,
    /// The interface to make in it.
    pub ifname: IfName,
    /// The path of its network namespace; `None` for DEL when the namespace is gone.
    pub netns: Option<PathBuf>,
    /// Generic arguments, for all plugins.
    pub args: CniArgs,
    /// Capability arguments, each for the plugins that declare the capability.
    pub capability_args: CapabilityArgs,
}

impl Attachment {
    /// An attachment without namespace and arguments.
    pub fn new(container_id: ContainerId, ifname: IfName) -> Self {
        Self { container_id, ifname, netns: None, args: CniArgs::new(), capability_args: CapabilityArgs::new() }
    }

    /// The same attachment with a network namespace.
    ///
    /// An empty path counts as none. Plugins get the path as it is. The record of the attachment is JSON, and has
    /// U+FFFD for bytes that are not UTF-8, so DEL from the record alone finds no such namespace.
    pub fn netns(self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let netns = (!path.as_os_str().is_empty()).then(|| path.to_owned());
        Self { netns, ..self }
    }

    /// The same attachment without network namespace: it is gone, or is not to be touched.
    pub fn without_netns(self) -> Self {
        Self { netns: None, ..self }
    }

    /// The same attachment of another container.
    pub fn container_id(self, container_id: ContainerId) -> Self {
        Self { container_id, ..self }
    }

    /// The same attachment as another interface.
    pub fn ifname(self, ifname: IfName) -> Self {
        Self { ifname, ..self }
    }

    /// The same attachment with generic arguments.
    pub fn args(self, args: CniArgs) -> Self {
        Self { args, ..self }
    }

    /// The same attachment with capability arguments.
    pub fn capability_args(self, capability_args: CapabilityArgs) -> Self {
        Self { capability_args, ..self }
    }

    /// Returns the attachment that the cache recorded.
    ///
    /// # Errors
    /// A name in the entry is not allowed.
    pub fn from_entry(entry: &Entry) -> Result<Self, InvalidName> {
        Ok(Self {
            container_id: ContainerId::new(&*entry.container_id)?,
            ifname: IfName::new(&*entry.ifname)?,
            netns: entry.netns.clone(),
            args: entry.args.clone(),
            capability_args: entry.capability_args.clone(),
        })
    }

    pub(super) fn parameters(&self) -> Parameters<'_> {
        Parameters {
            container_id: self.container_id.as_str(),
            netns: self.netns.as_deref().map(Path::as_os_str).unwrap_or_default(),
            ifname: self.ifname.as_str(),
            ..Parameters::default()
        }
    }

    /// Returns the key of the attachment to a network in the cache.
    pub fn key(&self, network: NetworkName) -> Key {
        Key { network, container_id: self.container_id.clone(), ifname: self.ifname.clone() }
    }

    /// Returns the entry that the cache records when the attachment is begun.
    pub(super) fn entry(&self, network: &NetworkConfig) -> Entry {
        Entry {
            container_id: self.container_id.to_string(),
            network: network.name().to_owned(),
            ifname: self.ifname.to_string(),
            netns: self.netns.clone(),
            // The namespace of a container; that of this process is none.
            netns_identity: self.netns.as_deref().and_then(Identity::of_another),
            args: self.args.clone(),
            capability_args: self.capability_args.clone(),
            config: network.text().into(),
            result: Object::new(),
        }
    }

    /// The attachment in an error message.
    pub(super) fn describe(&self, network: &NetworkConfig) -> String {
        let Self { container_id, ifname, .. } = self;
        format!("interface `{ifname}` of container `{container_id}` to network `{}`", network.name())
    }
}
