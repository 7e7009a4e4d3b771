//! The plugin that is checked: its program, its configuration, and the arguments that it gets.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

mod error;

pub use self::error::SubjectError;
use super::configured::Configured;
use super::file;
use super::isolation::{Stage, reap};
use super::known;
use crate::conf::PluginConfig;
use crate::invoke::find;
use crate::result::AddResult;
use crate::spec::capability::CapabilityArgs;
use crate::spec::{CniArgs, IfName, Object};

/// A plugin to check, with everything that it is run with.
///
/// ```
/// use libcni::conformance::Subject;
///
/// let subject = Subject::new("/bin/cat", ["/opt/cni/bin"])?;
/// assert_eq!(subject.config().to_string(), r#"{"type":"cat"}"#);
/// # Ok::<(), libcni::conformance::SubjectError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Subject {
    pub(super) plugin: String,
    pub(super) program: PathBuf,
    /// The directories of CNI_PATH.
    pub(super) dirs: Vec<PathBuf>,
    /// The plugin's object in the list, without `name` and `cniVersion`.
    pub(super) config: PluginConfig,
    pub(super) network: String,
    /// The version that the configuration asks for, if there is one.
    pub(super) wanted_version: String,
    pub(super) ifname: IfName,
    pub(super) args: CniArgs,
    pub(super) env: Vec<(OsString, OsString)>,
    shown: Vec<PathBuf>,
    /// The result of the plugin before this one, where one is given.
    pub(super) previous: Option<AddResult>,
    capability_args: CapabilityArgs,
}

/// The plugin's environment besides the protocol's variables.
const ENVIRONMENT: [(&str, &str); 2] =
    [("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), ("HOME", "/root")];

impl Subject {
    /// Finds a plugin: a path with a slash is one of a program, and anything else a name in the directories. Those are
    /// the ones in which the plugin finds the plugins that it delegates to, after its own.
    ///
    /// A plugin that many hosts have gets a configuration that it works with; another one gets only its type.
    ///
    /// # Errors
    /// There is no such plugin.
    pub fn new(
        plugin: impl AsRef<Path>,
        dirs: impl IntoIterator<Item = impl Into<PathBuf>>,
    ) -> Result<Self, SubjectError> {
        if Stage::own() == Stage::Reaper {
            reap();
        }
        let dirs = dirs.into_iter().map(Into::into).filter(|dir: &PathBuf| !dir.as_os_str().is_empty());
        let mut dirs = dirs.map(absolute).collect::<Result<Vec<_>, _>>()?;
        let program = program(plugin.as_ref(), &mut dirs)?;
        let name = program.file_name().and_then(|name| name.to_str());
        let plugin = name.ok_or_else(|| SubjectError::NotUtf8(program.clone()))?.to_owned();
        let ifname = IfName::new(if plugin == "loopback" { "lo" } else { "eth0" }).expect("short, and only letters");
        let Configured { object, network, version } = Configured::known(&plugin);
        Ok(Self {
            plugin,
            program,
            dirs,
            config: plugin_config(&object),
            network,
            wanted_version: version,
            ifname,
            args: CniArgs::new(),
            env: ENVIRONMENT.map(|(name, value)| (name.into(), value.into())).to_vec(),
            shown: Vec::new(),
            previous: None,
            capability_args: CapabilityArgs::new(),
        })
    }

    /// Takes the configuration from a file: a list, from which the first plugin of that type is used, or a single
    /// plugin's object. Most checks use the version that it names, if the plugin supports it.
    ///
    /// # Errors
    /// The file can't be read, or has no configuration for the plugin.
    pub fn config_file(self, file: impl AsRef<Path>) -> Result<Self, SubjectError> {
        let Configured { object, network, version } = Configured::read(file.as_ref(), &self.plugin)?;
        Ok(Self { config: plugin_config(&object), network, wanted_version: version, ..self })
    }

    /// Sets the result of the plugin before this one: the plugin is checked as one that comes second in a list.
    ///
    /// For each container, the suite makes everything that the result names: interfaces, with those of the host at
    /// their other ends, addresses, routes, and gateways that answer. Each container after the first gets the next
    /// addresses of the networks, and other names of interfaces on the host; every one gets its own sandbox.
    pub fn previous_result(self, result: AddResult) -> Self {
        Self { previous: Some(result), ..self }
    }

    /// Takes the result of the plugin before this one from a file; see [`Subject::previous_result`].
    ///
    /// # Errors
    /// The file can't be read, or is not a result of a known version.
    pub fn previous_result_file(self, path: impl AsRef<Path>) -> Result<Self, SubjectError> {
        let path = path.as_ref();
        let file = || path.to_owned();
        let text = file::read(path).map_err(|source| SubjectError::Read { file: file(), source })?;
        let result = AddResult::parse(&text).map_err(|source| SubjectError::PreviousResult { file: file(), source })?;
        Ok(self.previous_result(result))
    }

    /// Configures the plugin with another IPAM plugin.
    pub fn ipam(mut self, plugin: &str) -> Self {
        let mut object = self.config.object().clone();
        known::set(&mut object, "ipam", &known::ipam(plugin));
        self.config = plugin_config(&object);
        self
    }

    /// Sets the name of the interface in the container.
    pub fn with_ifname(self, ifname: IfName) -> Self {
        Self { ifname, ..self }
    }

    /// Sets the generic arguments.
    pub fn args(self, args: CniArgs) -> Self {
        Self { args, ..self }
    }

    /// Adds a variable to the plugin's environment, which has `PATH` and `HOME` and nothing of the caller's.
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let name = name.into();
        self.env.retain(|(known, _)| *known != name);
        self.env.push((name, value.into()));
        self
    }

    /// Shows one more directory of the host to the plugin, which has its own, those of the plugins that it delegates
    /// to, and those that programs and libraries are in. What the plugin writes there changes nothing.
    ///
    /// # Errors
    /// There is nothing at the path; or it is relative, and there is no working directory.
    pub fn shown(mut self, dir: impl AsRef<Path>) -> Result<Self, SubjectError> {
        let dir = absolute(dir)?;
        std::fs::metadata(&dir).map_err(|source| SubjectError::Read { file: dir.clone(), source })?;
        self.shown.push(dir);
        Ok(self)
    }

    /// Sets the arguments of the capabilities that the plugin declares.
    pub fn capability_args(self, capability_args: CapabilityArgs) -> Self {
        Self { capability_args, ..self }
    }

    /// Returns the path of the program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Returns the plugin's own part of its configuration.
    pub fn config(&self) -> &Object {
        self.config.object()
    }

    /// Returns the name of the interface in the container: `eth0` by default, and `lo` for the plugin `loopback`.
    pub fn ifname(&self) -> &IfName {
        &self.ifname
    }

    /// Directories that must stay visible on the hosts that checks are made on.
    pub(super) fn visible_dirs(&self) -> Vec<PathBuf> {
        let link = self.program.parent().map(Path::to_owned);
        let file = fs::canonicalize(&self.program).ok().and_then(|file| file.parent().map(Path::to_owned));
        let dirs = self.dirs.iter().chain(&self.shown).cloned().chain(link).chain(file);
        dirs.filter(|dir| dir.is_dir()).collect()
    }

    /// The IPAM plugin that it hands on to; empty where it has none or is one itself.
    pub(super) fn delegate(&self) -> &str {
        if self.is_ipam() { "" } else { self.config.ipam_type().unwrap_or_default() }
    }

    /// Returns true if it is an IPAM plugin itself.
    pub(super) fn is_ipam(&self) -> bool {
        self.config.ipam_type().is_some_and(|ipam| [self.plugin.as_str(), self.config.plugin_type()].contains(&ipam))
    }

    /// The values of an attachment for the capabilities that the plugin declares.
    pub(super) fn runtime_config(&self, attachment: usize) -> Object {
        let mut runtime_config = Object::new();
        for (capability, _) in self.config.capabilities().iter().filter(|(_, enabled)| **enabled) {
            let given = self.capability_args.typed(capability).ok().flatten();
            if let Some(argument) = given.or_else(|| known::capability_argument(capability, attachment)) {
                known::set(&mut runtime_config, capability, &argument);
            }
        }
        runtime_config
    }
}

fn plugin_config(object: &Object) -> PluginConfig {
    PluginConfig::parse(&object.to_string()).expect("made here, or read before")
}

/// A path as it is, whose directory becomes the first to search; or a name to find.
fn program(given: &Path, dirs: &mut Vec<PathBuf>) -> Result<PathBuf, SubjectError> {
    let is_name = given.components().count() == 1 && given.parent() == Some(Path::new(""));
    let name = given.to_str().filter(|name| is_name && !name.contains('/'));
    if let Some(name) = name {
        let not_found = |source| SubjectError::NotFound { source, is_here: given.is_file() };
        return find(name, dirs).map_err(not_found).and_then(executable);
    }
    let path = absolute(given)?;
    if !path.is_file() {
        return Err(SubjectError::NoFile(path));
    }
    dirs.splice(0..0, path.parent().map(Path::to_owned));
    executable(path)
}

fn executable(path: PathBuf) -> Result<PathBuf, SubjectError> {
    if rustix::fs::access(&path, Access::EXEC_OK).is_ok() { Ok(path) } else { Err(SubjectError::NotExecutable(path)) }
}

fn absolute(path: impl AsRef<Path>) -> Result<PathBuf, SubjectError> {
    let path = path.as_ref();
    std::path::absolute(path).map_err(|source| SubjectError::Relative { path: path.to_owned(), source })
}
