//! Loads a network from one file, with the plugins of the folder beside it.

use std::path::Path;

use super::file::{Found, files, is_none, read};
use super::list::single;
use super::{ConfError, NetworkConfig, OnBroken, Problem};

/// The attachment that a file's name says it holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    List,
    Single,
}

impl Kind {
    pub(super) fn of(file: &Path) -> Option<Self> {
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
    pub(super) fn parse(self, text: &str, on_broken: OnBroken) -> Result<NetworkConfig, ConfError> {
        match self {
            Self::List => NetworkConfig::parse(text),
            Self::Single if on_broken == OnBroken::Skip => NetworkConfig::parse_any(text),
            Self::Single => NetworkConfig::from_plugin(text),
        }
    }

    /// Reads a file of this kind as a whole.
    pub(super) fn load(self, file: &Found, on_broken: OnBroken) -> Result<NetworkConfig, ConfError> {
        let parsed = read(file).and_then(|text| self.parse(&text, on_broken));
        self.complete(parsed, &file.path)
    }

    /// The network with the plugins of its folder.
    pub(super) fn complete(
        self,
        parsed: Result<NetworkConfig, ConfError>,
        file: &Path,
    ) -> Result<NetworkConfig, ConfError> {
        let mut network = parsed.map_err(|e| e.in_file(file))?.with_path(file);
        if self == Kind::List && !network.loads_only_inlined_plugins() {
            append_folder(&mut network, file).map_err(|e| e.in_file(file))?;
        }
        if network.plugins().is_empty() {
            return Err(ConfError::new(Problem::NoPlugins).in_file(file));
        }
        Ok(network)
    }
}

fn append_folder(network: &mut NetworkConfig, file: &Path) -> Result<(), ConfError> {
    let folder = match network.network_name() {
        Ok(name) => file.with_file_name(name.as_str()),
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

impl NetworkConfig {
    /// Returns the network that brings up `lo` of a container: `cni-loopback`, with the plugin `loopback`, as in
    /// containerd. Runtimes add each container to it before any other network.
    ///
    /// ```
    /// use libcni::conf::NetworkConfig;
    /// use libcni::{Attachment, Cni};
    ///
    /// # fn example(cni: &Cni) -> Result<(), libcni::Error> {
    /// let lo = Attachment::new("web-0".parse()?, "lo".parse()?).netns("/run/netns/web-0");
    /// cni.add(&NetworkConfig::loopback(), &lo)?;
    /// # Ok(())
    /// # }
    /// assert_eq!(NetworkConfig::loopback().name(), "cni-loopback");
    /// ```
    #[doc(alias = "WithLoNetwork")]
    pub fn loopback() -> Self {
        // The oldest version with CHECK, since a node may have plugins of any age.
        let text = r#"{"cniVersion":"0.4.0","name":"cni-loopback","plugins":[{"type":"loopback"}]}"#;
        Self::parse(text).expect("it is a list, as a test says")
    }

    /// Loads the network of one file, wherever it is: a list, with the plugins of the folder beside it
    /// ([1.4](crate::specification#14-plugins-in-a-folder)), or a single plugin, lifted to a list of one.
    ///
    /// A file named `*.conflist` has a list. The content of any other file decides whether it is a list or a single
    /// plugin.
    ///
    /// ```
    /// use libcni::conf::NetworkConfig;
    ///
    /// let dir = tempfile::tempdir()?;
    /// let file = dir.path().join("mynet.conflist");
    /// std::fs::write(&file, r#"{"cniVersion": "1.0.0", "name": "mynet", "plugins": [{"type": "bridge"}]}"#)?;
    ///
    /// let network = NetworkConfig::load(&file)?;
    /// assert_eq!((network.name(), network.path()), ("mynet", Some(&*file)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The file can't be read, or is not a configuration. The error names the file, and the place in it.
    #[doc(alias("NetworkConfFromFile", "ConfListFromFile", "ConfFromFile"))]
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfError> {
        let path = path.as_ref();
        let file = Found::at(path);
        if Kind::of(path) == Some(Kind::List) {
            return Kind::List.load(&file, OnBroken::Skip);
        }
        let parsed = read(&file).and_then(|text| Self::parse_any(&text));
        let is_list = parsed.as_ref().is_ok_and(|network| !network.is_single);
        if is_list { Kind::List } else { Kind::Single }.complete(parsed, path)
    }
}
