//! VERSION: what a plugin supports.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Answer, Cni};
use crate::error::Error;
use crate::invoke::{FileState, Parameters, PluginError, PluginFailure};
use crate::spec::{Command, Object, UnknownCommand, Version, VersionReply};
use crate::waiting::block_on;

/// Plugins from before VERSION existed insist on values for these before they say that they don't know the verb.
const PLACEHOLDER: &str = "dummy";

impl Cni {
    /// Asks a plugin which versions of the specification it supports. One that does not know VERSION supports 0.1.0.
    ///
    /// The answer is remembered, by this [`Cni`] and its clones, until the plugin's file is another or changes.
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
        block_on(self.plugin_version_async(plugin))
    }

    pub(super) async fn plugin_version_async(&self, plugin: &str) -> Result<VersionReply, Error> {
        let parameters = Parameters {
            netns: OsStr::new(PLACEHOLDER),
            ifname: PLACEHOLDER,
            path: OsStr::new(PLACEHOLDER),
            ..Parameters::default()
        };
        let mut config = Object::new();
        config.set("cniVersion", Version::CURRENT.as_str());
        let program = self.find(Command::Version, plugin)?;
        let request = self.request(Command::Version, plugin, program, parameters, &config);
        // Before it is run: a file that is replaced in the meantime is asked again the next time.
        let state = FileState::of(&request.program);
        if let Some(reply) = state.as_ref().and_then(|state| self.answers.get(&request.program, state)) {
            return Ok(reply);
        }
        let program = request.program.clone();
        let reply = match self.run(request).await {
            Ok(answer) => read_version(answer)?,
            Err(error) if predates_version(&error) => VersionReply::predating_version(),
            Err(error) => return Err(error.into()),
        };
        if let Some(state) = state {
            self.answers.keep(program, state, reply.clone());
        }
        Ok(reply)
    }
}

/// The answers of plugins to VERSION, as long as their files stay what they were. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers(Arc<Mutex<HashMap<PathBuf, (FileState, VersionReply)>>>);

impl Answers {
    fn get(&self, program: &Path, now: &FileState) -> Option<VersionReply> {
        self.answers().get(program).filter(|(then, _)| then == now).map(|(_, reply)| reply.clone())
    }

    fn keep(&self, program: PathBuf, state: FileState, reply: VersionReply) {
        self.answers().insert(program, (state, reply));
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<PathBuf, (FileState, VersionReply)>> {
        // Nobody panics with the lock held, but if so, what is in there is still right.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_version(answer: Answer) -> Result<VersionReply, Box<PluginError>> {
    VersionReply::parse(&answer.text()).map_err(|source| {
        let Answer { stdout, request } = answer;
        PluginError::new(&request, PluginFailure::InvalidVersionReply { stdout, source })
    })
}

fn predates_version(error: &PluginError) -> bool {
    let unknown = UnknownCommand(Command::Version.to_string()).to_string();
    // With its details, as Go compares it.
    error.reply().is_some_and(|reply| reply.to_string() == unknown)
}
