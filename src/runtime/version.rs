//! VERSION: what a plugin supports.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Answer, Cni};
use crate::error::Error;
use crate::invoke::{FileState, Parameters, PluginError, PluginFailure};
use crate::spec::{Command, Object, UnknownCommand, Version, VersionReply};

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
        self.answers.get_or_ask(request.program.clone(), || match self.run(request) {
            Ok(answer) => Ok(read_version(answer)?),
            Err(error) if predates_version(&error) => Ok(VersionReply::predating_version()),
            Err(error) => Err(error.into()),
        })
    }
}

/// The answers of plugins to VERSION, as long as their files stay what they were. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers(Arc<Mutex<HashMap<PathBuf, (FileState, VersionReply)>>>);

impl Answers {
    fn get_or_ask(
        &self,
        program: PathBuf,
        ask: impl FnOnce() -> Result<VersionReply, Error>,
    ) -> Result<VersionReply, Error> {
        // Before it is run: a file that is replaced in the meantime is asked again the next time.
        let Some(state) = FileState::of(&program) else { return ask() };
        // Nobody panics with the lock held, but if so, what is in there is still right.
        let answers = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, reply)) = answers().get(&program).filter(|(then, _)| *then == state) {
            return Ok(reply.clone());
        }
        let reply = ask()?;
        answers().insert(program, (state, reply.clone()));
        Ok(reply)
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
