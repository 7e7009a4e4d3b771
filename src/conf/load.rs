//! The configuration directory: which files, which order, which wins, and what was wrong with the others.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::{ConfError, NetworkConfig, PluginConfig, Problem};

/// The largest configuration file that is read, in bytes.
pub const MAX_FILE_SIZE: u64 = 8 << 20;

/// A directory of network configurations, `/etc/cni/net.d` by default.
///
/// ```no_run
/// use libcni::conf::ConfDir;
///
/// let loaded = ConfDir::default().load("mynet")?;
/// for problem in &loaded.skipped {
///     eprintln!("skipped: {problem}");
/// }
/// println!("{} plugins", loaded.network.plugins().len());
/// # Ok::<(), libcni::conf::LoadError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConfDir {
    path: PathBuf,
    on_broken: OnBroken,
}

/// What a search does at a file that is no configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnBroken {
    /// Reports it and goes on: one bad file does not hide a good network.
    #[default]
    Skip,
    /// Stops with an error, as the Go libcni does.
    Stop,
}

/// A network, and the files that were passed over to find it.
#[derive(Debug)]
pub struct Loaded {
    /// The network.
    pub network: NetworkConfig,
    /// The broken files that sort before it.
    pub skipped: Vec<ConfError>,
}

/// A network can't be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The directory has no configuration file, or does not exist.
    #[error("no network configurations found in {}{}", dir.display(), if *exists { "" } else { ": the directory does not exist" })]
    #[doc(alias = "NoConfigsFoundError")]
    NoConfigs {
        /// The directory.
        dir: PathBuf,
        /// Whether there is such a directory.
        exists: bool,
    },
    /// No file configures a network of this name.
    #[error("no network configuration named `{name}` in {}{}", dir.display(), listed(skipped))]
    #[doc(alias = "NotFoundError")]
    NotFound {
        /// The directory.
        dir: PathBuf,
        /// The name looked for.
        name: String,
        /// Files that could not be read: one of them may be the network's.
        skipped: Vec<ConfError>,
    },
    /// The directory can't be read.
    #[error("cannot read the configuration directory {}", dir.display())]
    Dir {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The network's own file is broken, or with [`OnBroken::Stop`] any file before it.
    #[error(transparent)]
    Config(#[from] ConfError),
}

fn listed(skipped: &[ConfError]) -> String {
    let line = |error: &ConfError| {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        format!("\n  {error}{}", cause.unwrap_or_default())
    };
    match skipped {
        [] => String::new(),
        some => format!("; not readable:{}", some.iter().map(line).collect::<String>()),
    }
}

/// What a file's name says it holds.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    List,
    Single,
}

impl Kind {
    fn of(name: &OsStr) -> Option<Self> {
        let name = name.as_encoded_bytes();
        let dot = name.iter().rposition(|byte| *byte == b'.')?;
        match &name[dot..] {
            b".conflist" => Some(Self::List),
            b".conf" | b".json" => Some(Self::Single),
            _ => None,
        }
    }

    fn parse(self, text: &str) -> Result<NetworkConfig, ConfError> {
        match self {
            Self::List => NetworkConfig::parse(text),
            Self::Single => NetworkConfig::from_plugin(text),
        }
    }
}

impl Default for ConfDir {
    fn default() -> Self {
        Self::new("/etc/cni/net.d")
    }
}

impl ConfDir {
    /// A directory. Nothing is read yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), on_broken: OnBroken::default() }
    }

    /// Chooses what happens at a file that is no configuration.
    pub fn on_broken(self, on_broken: OnBroken) -> Self {
        Self { on_broken, ..self }
    }

    /// The directory's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The network of this name: of the `*.conflist` files the first in file-name order, and if there is none,
    /// of the `*.conf` and `*.json` files. Files after the match are not read.
    ///
    /// # Errors
    /// See [`LoadError`]. A broken file that names the network is its file: the search does not go on to a
    /// later one.
    #[doc(alias("LoadNetworkConf", "LoadConfList", "LoadConf"))]
    pub fn load(&self, name: &str) -> Result<Loaded, LoadError> {
        let (lists, singles) = self.files()?;
        let mut skipped = Vec::new();
        for (kind, files) in [(Kind::List, lists), (Kind::Single, singles)] {
            for file in files {
                match self.load_if_named(name, kind, &file) {
                    Ok(Some(network)) => return Ok(Loaded { network, skipped }),
                    Ok(None) => {}
                    Err(Unusable::Other(problem)) => skipped.push(problem),
                    Err(Unusable::Wanted(problem)) => return Err(problem.into()),
                }
            }
        }
        Err(LoadError::NotFound { dir: self.path.clone(), name: name.to_owned(), skipped })
    }

    fn files(&self) -> Result<(Vec<PathBuf>, Vec<PathBuf>), LoadError> {
        let dir = || self.path.clone();
        let names = file_names(&self.path).map_err(|source| LoadError::Dir { dir: dir(), source })?;
        let exists = names.is_some();
        let files = |kind| -> Vec<PathBuf> {
            let of_kind = names.iter().flatten().filter(|name| Kind::of(name) == Some(kind));
            of_kind.map(|name| self.path.join(name)).collect()
        };
        match (files(Kind::List), files(Kind::Single)) {
            (lists, singles) if lists.is_empty() && singles.is_empty() => {
                Err(LoadError::NoConfigs { dir: dir(), exists })
            }
            found => Ok(found),
        }
    }

    fn load_if_named(&self, name: &str, kind: Kind, file: &Path) -> Result<Option<NetworkConfig>, Unusable> {
        let unrelated = |e: ConfError| match self.on_broken {
            OnBroken::Skip => Unusable::Other(e.in_file(file)),
            OnBroken::Stop => Unusable::Wanted(e.in_file(file)),
        };
        let text = read(file).map_err(unrelated)?;
        if self.on_broken == OnBroken::Stop {
            kind.parse(&text).map_err(unrelated)?;
        }
        if NetworkConfig::peek_name(&text).map_err(unrelated)?.as_deref() != Some(name) {
            return Ok(None);
        }
        let network = self.complete(kind.parse(&text), kind, file);
        network.map(Some).map_err(Unusable::Wanted)
    }

    /// The network with the plugins of its folder.
    fn complete(
        &self,
        parsed: Result<NetworkConfig, ConfError>,
        kind: Kind,
        file: &Path,
    ) -> Result<NetworkConfig, ConfError> {
        let mut network = parsed.map_err(|e| e.in_file(file))?.with_path(file);
        if kind == Kind::List && !network.loads_only_inlined_plugins() {
            self.append_folder(&mut network).map_err(|e| e.in_file(file))?;
        }
        if network.plugins().is_empty() {
            return Err(ConfError::new(Problem::NoPlugins).in_file(file));
        }
        Ok(network)
    }

    fn append_folder(&self, network: &mut NetworkConfig) -> Result<(), ConfError> {
        let folder = match network.network_name() {
            Ok(name) => self.path.join(name.as_str()),
            // The verbs refuse the name; what matters here is that it is never made a path.
            Err(_) if !network.plugins().is_empty() => return Ok(()),
            Err(invalid) => return Err(ConfError::new(Problem::Name(invalid))),
        };
        let unreadable = |e| ConfError::new(Problem::Read(e)).in_file(&folder);
        let names = file_names(&folder).map_err(unreadable)?;
        let conf = |name: &&std::ffi::OsString| Path::new(name).extension() == Some("conf".as_ref());
        for name in names.iter().flatten().filter(conf) {
            let file = folder.join(name);
            let single = |text: String| PluginConfig::parse(&text).map_err(Problem::SinglePlugin);
            let plugin = read(&file).and_then(|text| single(text).map_err(ConfError::new));
            network.append([plugin.map_err(|e| e.in_file(&file))?]);
        }
        Ok(())
    }
}

/// Why a file gives no network, and whose problem that is.
enum Unusable {
    /// Some other file's.
    Other(ConfError),
    /// That of the network asked for.
    Wanted(ConfError),
}

/// The names of everything but directories, in byte order; `None` when the directory does not exist.
fn file_names(dir: &Path) -> io::Result<Option<Vec<std::ffi::OsString>>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A file of that name is no folder of plugins.
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        let is_dir = kind.is_dir() || kind.is_symlink() && entry.path().is_dir();
        if !is_dir {
            names.push(entry.file_name());
        }
    }
    names.sort_unstable();
    Ok(Some(names))
}

/// The text of a regular file. Never blocks: opening a FIFO would, and reading a device might.
fn read(path: &Path) -> Result<String, ConfError> {
    let bytes = open(path).and_then(read_all).map_err(ConfError::new)?;
    String::from_utf8(bytes).map_err(|_| ConfError::new(Problem::NotUtf8))
}

fn open(path: &Path) -> Result<File, Problem> {
    // Looked at before it is opened, since opening alone makes some devices act; and again afterwards, by
    // descriptor, since the name may mean another file by then.
    if !fs::metadata(path).map_err(Problem::Read)?.is_file() {
        return Err(Problem::NotAFile);
    }
    let mut options = OpenOptions::new();
    let options = options.read(true).custom_flags(OFlag::O_NONBLOCK.bits() | OFlag::O_NOCTTY.bits());
    options.open(path).map_err(Problem::Read)
}

fn read_all(file: File) -> Result<Vec<u8>, Problem> {
    let metadata = file.metadata().map_err(Problem::Read)?;
    if !metadata.is_file() {
        return Err(Problem::NotAFile);
    }
    let limit = MAX_FILE_SIZE;
    let mut bytes = Vec::with_capacity(metadata.len().min(limit) as usize + 1);
    let mut reader = file.take(limit + 1);
    reader.read_to_end(&mut bytes).map_err(Problem::Read)?;
    if bytes.len() as u64 > limit {
        return Err(Problem::TooLarge { limit });
    }
    Ok(bytes)
}
