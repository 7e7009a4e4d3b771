//! The request to a plugin: its configuration, and the environment with the parameters of the call.

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::{Attachment, Cni};
use crate::conf::NetworkConfig;
use crate::error::Error;
use crate::invoke::{Environment, Inherited, Parameters, Request};
use crate::spec::{Command, Object};

impl Cni {
    /// Makes the request to a plugin of a network.
    pub(super) fn request_in(
        &self,
        command: Command,
        network: &NetworkConfig,
        plugin: &str,
        attachment: Option<&Attachment>,
        config: &Object,
    ) -> Result<Request, Error> {
        let program = self.locate(command, network, plugin)?;
        let dirs = join_dirs(&self.plugin_dirs);
        let args = attachment.map(|a| a.args.to_string()).unwrap_or_default();
        let parameters =
            Parameters { path: &dirs, args: &args, ..attachment.map(Attachment::parameters).unwrap_or_default() };
        Ok(self.request(command, plugin, program, parameters, config))
    }

    /// The executable of a plugin of a network.
    pub(super) fn locate(&self, command: Command, network: &NetworkConfig, plugin: &str) -> Result<PathBuf, Error> {
        self.find(command, plugin).map_err(|error| error.in_network(network.name()))
    }

    /// The executable of a plugin.
    pub(super) fn find(&self, command: Command, plugin: &str) -> Result<PathBuf, Error> {
        let (network, needs_cleanup) = (None, false);
        let not_found = |source| Error::PluginNotFound { network, command, source, needs_cleanup };
        self.exec.find(plugin, &self.plugin_dirs).map_err(not_found)
    }

    pub(super) fn request(
        &self,
        command: Command,
        plugin: &str,
        program: PathBuf,
        parameters: Parameters<'_>,
        config: &Object,
    ) -> Request {
        Request {
            plugin: plugin.to_owned(),
            command,
            program,
            env: Environment::new(&self.inherited(), parameters.variables(command)),
            stdin: config.to_bytes(),
        }
    }

    /// Returns the environment that plugins inherit, with the trace's variables in place of those of another trace.
    fn inherited(&self) -> Cow<'_, Inherited> {
        let Some(context) = &self.trace_context else { return Cow::Borrowed(&self.env) };
        let variables: Vec<_> = context.variables().collect();
        let others = self.env.iter().filter(|(key, _)| variables.iter().all(|(name, _)| key != name));
        let set = variables.iter().filter_map(|(name, value)| Some((name.into(), value.as_ref()?.into())));
        Cow::Owned(Inherited::new(others.cloned().chain(set)))
    }
}

/// The plugin directories as CNI_PATH has them, byte for byte.
fn join_dirs(dirs: &[PathBuf]) -> OsString {
    let dirs: Vec<_> = dirs.iter().map(|dir| dir.as_os_str().as_bytes()).collect();
    OsString::from_vec(dirs.join(&b':'))
}
