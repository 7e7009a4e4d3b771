//! The configuration directory: its files, their order, the one that wins, and the faults of the others.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use super::file::{Found, files, read};
use super::network_file::Kind;
use super::{ConfError, Listing, LoadError, NetworkConfig};

/// A directory of network configurations, `/etc/cni/net.d` by default, or several by priority ([`ConfDir::or`]).
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
    dirs: Vec<PathBuf>,
    on_broken: OnBroken,
}

/// The behaviour of a search at a file that is not a configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnBroken {
    /// Reports the file and continues: one bad file does not hide a good network.
    #[default]
    Skip,
    /// Stops with an error, as the Go libcni does.
    Stop,
}

/// A network, and the files that were skipped to find it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// The network.
    pub network: NetworkConfig,
    /// The broken files that sort before it.
    pub skipped: Vec<ConfError>,
}

impl Default for ConfDir {
    fn default() -> Self {
        Self::new("/etc/cni/net.d")
    }
}

impl ConfDir {
    /// A directory. Nothing is read yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { dirs: vec![path.into()], on_broken: OnBroken::default() }
    }

    /// Adds another directory, for networks that the directories before it don't configure.
    ///
    /// If two directories have the same name, the earlier one counts, whatever kinds of files they are. The default
    /// network is that of the first directory that has any. A directory that does not exist is skipped.
    ///
    /// ```
    /// use libcni::conf::ConfDir;
    ///
    /// let dir = tempfile::tempdir()?;
    /// let (etc, usr) = (dir.path().join("etc"), dir.path().join("usr"));
    /// std::fs::create_dir(&usr)?;
    /// std::fs::write(usr.join("mynet.conf"), r#"{"name": "mynet", "type": "bridge"}"#)?;
    ///
    /// let networks = ConfDir::new(etc).or(&usr);
    /// assert_eq!(networks.load("mynet")?.network.path(), Some(&*usr.join("mynet.conf")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn or(mut self, path: impl Into<PathBuf>) -> Self {
        self.dirs.push(path.into());
        self
    }

    /// Chooses what happens at a file that is not a configuration.
    pub fn on_broken(self, on_broken: OnBroken) -> Self {
        Self { on_broken, ..self }
    }

    /// The path of the directory, the first of several.
    pub fn path(&self) -> &Path {
        self.dirs.first().map_or(Path::new(""), PathBuf::as_path)
    }

    /// The paths of all directories, the one that counts most first.
    pub fn dirs(&self) -> &[PathBuf] {
        &self.dirs
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
    /// See [`LoadError`]. A broken file that names the network counts as its file: the search does not continue to a
    /// later one.
    #[doc(alias("LoadNetworkConf", "LoadConfList", "LoadConf"))]
    pub fn load(&self, name: &str) -> Result<Loaded, LoadError> {
        let mut skipped = Vec::new();
        let mut files = self.files()?;
        files.sort_by_key(Place::by_name);
        for Place { kind, file, .. } in &files {
            match self.load_if_named(name, *kind, file) {
                Ok(Some(network)) => return Ok(Loaded { network, skipped }),
                Ok(None) => {}
                Err(Unusable::Other(problem)) => skipped.push(problem),
                Err(Unusable::Wanted(problem)) => return Err(problem.into()),
            }
        }
        Err(LoadError::NotFound { dirs: self.dirs.clone(), name: name.to_owned(), skipped, known: names(&files) })
    }

    /// The default network, to which runtimes attach containers that ask for none by name: that of the first file in
    /// file-name order, lists and single plugins sorted together.
    ///
    /// Broken files are skipped and reported, as in CRI-O. With [`OnBroken::Stop`] a broken file before the network is
    /// an error, as in containerd: no pod starts then until somebody fixes the file. Names don't matter here: the
    /// network may be one that [`load`](Self::load) does not find, since a list has the same name.
    ///
    /// ```
    /// use libcni::conf::ConfDir;
    ///
    /// let dir = tempfile::tempdir()?;
    /// std::fs::write(dir.path().join("10-one.conf"), r#"{"name": "one", "type": "bridge"}"#)?;
    /// std::fs::write(dir.path().join("20-two.conflist"), r#"{"name": "two", "plugins": [{"type": "bridge"}]}"#)?;
    ///
    /// assert_eq!(ConfDir::new(dir.path()).default_network()?.network.name(), "one");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`LoadError`].
    #[doc(alias = "WithDefaultConf")]
    pub fn default_network(&self) -> Result<Loaded, LoadError> {
        let mut skipped = Vec::new();
        for Place { kind, file, .. } in self.files()? {
            match kind.load(&file, self.on_broken) {
                Ok(network) => return Ok(Loaded { network, skipped }),
                Err(problem) if self.on_broken == OnBroken::Skip => skipped.push(problem),
                Err(problem) => return Err(problem.into()),
            }
        }
        Err(LoadError::AllBroken { dirs: self.dirs.clone(), skipped })
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
        let read = |place: Place| (place.by_name(), place.kind.load(&place.file, self.on_broken));
        let mut read: Vec<_> = self.files()?.into_iter().map(read).collect();
        let default = match self.on_broken {
            OnBroken::Skip => read.iter().find_map(|(_, network)| network.as_ref().ok()),
            OnBroken::Stop => read.first().and_then(|(_, network)| network.as_ref().ok()),
        };
        let default = default.and_then(NetworkConfig::path).map(Path::to_owned);
        let mut listing = Listing { dirs: self.dirs.clone(), default, ..Listing::default() };
        read.sort_by_key(|(place, _)| *place);
        let mut names = HashSet::new();
        for (_, network) in read {
            match network {
                Err(problem) => listing.broken.push(problem),
                Ok(network) if names.insert(network.name().to_owned()) => listing.networks.push(network),
                Ok(network) => listing.shadowed.push(network),
            }
        }
        Ok(listing)
    }

    /// The configuration files, by directory and then in byte order of their names.
    fn files(&self) -> Result<Vec<Place>, LoadError> {
        let (mut places, mut exists) = (Vec::new(), false);
        for (dir, path) in self.dirs.iter().enumerate() {
            let found = match files(path) {
                Err(source) if source.kind() == io::ErrorKind::NotFound => continue,
                found => found.map_err(|source| LoadError::Dir { dir: path.clone(), source })?,
            };
            exists = true;
            places.extend(found.into_iter().filter_map(|file| Some(Place { dir, kind: Kind::of(&file.path)?, file })));
        }
        if places.is_empty() {
            return Err(LoadError::NoConfigs { dirs: self.dirs.clone(), exists });
        }
        Ok(places)
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
        kind.complete(parsed, file).map(Some).map_err(Unusable::Wanted)
    }
}

/// The names of the networks that files configure, once each.
fn names(files: &[Place]) -> Vec<String> {
    let name = |place: &Place| NetworkConfig::peek_name(&read(&place.file).ok()?).ok().flatten();
    let mut names: Vec<String> = files.iter().filter_map(name).collect();
    names.sort();
    names.dedup();
    names
}

/// A configuration file: in which of the directories, and of which kind.
struct Place {
    dir: usize,
    kind: Kind,
    file: Found,
}

impl Place {
    /// The key by which files are sorted when a network is looked for by name.
    fn by_name(&self) -> (usize, Kind) {
        (self.dir, self.kind)
    }
}

/// Why a file gives no network, and whose problem that is.
enum Unusable {
    /// Some other file's.
    Other(ConfError),
    /// That of the network asked for.
    Wanted(ConfError),
}
