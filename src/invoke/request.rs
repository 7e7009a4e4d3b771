//! What one execution is: a program, its whole environment, its stdin.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

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
    pub env: Vec<(OsString, OsString)>,
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
    /// The environment `base` with the protocol's variables for `command` in place of inherited ones.
    ///
    /// ```
    /// use libcni::invoke::Parameters;
    /// use libcni::spec::Command;
    ///
    /// let inherited = [("CNI_IFNAME".into(), "lo".into()), ("LANG".into(), "C".into())];
    /// let env = Parameters { ifname: "eth0", ..Parameters::default() }.environment(Command::Add, &inherited);
    /// assert_eq!(env[0], ("LANG".into(), "C".into()));
    /// assert!(env.contains(&("CNI_IFNAME".into(), "eth0".into())) && env.len() == 7);
    /// ```
    pub fn environment(&self, command: Command, base: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
        let own = [
            (CNI_COMMAND, command.as_str()),
            (CNI_CONTAINERID, self.container_id),
            (CNI_NETNS, self.netns),
            (CNI_IFNAME, self.ifname),
            (CNI_ARGS, self.args),
        ];
        let own = own.map(|(key, value)| (OsStr::new(key), OsStr::new(value)));
        let own = own.into_iter().chain([(OsStr::new(CNI_PATH), self.path)]);
        let most = base.len() + 6;
        let (mut set, mut env) = (HashSet::with_capacity(most), Vec::with_capacity(most));
        set.extend(own.clone().map(|(key, _)| key));
        env.extend(base.iter().filter(|(key, _)| set.insert(key.as_os_str())).cloned());
        env.extend(own.map(|(key, value)| (key.to_owned(), value.to_owned())));
        env
    }
}

impl Request {
    /// The value of an environment variable.
    pub fn env(&self, key: &str) -> Option<&OsStr> {
        let found = self.env.iter().find(|(k, _)| k == key);
        found.map(|(_, value)| value.as_os_str())
    }
}

/// The plugin directories as CNI_PATH has them, byte for byte.
pub(crate) fn join_dirs(dirs: &[PathBuf]) -> OsString {
    let dirs: Vec<_> = dirs.iter().map(|dir| dir.as_os_str().as_bytes()).collect();
    OsString::from_vec(dirs.join(&b':'))
}
