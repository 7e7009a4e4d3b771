//! A request for one execution: a program, its whole environment, its stdin.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::environment::{Environment, Inherited};
use crate::spec::{CNI_ARGS, CNI_COMMAND, CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS, CNI_PATH, Command};

/// One execution of a plugin.
///
/// ```
/// use libcni::invoke::{Exec, Limits, Parameters, ProcessExec, Request, read_reply};
/// use libcni::spec::Command;
///
/// let parameters = Parameters { path: "/opt/cni/bin".as_ref(), ..Parameters::default() };
/// let request = Request {
///     plugin: "cat".to_owned(),
///     command: Command::Status,
///     program: "/bin/cat".into(),
///     env: parameters.environment(Command::Status, &[]),
///     stdin: br#"{"cniVersion": "1.1.0", "name": "mynet", "type": "cat"}"#.to_vec(),
/// };
/// let output = ProcessExec.exec(&request, &Limits::default())?;
/// assert_eq!(read_reply(&request, output)?, request.stdin);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The name of the plugin, its `type`.
    pub plugin: String,
    /// The verb, which is also in the environment.
    pub command: Command,
    /// The path of the executable.
    pub program: PathBuf,
    /// The whole environment, each variable once.
    pub env: Environment,
    /// The bytes for stdin.
    pub stdin: Vec<u8>,
}

/// The parameters that a plugin gets in its environment. Empty ones are set to an empty text.
///
/// Which verb has which of them is in [2.2](crate::specification#22-environment).
#[derive(Clone, Copy, Debug, Default)]
#[doc(alias = "CNIArgs")]
pub struct Parameters<'a> {
    /// CNI_CONTAINERID.
    pub container_id: &'a str,
    /// CNI_NETNS.
    pub netns: &'a str,
    /// CNI_IFNAME.
    pub ifname: &'a str,
    /// CNI_ARGS.
    pub args: &'a str,
    /// CNI_PATH, which need not be UTF-8, as paths need not.
    pub path: &'a OsStr,
}

impl Parameters<'_> {
    /// The names of the protocol's variables.
    pub(super) const NAMES: [&'static str; 6] =
        [CNI_COMMAND, CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_ARGS, CNI_PATH];

    /// The environment `base` with the protocol's variables for `command` in place of inherited ones.
    ///
    /// ```
    /// use libcni::invoke::Parameters;
    /// use libcni::spec::Command;
    ///
    /// let inherited = [("CNI_IFNAME".into(), "lo".into()), ("LANG".into(), "C".into())];
    /// let env = Parameters { ifname: "eth0", ..Parameters::default() }.environment(Command::Add, &inherited);
    /// assert_eq!(env.iter().next(), Some(&("LANG".into(), "C".into())));
    /// assert!(env.get("CNI_IFNAME") == Some("eth0".as_ref()) && env.iter().count() == 7);
    /// ```
    pub fn environment(&self, command: Command, base: &[(OsString, OsString)]) -> Environment {
        Environment::new(&Inherited::new(base.iter().cloned()), self.variables(command))
    }

    /// The protocol's variables.
    pub(crate) fn variables(&self, command: Command) -> Vec<(OsString, OsString)> {
        let values = [command.as_str(), self.container_id, self.netns, self.ifname, self.args].map(OsStr::new);
        let values = values.into_iter().chain([self.path]);
        Self::NAMES.into_iter().zip(values).map(|(name, value)| (name.into(), value.into())).collect()
    }
}

impl Request {
    /// The value of an environment variable.
    pub fn env(&self, key: &str) -> Option<&OsStr> {
        self.env.get(key)
    }
}

/// The plugin directories as CNI_PATH has them, byte for byte.
pub(crate) fn join_dirs(dirs: &[PathBuf]) -> OsString {
    let dirs: Vec<_> = dirs.iter().map(|dir| dir.as_os_str().as_bytes()).collect();
    OsString::from_vec(dirs.join(&b':'))
}
