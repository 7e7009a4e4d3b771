//! One plugin of a network: what it is sent, and what it answers.

use std::borrow::Cow;

use super::{Attachment, Cni};
use crate::conf::NetworkConfig;
use crate::error::Error;
use crate::invoke::{
    Environment, Failure, FindError, Inherited, Parameters, PluginError, Request, join_dirs, read_reply,
};
use crate::spec::{Command, Object, text};

impl Cni {
    /// Runs a plugin of a network for an attachment, or for the network as a whole.
    pub(super) fn call(
        &self,
        command: Command,
        network: &NetworkConfig,
        plugin: &str,
        attachment: Option<&Attachment>,
        config: &Object,
    ) -> Result<Answer, Error> {
        let request = self.request_in(command, network, plugin, attachment, config)?;
        self.run(request).map_err(|source| Error::Plugin { network: network.name().to_owned(), source })
    }

    /// What a plugin of a network is sent.
    pub(super) fn request_in(
        &self,
        command: Command,
        network: &NetworkConfig,
        plugin: &str,
        attachment: Option<&Attachment>,
        config: &Object,
    ) -> Result<Request, Error> {
        let dirs = join_dirs(&self.plugin_dirs);
        let args = attachment.map(|a| a.args.to_string()).unwrap_or_default();
        let parameters =
            Parameters { path: &dirs, args: &args, ..attachment.map(Attachment::parameters).unwrap_or_default() };
        self.request(command, plugin, parameters, config).map_err(|source| Error::PluginNotFound {
            network: network.name().to_owned(),
            command,
            source,
        })
    }

    pub(super) fn request(
        &self,
        command: Command,
        plugin: &str,
        parameters: Parameters<'_>,
        config: &Object,
    ) -> Result<Request, FindError> {
        Ok(Request {
            plugin: plugin.to_owned(),
            command,
            program: self.exec.find(plugin, &self.plugin_dirs)?,
            env: Environment::new(&self.inherited(), parameters.variables(command)),
            stdin: config.to_bytes(),
        })
    }

    /// What plugins inherit: the environment, with the trace's variables in place of those of another trace.
    fn inherited(&self) -> Cow<'_, Inherited> {
        let Some(context) = &self.trace_context else { return Cow::Borrowed(&self.env) };
        let variables = context.variables();
        let others = self.env.iter().filter(|(key, _)| variables.iter().all(|(name, _)| key != name));
        let set = variables.iter().filter_map(|(name, value)| Some((name.into(), value.as_ref()?.into())));
        Cow::Owned(Inherited::new(others.cloned().chain(set)))
    }

    pub(super) fn run(&self, request: Request) -> Result<Answer, Box<PluginError>> {
        let ended = self.exec.exec(&request, &self.limits);
        let output = ended.map_err(|error| PluginError::new(&request, Failure::Exec { error }))?;
        let stderr = output.stderr.clone();
        let answer = read_reply(&request, output);
        // A failure that says nothing else quotes stderr in its message.
        if answer.as_ref().map_or_else(|e| e.reply().is_some(), |_| true) {
            self.notices.stderr(&request, &stderr);
        }
        Ok(Answer { stdout: answer?, request })
    }
}

/// What a plugin that succeeded printed, and what it was asked.
pub(super) struct Answer {
    pub(super) stdout: Vec<u8>,
    pub(super) request: Request,
}

impl Answer {
    /// The text of a JSON document.
    pub(super) fn text(&self) -> Cow<'_, str> {
        text(&self.stdout)
    }
}
