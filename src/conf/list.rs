//! A network: a list of plugins from the text of a file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::effective::{effective_version, known};
use super::key::{Key, Keys, json_problem, keys};
use super::{ConfError, PluginConfig, PluginProblem, Problem};
use crate::spec::capability::CapabilityArgs;
use crate::spec::{Fields, InvalidName, InvalidVersion, NetworkName, Object, Version, characters, is_same, nearest};

/// A network configuration: a list of plugins with a name and a version.
///
/// A single plugin's configuration becomes a list of one plugin ([`NetworkConfig::from_plugin`]). Name and version stay
/// unchecked texts until a verb needs them, so that one odd file hides no other network.
///
/// ```
/// use libcni::conf::NetworkConfig;
///
/// let network = NetworkConfig::parse(
///     r#"{"cniVersion": "1.0.0", "name": "mynet", "plugins": [{"type": "bridge"}, {"type": "portmap"}]}"#,
/// )?;
/// assert_eq!(network.name(), "mynet");
/// assert_eq!(network.plugins()[1].plugin_type(), "portmap");
/// # Ok::<(), libcni::conf::ConfError>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "NetworkConfigList")]
pub struct NetworkConfig {
    name: String,
    version: String,
    versions: Vec<Version>,
    disable_check: bool,
    disable_gc: bool,
    only_inlined: bool,
    /// True if the file is the configuration of a single plugin.
    pub(super) is_single: bool,
    plugins: Vec<PluginConfig>,
    text: String,
    path: Option<PathBuf>,
}

impl NetworkConfig {
    /// Reads a list (a `.conflist` file).
    ///
    /// The list may have no plugins, if the folder with the network's name has them
    /// ([`ConfDir::load`](super::ConfDir::load)); no verb runs a list without plugins.
    ///
    /// # Errors
    /// See [`Problem`]; the error has the place in the text.
    #[doc(alias("ConfListFromBytes", "NetworkConfFromBytes"))]
    pub fn parse(text: &str) -> Result<Self, ConfError> {
        let text = &*characters(text);
        Self::of_keys(text, &keys(text)?)
    }

    fn of_keys(text: &str, keys: &Keys<'_>) -> Result<Self, ConfError> {
        let get = |key: &'static str| Key { key, text, value: keys.get(key).copied() };
        let name = get("name").text()?;
        let name = name.ok_or_else(|| ConfError::new(Problem::Missing("name")))?;
        let (version, versions) = effective_version(get("cniVersion"), get("cniVersions"))?;
        let disable_check = get("disableCheck").boolean()?;
        let disable_gc = get("disableGC").boolean()?;
        let only_inlined = get("loadOnlyInlinedPlugins").boolean()?;
        if only_inlined && !keys.contains_key("plugins") {
            return Err(ConfError::new(Problem::OnlyInlinedWithoutPlugins));
        }
        Ok(Self {
            name,
            version,
            versions,
            disable_check,
            disable_gc,
            only_inlined,
            is_single: false,
            plugins: get("plugins").plugins()?,
            text: text.to_owned(),
            path: None,
        })
    }

    /// Turns the configuration of a single plugin (a `.conf` or `.json` file) into a list of one plugin.
    ///
    /// ```
    /// use libcni::conf::NetworkConfig;
    ///
    /// let network = NetworkConfig::from_plugin(r#"{"cniVersion": "0.4.0", "name": "lo", "type": "loopback"}"#)?;
    /// assert_eq!((network.name(), network.plugins().len()), ("lo", 1));
    /// # Ok::<(), libcni::conf::ConfError>(())
    /// ```
    ///
    /// # Errors
    /// The text is not that of a plugin's configuration.
    #[doc(alias = "ConfListFromConf")]
    pub fn from_plugin(text: &str) -> Result<Self, ConfError> {
        let plugin = single(text)?;
        let mut list = Object::new();
        let (name, version) = (plugin.name().unwrap_or_default(), plugin.cni_version().unwrap_or_default());
        list.set("name", name);
        list.set("cniVersion", version);
        list.set("plugins", &[plugin.object()]);
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            versions: known(version),
            disable_check: false,
            disable_gc: false,
            only_inlined: false,
            is_single: true,
            plugins: vec![plugin],
            text: list.to_string(),
            path: None,
        })
    }

    /// Reads a list, or the configuration of a single plugin as a list of one plugin.
    ///
    /// # Errors
    /// The text is neither.
    pub fn parse_any(text: &str) -> Result<Self, ConfError> {
        let text = &*characters(text);
        match keys(text) {
            // It has plugins, but no type.
            Ok(keys) if keys.contains_key("plugins") && !keys.contains_key("type") => Self::of_keys(text, &keys),
            _ => Self::from_plugin(text),
        }
    }

    /// The `name` that the text gives to a list or single plugin, without looking at anything else but syntax.
    pub(super) fn peek_name(text: &str) -> Result<Option<String>, ConfError> {
        let fields = Fields::parse(text).map_err(|e| ConfError::new(json_problem(text, e.without_place())))?;
        Ok(fields.peek("name").unwrap_or_default())
    }

    pub(super) fn with_path(self, path: &Path) -> Self {
        let path = Some(path.to_owned());
        Self { path, ..self }
    }

    pub(super) fn append(&mut self, plugins: impl IntoIterator<Item = PluginConfig>) {
        self.plugins.extend(plugins);
    }

    /// Returns true if only the plugins in the list itself count, not those of the folder named like the network.
    pub fn loads_only_inlined_plugins(&self) -> bool {
        self.only_inlined
    }

    /// Returns the capabilities that at least one plugin takes arguments for.
    pub fn capabilities(&self) -> BTreeSet<&str> {
        self.plugins.iter().flat_map(PluginConfig::enabled_capabilities).collect()
    }

    /// Returns a sentence for each capability argument that no plugin takes, with the name that may be meant.
    pub fn untaken(&self, given: &CapabilityArgs) -> Vec<String> {
        let (taken, name) = (self.capabilities(), self.name());
        let sentence = |capability: &str| {
            let meant = nearest(capability, taken.iter().copied());
            let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
            format!("no plugin of `{name}` takes `{capability}`{meant}")
        };
        given.iter().map(|(capability, _)| capability).filter(|one| !taken.contains(one)).map(sentence).collect()
    }

    /// The name as the text has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name, checked.
    ///
    /// # Errors
    /// The specification does not allow it.
    pub fn network_name(&self) -> Result<NetworkName, InvalidName> {
        NetworkName::new(&*self.name)
    }

    /// The effective version as the text has it: the highest of `cniVersion` and `cniVersions` that this crate
    /// implements; with no `cniVersions`, `cniVersion` as it stands. `None` if the text names no version, which means
    /// 0.1.0.
    pub fn cni_version(&self) -> Option<&str> {
        Some(self.version.as_str()).filter(|version| !version.is_empty())
    }

    /// The effective version as text: as [`NetworkConfig::cni_version`], or `0.1.0` where the text names none.
    pub fn effective_version(&self) -> &str {
        self.cni_version().unwrap_or(Version::V0_1_0.as_str())
    }

    /// The effective version, parsed.
    ///
    /// # Errors
    /// The text is not a version.
    pub fn version(&self) -> Result<Version, InvalidVersion> {
        self.version.parse()
    }

    /// The versions that the configuration says it is written for and that this crate implements, oldest first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The same network at one version, which its text then says alone, so that the cache records what was used.
    ///
    /// # Errors
    /// This crate does not implement the version, so an attachment in it could be neither checked nor deleted.
    pub fn at_version(&self, version: &Version) -> Result<Self, ConfError> {
        if !version.is_known() {
            return Err(ConfError::new(Problem::UnknownVersion(version.clone())));
        }
        let mut text = Object::parse(&self.text).unwrap_or_default();
        text.remove("cniVersions");
        text.set("cniVersion", version.as_str());
        Ok(Self {
            version: version.as_str().to_owned(),
            versions: vec![version.clone()],
            text: text.to_string(),
            ..self.clone()
        })
    }

    /// Returns true if CHECK does nothing.
    pub fn disables_check(&self) -> bool {
        self.disable_check
    }

    /// Returns true if GC does nothing.
    pub fn disables_gc(&self) -> bool {
        self.disable_gc
    }

    /// The plugins in the order of ADD.
    pub fn plugins(&self) -> &[PluginConfig] {
        &self.plugins
    }

    /// The text of the list, as the cache records it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file that the list was loaded from.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

/// The configuration of a single plugin; an error has its place in the text.
pub(super) fn single(text: &str) -> Result<PluginConfig, ConfError> {
    PluginConfig::parse(text).map_err(|problem| match problem {
        PluginProblem::Json(source) => ConfError::new(json_problem(text, source)),
        PluginProblem::Field(field) => {
            let path = field.path().to_owned();
            locate(ConfError::new(Problem::SinglePlugin(PluginProblem::Field(field))), text, &path)
        }
        other => ConfError::new(Problem::SinglePlugin(other)),
    })
}

/// The error with the place of the key that it is about: the first part of a path such as `ipam.type`.
fn locate(error: ConfError, text: &str, path: &str) -> ConfError {
    let first = path.split(['.', '[']).next().unwrap_or_default();
    let keys = keys(text).unwrap_or_default();
    match keys.iter().rev().find(|(key, _)| is_same(key, first)) {
        Some((_, value)) => error.at(text, value),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conf::Position;

    #[track_caller]
    fn position(text: &str) -> (usize, usize) {
        let error = NetworkConfig::parse(text).unwrap_err();
        let Position { line, column } = error.position().expect("a position");
        (line, column)
    }

    #[test]
    fn errors_say_where_they_are() {
        assert_eq!(position("{\n \"name\": \"n\",\n \"plugins\": [}]\n}"), (3, 14));
        assert_eq!(position("{\n \"name\": \"n\",\n  \"disableCheck\": 1}"), (3, 19));
        assert_eq!(position("{\"name\":\"n\",\n\"plugins\":[{\"type\":\"a\"},\n  {\"x\":1}]}"), (3, 3));
    }

    #[test]
    fn errors_of_a_single_plugin_say_where_they_are() {
        let error = NetworkConfig::from_plugin("{\"type\": \"a\",\n \"ipam\": {\"type\": 7}}").unwrap_err();
        assert_eq!(error.position(), Some(Position { line: 2, column: 10 }));
    }

    #[test]
    fn a_byte_order_mark_is_named() {
        let error = NetworkConfig::parse("\u{feff}{}").unwrap_err().to_string();
        assert_eq!(error, "network configuration:1:1: not a JSON object (it starts with a byte order mark)");
    }
}
