//! One plugin of a network is run, and answers.

use std::borrow::Cow;

use super::{Attachment, Cni};
use crate::conf::NetworkConfig;
use crate::error::Error;
use crate::invoke::{PluginError, PluginFailure, Request, read_reply};
use crate::spec::{Command, Object, text};
use crate::waiting;

impl Cni {
    /// Runs a plugin of a network for an attachment, or for the network as a whole.
    pub(super) async fn call(
        &self,
        command: Command,
        network: &NetworkConfig,
        plugin: &str,
        attachment: Option<&Attachment>,
        config: &Object,
    ) -> Result<Answer, Error> {
        let request = self.request_in(command, network, plugin, attachment, config)?;
        Ok(self.run(request).await.map_err(|error| error.in_network(network.name()))?)
    }

    pub(super) async fn run(&self, request: Request) -> Result<Answer, Box<PluginError>> {
        let not_run = |error| PluginError::new(&request, PluginFailure::Exec { error });
        let output = if waiting::is_by_thread() {
            self.exec.exec(&request, &self.limits)
        } else {
            self.exec.exec_async(&request, &self.limits).await
        };
        let output = output.map_err(not_run)?;
        let stderr = output.stderr.clone();
        let answer = read_reply(&request, output);
        // A failure that says nothing else quotes stderr in its message.
        if answer.as_ref().map_or_else(|e| e.reply().is_some(), |_| true) {
            self.notices.stderr(&request, &stderr);
        }
        Ok(Answer { stdout: answer?, request })
    }
}

/// The output of a plugin that succeeded, and the request that it answers.
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
