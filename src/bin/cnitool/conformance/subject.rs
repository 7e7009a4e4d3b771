//! The plugin that is checked: its program, its configuration, and what it is run with.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use libcni::Chain;
use libcni::conf::{ConfError, NetworkConfig, PluginConfig};
use libcni::invoke::{FindError, find};
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{CniArgs, IfName, Object};
use serde_json::Value;

use super::{Conformance, isolation, known};
use crate::cli::Arguments;
use crate::options::Invalid;

/// A plugin with everything that it is run with.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) plugin: String,
    pub(super) program: PathBuf,
    /// The directories of CNI_PATH.
    pub(super) dirs: Vec<PathBuf>,
    /// Its object in the list, without `name` and `cniVersion`.
    pub(super) config: PluginConfig,
    pub(super) network: String,
    /// The version that the configuration asks for, if there is one.
    pub(super) wanted_version: String,
    pub(super) ifname: IfName,
    pub(super) args: CniArgs,
    pub(super) env: Vec<(OsString, OsString)>,
    capability_args: CapabilityArgs,
}

/// There is nothing that could be checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error(transparent)]
    Arguments(#[from] Invalid),
    #[error("{0}")]
    Plugin(#[from] FindError),
    #[error("plugin {} is no file", .0.display())]
    NoFile(PathBuf),
    #[error("plugin {} has a name that is not UTF-8", .0.display())]
    Name(PathBuf),
    #[error("cannot read {}: {source}", file.display())]
    Config { file: PathBuf, source: io::Error },
    #[error("{}: {}", file.display(), Chain(source))]
    Parse { file: PathBuf, source: Box<ConfError> },
    #[error("{}: no plugin of type `{plugin}`", file.display())]
    NoSuchPlugin { file: PathBuf, plugin: String },
    #[error("cannot make the path of {} absolute: {source}", path.display())]
    Relative { path: PathBuf, source: io::Error },
}

impl Subject {
    pub(super) fn new(arguments: &Arguments, asked: &Conformance) -> Result<Self, Unusable> {
        let dirs = arguments.plugin_dirs();
        let named = dirs.iter().filter(|dir| !dir.as_os_str().is_empty());
        let mut dirs = named.map(absolute).collect::<Result<Vec<_>, _>>()?;
        let program = program(asked.plugin.as_deref().unwrap_or(Path::new("")), &mut dirs)?;
        let name = program.file_name().and_then(|name| name.to_str());
        let plugin = name.ok_or_else(|| Unusable::Name(program.clone()))?.to_owned();
        let Configured { object, network, version } = Configured::new(&plugin, asked)?;
        let ifname = arguments.ifname(if plugin == "loopback" { "lo" } else { "eth0" })?;
        Ok(Self {
            plugin,
            program,
            dirs,
            // Made by this program, or read before.
            config: PluginConfig::parse(&object.to_string()).expect("a plugin's object"),
            network,
            wanted_version: version,
            ifname,
            args: arguments.generic_args()?,
            env: std::env::vars_os().filter(|(name, _)| !isolation::is_private(name)).collect(),
            capability_args: arguments.capability_args()?,
        })
    }

    /// Directories that must stay visible on the hosts that checks are made on.
    pub(super) fn visible_dirs(&self) -> Vec<PathBuf> {
        let link = self.program.parent().map(Path::to_owned);
        let file = fs::canonicalize(&self.program).ok().and_then(|file| file.parent().map(Path::to_owned));
        let dirs = self.dirs.iter().cloned().chain(link).chain(file);
        dirs.filter(|dir| dir.is_dir()).collect()
    }

    /// The IPAM plugin that it hands on to; empty where it has none or is one itself.
    pub(super) fn delegate(&self) -> &str {
        if self.is_ipam() { "" } else { self.config.ipam_type() }
    }

    /// Whether it is an IPAM plugin itself.
    pub(super) fn is_ipam(&self) -> bool {
        [self.plugin.as_str(), self.config.plugin_type()].contains(&self.config.ipam_type())
    }

    /// What an attachment gets for the capabilities that the plugin declares.
    pub(super) fn runtime_config(&self, attachment: usize) -> Object {
        let mut runtime_config = Object::new();
        for (capability, _) in self.config.capabilities().iter().filter(|(_, enabled)| **enabled) {
            match self.capability_args.get(capability) {
                Some(given) => runtime_config.set(capability, given),
                None => {
                    known::capability_argument(capability, attachment)
                        .iter()
                        .for_each(|argument| runtime_config.set(capability, argument));
                }
            }
        }
        runtime_config
    }
}

/// A path as it is, whose directory becomes the first to search; or a name to find.
fn program(given: &Path, dirs: &mut Vec<PathBuf>) -> Result<PathBuf, Unusable> {
    let is_name = given.components().count() == 1 && given.parent() == Some(Path::new(""));
    let name = given.to_str().filter(|name| is_name && !name.contains('/'));
    if let Some(name) = name {
        return Ok(find(name, dirs)?);
    }
    let path = absolute(given)?;
    if !path.is_file() {
        return Err(Unusable::NoFile(path));
    }
    dirs.splice(0..0, path.parent().map(Path::to_owned));
    Ok(path)
}

fn absolute(path: impl AsRef<Path>) -> Result<PathBuf, Unusable> {
    let path = path.as_ref();
    std::path::absolute(path).map_err(|source| Unusable::Relative { path: path.to_owned(), source })
}

/// What a configuration says.
struct Configured {
    /// The plugin's own object, without what it has from its list.
    object: Object,
    network: String,
    version: String,
}

impl Configured {
    fn new(plugin: &str, asked: &Conformance) -> Result<Self, Unusable> {
        let mut found = match &asked.config {
            Some(file) => Self::read(file, plugin)?,
            None => Self::known(plugin),
        };
        if let Some(ipam) = &asked.ipam {
            found.object.set("ipam", &known::ipam(ipam));
        }
        found.object.remove("name");
        found.object.remove("cniVersion");
        found.keep_state_here();
        Ok(found)
    }

    /// Lets an IPAM plugin remember things where it does by itself, which is hidden, and not in a directory of the real
    /// host.
    fn keep_state_here(&mut self) {
        let ipam = self.object.get("ipam").and_then(|ipam| Object::parse(ipam.get()).ok());
        if let Some(mut ipam) = ipam.filter(|ipam| ipam.get("dataDir").is_some()) {
            ipam.remove("dataDir");
            self.object.set("ipam", &ipam);
        }
    }

    /// The first plugin of a file that is of this type; where there is just one plugin, that one whatever its type.
    fn read(file: &Path, plugin: &str) -> Result<Self, Unusable> {
        let named = || file.to_owned();
        let text = fs::read_to_string(file).map_err(|source| Unusable::Config { file: named(), source })?;
        let network = NetworkConfig::parse_any(&text)
            .map_err(|source| Unusable::Parse { file: named(), source: Box::new(source) })?;
        let found = match network.plugins() {
            [only] => Some(only),
            several => several.iter().find(|other| other.plugin_type() == plugin),
        };
        let missing = || Unusable::NoSuchPlugin { file: named(), plugin: plugin.to_owned() };
        let object = found.ok_or_else(missing)?.object().clone();
        let name = if network.network_name().is_ok() { network.name() } else { "conformance" };
        Ok(Self { object, network: name.to_owned(), version: network.cni_version().to_owned() })
    }

    fn known(plugin: &str) -> Self {
        let mut object = Object::new();
        object.set("type", plugin);
        if let Value::Object(keys) = known::configuration(plugin) {
            keys.iter().for_each(|(key, value)| object.set(key, value));
        }
        if let Some(ipam) = known::ipam_of(plugin) {
            object.set("ipam", &known::ipam(ipam));
        }
        Self { object, network: "conformance".to_owned(), version: String::new() }
    }
}
