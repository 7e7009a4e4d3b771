//! The call that a verb receives.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::{Answer, ArgsError, Config, Delegate, Failure, load_args};
use crate::invoke::Exec;
use crate::spec::{
    CNI_ARGS, CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS, CNI_PATH, Command, ContainerId, ErrorCode, IfName,
};

/// One call of a plugin, with the parts that every verb has.
#[derive(Clone, Debug)]
#[doc(alias = "CmdArgs")]
#[non_exhaustive]
pub struct Call {
    /// The verb.
    pub command: Command,
    /// The configuration.
    pub config: Config,
    pub(super) env: BTreeMap<OsString, OsString>,
    pub(super) exec: Arc<dyn Exec>,
}

/// One call for an interface of a container: ADD, DEL or CHECK.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttachmentCall {
    pub(super) call: Call,
    /// The container.
    pub container_id: ContainerId,
    /// The interface in it.
    pub ifname: IfName,
}

impl Call {
    /// A variable of the protocol as the runtime set it; `None` if it is not set or empty, which are the same in the
    /// protocol, or is not UTF-8.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.os_variable(name)?.to_str()
    }

    /// A variable as the runtime set it, UTF-8 or not; `None` if it is not set or empty.
    pub fn os_variable(&self, name: &str) -> Option<&OsStr> {
        self.env.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The plugin directories (CNI_PATH).
    pub fn plugin_dirs(&self) -> Vec<PathBuf> {
        super::split_dirs(self.os_variable(CNI_PATH).unwrap_or_default())
    }

    /// Another plugin, to be called with this call's environment and configuration, such as the IPAM plugin
    /// ([section 4](crate::specification#4-delegation)).
    ///
    /// ```
    /// use libcni::plugin::{Answer, AttachmentCall};
    /// use libcni::result::AddResult;
    ///
    /// fn add(call: &AttachmentCall) -> Answer<AddResult> {
    ///     let ipam = call.config.ipam_type()?.unwrap_or_else(|| "host-local".to_owned());
    ///     let addresses = call.delegate(&ipam).add()?;
    ///     make_interface(call, addresses.result())?;     // should this fail, the addresses are given back
    ///     Ok(addresses.keep())
    /// }
    /// # fn make_interface(_: &AttachmentCall, _: &AddResult) -> Answer { Ok(()) }
    /// ```
    pub fn delegate<'a>(&'a self, plugin: &'a str) -> Delegate<'a> {
        Delegate::new(self, plugin)
    }
}

impl AttachmentCall {
    /// The path of the container's network namespace. It is always there for ADD and CHECK; for DEL the namespace may
    /// be gone, and the path may be missing then.
    pub fn netns(&self) -> Option<&Path> {
        self.os_variable(CNI_NETNS).map(Path::new)
    }

    /// The path of the container's network namespace, for verbs that need it.
    ///
    /// # Errors
    /// Code 4: there is none.
    pub fn require_netns(&self) -> Answer<&Path> {
        let missing = || Failure::new(ErrorCode::INVALID_ENVIRONMENT, format!("{CNI_NETNS} is missing"));
        self.netns().ok_or_else(missing)
    }

    /// The generic arguments (CNI_ARGS) as a struct of the author; see [`load_args`].
    ///
    /// ```
    /// # use libcni::plugin::{Answer, AttachmentCall};
    /// #[derive(Default, serde::Deserialize)]
    /// #[serde(default)]
    /// struct Args {
    ///     #[serde(rename = "MAC")]
    ///     mac: Option<String>,
    /// }
    ///
    /// fn requested_mac(call: &AttachmentCall) -> Answer<Option<String>> {
    ///     Ok(call.args::<Args>()?.mac)
    /// }
    /// ```
    ///
    /// # Errors
    /// See [`ArgsError`].
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ArgsError> {
        load_args(self.os_variable(CNI_ARGS).unwrap_or_default().to_str().ok_or(ArgsError::NotUtf8)?)
    }
}

impl Deref for AttachmentCall {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

/// The variables that a verb needs, in the order that an error names them.
pub(super) fn required(command: Command) -> &'static [&'static str] {
    match command {
        Command::Add | Command::Check => &[CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_PATH],
        Command::Del => &[CNI_CONTAINERID, CNI_IFNAME, CNI_PATH],
        Command::Gc | Command::Status => &[CNI_PATH],
        Command::Version => &[],
    }
}
