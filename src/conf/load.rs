//! The configuration directory: which files, which order, which wins, and what was wrong with the others.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use super::file::{Found, files, is_none, read};
use super::list::single;
use super::{ConfError, LoadError, NetworkConfig, Problem};

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

/// What a directory configures.
#[derive(Debug, Default)]
pub struct Listing {
    /// The networks that can be loaded by name, those of `*.conflist` files first.
    pub networks: Vec<NetworkConfig>,
    /// Files that configure a network of a name that an earlier file has: nobody gets these.
    pub shadowed: Vec<NetworkConfig>,
    /// Files that are no configuration.
    pub broken: Vec<ConfError>,
}

/// What a file's name says it holds.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    List,
    Single,
}

impl Kind {
    fn of(file: &Path) -> Option<Self> {
        let name = file.file_name()?.as_encoded_bytes();
        let dot = name.iter().rposition(|byte| *byte == b'.')?;
        match &name[dot..] {
            b".conflist" => Some(Self::List),
            b".conf" | b".json" => Some(Self::Single),
            _ => None,
        }
    }

    /// Reads a text of this kind. Deployed `.conf` files hold lists, too: those are taken for what they are,
    /// unless the reading is to be as strict as Go's.
    fn parse(self, text: &str, on_broken: OnBroken) -> Result<NetworkConfig, ConfError> {
        match self {
            Self::List => NetworkConfig::parse(text),
            Self::Single if on_broken == OnBroken::Skip => NetworkConfig::parse_any(text),
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
    /// of the `*.conf` and `*.json` files. Files after the match are not read
    /// ([1.6](crate::specification#16-the-directory)).
    ///
    /// ```
    /// use libcni::conf::{ConfDir, LoadError};
    ///
    /// let dir = tempfile::tempdir()?;
    /// let list = r#"{"cniVersion": "1.0.0", "name": "mynet", "plugins": [{"type": "bridge"}]}"#;
    /// std::fs::write(dir.path().join("10-mynet.conflist"), list)?;
    ///
    /// let networks = ConfDir::new(dir.path());
    /// assert_eq!(networks.load("mynet")?.network.plugins()[0].plugin_type(), "bridge");
    /// assert!(matches!(networks.load("other"), Err(LoadError::NotFound { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// Everything that the directory configures.
    ///
    /// ```no_run
    /// let listing = libcni::conf::ConfDir::default().list()?;
    /// for network in &listing.networks {
    ///     println!("{}", network.name());
    /// }
    /// # Ok::<(), libcni::conf::LoadError>(())
    /// ```
    ///
    /// # Errors
    /// The directory has no configuration file, or can't be read.
    pub fn list(&self) -> Result<Listing, LoadError> {
        let (lists, singles) = self.files()?;
        let lists = lists.iter().map(|file| (Kind::List, file));
        let singles = singles.iter().map(|file| (Kind::Single, file));
        let (mut listing, mut names) = (Listing::default(), HashSet::new());
        for (kind, file) in lists.chain(singles) {
            let parsed = read(file).and_then(|text| kind.parse(&text, self.on_broken));
            match self.complete(parsed, kind, &file.path) {
                Err(problem) => listing.broken.push(problem),
                Ok(network) if names.insert(network.name().to_owned()) => listing.networks.push(network),
                Ok(network) => listing.shadowed.push(network),
            }
        }
        Ok(listing)
    }

    fn files(&self) -> Result<(Vec<Found>, Vec<Found>), LoadError> {
        let dir = || self.path.clone();
        let found = files(&self.path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => LoadError::NoConfigs { dir: dir(), exists: false },
            _ => LoadError::Dir { dir: dir(), source },
        })?;
        let (mut lists, mut singles) = (Vec::new(), Vec::new());
        for file in found {
            match Kind::of(&file.path) {
                Some(Kind::List) => lists.push(file),
                Some(Kind::Single) => singles.push(file),
                None => {}
            }
        }
        if lists.is_empty() && singles.is_empty() {
            return Err(LoadError::NoConfigs { dir: dir(), exists: true });
        }
        Ok((lists, singles))
    }

    fn load_if_named(&self, name: &str, kind: Kind, found: &Found) -> Result<Option<NetworkConfig>, Unusable> {
        let file = &*found.path;
        let unrelated = |e: ConfError| match self.on_broken {
            OnBroken::Skip => Unusable::Other(e.in_file(file)),
            OnBroken::Stop => Unusable::Wanted(e.in_file(file)),
        };
        let text = read(found).map_err(unrelated)?;
        // Only the syntax of other networks counts, unless all of them must be whole.
        let parsed = match self.on_broken {
            OnBroken::Stop => Some(Ok(kind.parse(&text, self.on_broken).map_err(unrelated)?)),
            OnBroken::Skip => None,
        };
        if NetworkConfig::peek_name(&text).map_err(unrelated)?.as_deref() != Some(name) {
            return Ok(None);
        }
        let parsed = parsed.unwrap_or_else(|| kind.parse(&text, self.on_broken));
        self.complete(parsed, kind, file).map(Some).map_err(Unusable::Wanted)
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
        let found = match files(&folder) {
            Err(error) if is_none(&error) => return Ok(()),
            found => found.map_err(|e| ConfError::new(Problem::Folder(e)).in_file(&folder))?,
        };
        for file in found.iter().filter(|file| file.path.extension() == Some("conf".as_ref())) {
            let plugin = read(file).and_then(|text| single(&text));
            network.append([plugin.map_err(|e| e.in_file(&file.path))?.with_path(file.path.clone())]);
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
