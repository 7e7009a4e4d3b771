//! VERSION: what a plugin supports.

use std::ffi::OsStr;

use super::{Answer, Cni};
use crate::error::Error;
use crate::invoke::{Failure, Parameters, PluginError};
use crate::spec::{Command, Object, UnknownCommand, Version, VersionReply};

/// Plugins from before VERSION existed insist on values for these before they say that they don't know the verb.
const PLACEHOLDER: &str = "dummy";

impl Cni {
    /// Asks a plugin which versions of the specification it supports. One that does not know VERSION supports 0.1.0.
    ///
    /// ```no_run
    /// let reply = libcni::Cni::new().plugin_version("bridge")?;
    /// println!("{}", reply.supported_versions.join(" "));
    /// # Ok::<(), libcni::Error>(())
    /// ```
    ///
    /// # Errors
    /// The plugin can't be found, fails, or answers with something else.
    #[doc(alias("GetVersionInfo", "PluginInfo"))]
    pub fn plugin_version(&self, plugin: &str) -> Result<VersionReply, Error> {
        let parameters = Parameters {
            netns: PLACEHOLDER,
            ifname: PLACEHOLDER,
            path: OsStr::new(PLACEHOLDER),
            ..Parameters::default()
        };
        let mut config = Object::new();
        config.set("cniVersion", Version::CURRENT.as_str());
        let request = self.request(Command::Version, plugin, parameters, &config);
        let request = request.map_err(|source| Error::PluginNotFound {
            network: String::new(),
            command: Command::Version,
            source,
        })?;
        let failed = |source| Error::Plugin { network: String::new(), source };
        match self.run(request) {
            Ok(answer) => read_version(answer).map_err(failed),
            Err(error) if predates_version(&error) => Ok(VersionReply::predating_version()),
            Err(error) => Err(failed(error)),
        }
    }
}

fn read_version(answer: Answer) -> Result<VersionReply, Box<PluginError>> {
    VersionReply::parse(answer.text()).map_err(|source| {
        let Answer { stdout, request } = answer;
        PluginError::new(&request, Failure::InvalidVersionReply { stdout, source })
    })
}

fn predates_version(error: &PluginError) -> bool {
    let unknown = UnknownCommand(Command::Version.to_string()).to_string();
    error.reply().is_some_and(|reply| reply.msg == unknown)
}
