//! A request for one execution: a program, its whole environment, its stdin.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::environment::{Environment, Inherited};
use crate::setters::setters;
use crate::spec::{CNI_ARGS, CNI_COMMAND, CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS, CNI_PATH, Command};

/// One execution of a plugin.
///
/// ```
/// use libcni::invoke::{Exec, Limits, Parameters, ProcessExec, Request, read_reply};
/// use libcni::spec::Command;
///
/// let parameters = Parameters::default().path("/opt/cni/bin".as_ref());
/// let request = Request::new("cat", Command::Status, "/bin/cat")
///     .with_env(parameters.environment(Command::Status, &[]))
///     .with_stdin(br#"{"cniVersion": "1.1.0", "name": "mynet", "type": "cat"}"#);
/// let output = ProcessExec.exec(&request, &Limits::default())?;
/// assert_eq!(read_reply(&request, output)?, request.stdin);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct Parameters<'a> {
    /// CNI_CONTAINERID.
    pub container_id: &'a str,
    /// CNI_NETNS.
    pub netns: &'a OsStr,
    /// CNI_IFNAME.
    pub ifname: &'a str,
    /// CNI_ARGS.
    pub args: &'a str,
    /// CNI_PATH, which need not be UTF-8, as paths need not.
    pub path: &'a OsStr,
}

setters! {
    Parameters<'a> {
        container_id: &'a str,
        netns: &'a OsStr,
        ifname: &'a str,
        args: &'a str,
        path: &'a OsStr,
    }
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
    /// let env = Parameters::default().ifname("eth0").environment(Command::Add, &inherited);
    /// assert_eq!(env.iter().next(), Some(("LANG".as_ref(), "C".as_ref())));
    /// assert!(env.get("CNI_IFNAME") == Some("eth0".as_ref()) && env.iter().count() == 7);
    /// ```
    pub fn environment(&self, command: Command, base: &[(OsString, OsString)]) -> Environment {
        Environment::new(&Inherited::new(base.iter().cloned()), self.variables(command))
    }

    /// The protocol's variables.
    pub(crate) fn variables(&self, command: Command) -> Vec<(OsString, OsString)> {
        let [command, container_id, ifname, args] =
            [command.as_str(), self.container_id, self.ifname, self.args].map(OsStr::new);
        let values = [command, container_id, self.netns, ifname, args, self.path];
        Self::NAMES.into_iter().zip(values).map(|(name, value)| (name.into(), value.into())).collect()
    }
}

impl Request {
    /// An execution without environment and stdin.
    pub fn new(plugin: impl Into<String>, command: Command, program: impl Into<PathBuf>) -> Self {
        let (env, stdin) = (Environment::default(), Vec::new());
        Self { plugin: plugin.into(), command, program: program.into(), env, stdin }
    }

    /// The same with this environment, and no other variable.
    pub fn with_env(self, env: impl Into<Environment>) -> Self {
        Self { env: env.into(), ..self }
    }

    /// The same with these bytes for stdin.
    pub fn with_stdin(self, stdin: impl Into<Vec<u8>>) -> Self {
        Self { stdin: stdin.into(), ..self }
    }

    /// The value of an environment variable.
    pub fn env(&self, key: &str) -> Option<&OsStr> {
        self.env.get(key)
    }
}
