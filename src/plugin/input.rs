//! The environment and input of a plugin's process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::invoke::{Exec, ProcessExec};
use crate::spec::{CNI_COMMAND, CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS, CNI_PATH, Command};

type ReadStdin<'a> = Box<dyn FnOnce() -> io::Result<Vec<u8>> + 'a>;
type IsOwnNetns<'a> = Box<dyn Fn(&Path) -> bool + 'a>;

/// The environment and stdin of one call of a plugin, for [`dispatch`](super::dispatch).
///
/// [`Input::call`] makes one for the unit tests of a plugin:
///
/// ```
/// use libcni::plugin::Input;
/// use libcni::spec::Command;
///
/// let config = r#"{"cniVersion": "1.1.0", "name": "net", "type": "bridge"}"#;
/// let input = Input::call(Command::Del, config).variable("CNI_CONTAINERID", "web-0").variable("CNI_NETNS", "");
/// ```
pub struct Input<'a> {
    pub(super) env: BTreeMap<OsString, OsString>,
    pub(super) stdin: ReadStdin<'a>,
    pub(super) is_own_netns: IsOwnNetns<'a>,
    pub(super) exec: Arc<dyn Exec>,
}

impl<'a> Input<'a> {
    /// A call with an environment and an empty stdin. No path counts as the plugin's own namespace, and delegated
    /// plugins run as processes.
    pub fn new<K: Into<OsString>, V: Into<OsString>>(env: impl IntoIterator<Item = (K, V)>) -> Self {
        Self {
            env: env.into_iter().map(|(key, value)| (key.into(), value.into())).collect(),
            stdin: Box::new(|| Ok(Vec::new())),
            is_own_netns: Box::new(|_| false),
            exec: Arc::new(ProcessExec),
        }
    }

    /// A call with all variables that a verb needs: container `c1`, interface `eth0`, namespace `/run/netns/c1`, plugin
    /// directory `/opt/cni/bin`. [`Input::variable`] replaces them.
    pub fn call(command: Command, config: impl Into<Vec<u8>>) -> Self {
        let env = [
            (CNI_COMMAND, command.as_str()),
            (CNI_CONTAINERID, "c1"),
            (CNI_NETNS, "/run/netns/c1"),
            (CNI_IFNAME, "eth0"),
            (CNI_PATH, "/opt/cni/bin"),
        ];
        let config = config.into();
        Self::new(env).read_stdin(move || Ok(config))
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Sets how stdin is read to its end. VERSION does not read it.
    #[must_use]
    pub fn read_stdin(mut self, read: impl FnOnce() -> io::Result<Vec<u8>> + 'a) -> Self {
        self.stdin = Box::new(read);
        self
    }

    /// Sets which paths are the network namespace that the plugin itself is in, such as
    /// [`netns::is_own`](crate::netns::is_own). ADD and DEL refuse those.
    #[must_use]
    pub fn own_netns(mut self, is_own: impl Fn(&Path) -> bool + 'a) -> Self {
        self.is_own_netns = Box::new(is_own);
        self
    }

    /// Sets what runs the plugins that this one delegates to.
    #[must_use]
    pub fn exec(mut self, exec: impl Exec + 'static) -> Self {
        self.exec = Arc::new(exec);
        self
    }
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("env", &self.env).field("exec", &self.exec).finish_non_exhaustive()
    }
}
