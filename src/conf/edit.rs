//! Changes a list in one place, and keeps the rest of its text.

use std::ops::Range;
use std::path::Path;

use serde::Serialize;

use super::file::{Found, read_unchanged};
use super::key::keys;
use super::places::{Part, Places};
use super::replace::replace;
use super::{ConfError, NetworkConfig, PluginConfig, Problem};
use crate::spec::{Malformed, is_same};

/// The text of a list that is being changed, as when an installer adds a plugin to an existing network.
///
/// The rest stays as it is written, byte for byte: the order of keys, numbers, white space, unknown keys. New text has
/// the layout of the text beside it.
///
/// ```
/// use libcni::conf::{ListEdit, PluginConfig};
///
/// let mut list = ListEdit::parse(
///     r#"{
///   "name": "mynet", "serial": 9007199254740993,
///   "plugins": [
///     {"type": "bridge", "mtu": 1500}
///   ]
/// }"#,
/// )?;
/// list.push(&PluginConfig::parse(r#"{"type": "portmap"}"#)?)?;
/// list.set_in_plugin(0, "mtu", &9000)?;
/// assert_eq!(
///     list.text(),
///     r#"{
///   "name": "mynet", "serial": 9007199254740993,
///   "plugins": [
///     {"type": "bridge", "mtu": 9000},
///     {
///       "type": "portmap"
///     }
///   ]
/// }"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ListEdit {
    text: String,
}

impl ListEdit {
    /// Begins with the text of a list.
    ///
    /// # Errors
    /// The text is not a list. [`NetworkConfig::from_plugin`] turns the configuration of a single plugin into one.
    pub fn parse(text: &str) -> Result<Self, ConfError> {
        NetworkConfig::parse(text)?;
        let keys = keys(text)?;
        if keys.contains_key("type") && !keys.contains_key("plugins") {
            return Err(ConfError::new(Problem::NotAList));
        }
        Ok(Self { text: text.to_owned() })
    }

    /// The text as it is now.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The network as it is now, without the plugins of a folder, which are not in the text.
    ///
    /// # Errors
    /// The network could no longer be loaded, for example because its last plugin was removed.
    pub fn network(&self) -> Result<NetworkConfig, ConfError> {
        NetworkConfig::parse(&self.text)
    }

    /// Appends a plugin.
    ///
    /// # Errors
    /// `plugins` is no longer a list.
    pub fn push(&mut self, plugin: &PluginConfig) -> Result<(), ConfError> {
        match self.plugins()? {
            Some(plugins) => self.put(&plugins, plugins.parts.len(), plugin),
            None => self.set("plugins", &[plugin.object()])?,
        }
        Ok(())
    }

    /// Inserts a plugin before that of an index, which counts from 0, or after the last one.
    ///
    /// # Errors
    /// There are fewer plugins.
    pub fn insert(&mut self, index: usize, plugin: &PluginConfig) -> Result<(), ConfError> {
        match self.plugins()? {
            Some(plugins) if index <= plugins.parts.len() => self.put(&plugins, index, plugin),
            None if index == 0 => self.push(plugin)?,
            other => return Err(no_plugin(index, other.as_ref())),
        }
        Ok(())
    }

    /// Replaces the plugin of an index with another one.
    ///
    /// # Errors
    /// There are fewer plugins.
    pub fn replace(&mut self, index: usize, plugin: &PluginConfig) -> Result<(), ConfError> {
        let plugins = self.plugins()?;
        let at = value_of(plugins.as_ref(), index)?;
        let json = plugins.map(|plugins| plugins.layout(&self.text).value(&plugin.object().to_string()));
        self.text.replace_range(at, &json.unwrap_or_default());
        Ok(())
    }

    /// Removes the plugin of an index.
    ///
    /// # Errors
    /// There are fewer plugins.
    pub fn remove(&mut self, index: usize) -> Result<(), ConfError> {
        let plugins = self.plugins()?;
        match plugins.filter(|plugins| index < plugins.parts.len()) {
            Some(plugins) => plugins.remove(&mut self.text, index),
            None => return Err(no_plugin(index, self.plugins()?.as_ref())),
        }
        Ok(())
    }

    /// Sets a key of the list itself: where it stands, or at the end.
    ///
    /// # Errors
    /// The value can't be written as JSON.
    pub fn set(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), ConfError> {
        // Keys of lists are found exactly, those of plugins in any case.
        self.set_at(&(0..self.text.len()), key, value, |found| found == key)
    }

    /// Sets a key of the plugin of an index: where it stands, in whichever case, or at the end.
    ///
    /// # Errors
    /// There are fewer plugins, or the value can't be written as JSON.
    pub fn set_in_plugin(
        &mut self,
        index: usize,
        key: &str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), ConfError> {
        let at = value_of(self.plugins()?.as_ref(), index)?;
        self.set_at(&at, key, value, |found| is_same(found, key))
    }

    /// Removes a key of the list itself. Succeeds if there is none.
    ///
    /// # Errors
    /// Not known to fail.
    pub fn unset(&mut self, key: &str) -> Result<(), ConfError> {
        self.unset_at(&(0..self.text.len()), |found| found == key)
    }

    /// Removes a key of the plugin of an index, in whichever case it is written. Succeeds if there is none.
    ///
    /// # Errors
    /// There are fewer plugins.
    pub fn unset_in_plugin(&mut self, index: usize, key: &str) -> Result<(), ConfError> {
        let at = value_of(self.plugins()?.as_ref(), index)?;
        self.unset_at(&at, |found| is_same(found, key))
    }

    /// The plugins of the list; `None` when it has no such key.
    fn plugins(&self) -> Result<Option<Places>, ConfError> {
        let list = self.pairs(&(0..self.text.len()))?;
        let Some(plugins) = list.parts.iter().rfind(|part| part.key == "plugins") else { return Ok(None) };
        let wrong = |_| ConfError::new(Problem::Type { key: "plugins", expected: "a list of objects" });
        Places::of_list(&self.text, &plugins.value).map(Some).map_err(wrong)
    }

    fn pairs(&self, at: &Range<usize>) -> Result<Places, ConfError> {
        let wrong = |_| ConfError::new(Problem::Type { key: "plugins", expected: "a list of objects" });
        Places::of_object(&self.text, at).map_err(wrong)
    }

    fn put(&mut self, plugins: &Places, index: usize, plugin: &PluginConfig) {
        let json = plugin.object().to_string();
        plugins.insert(&mut self.text, index, |layout| layout.value(&json));
    }

    fn set_at(
        &mut self,
        at: &Range<usize>,
        key: &str,
        value: &(impl Serialize + ?Sized),
        is_meant: impl Fn(&str) -> bool,
    ) -> Result<(), ConfError> {
        let unwritable =
            |source| ConfError::new(Problem::Value { key: key.to_owned(), source: Malformed::placed(source) });
        let json = serde_json::value::to_raw_value(value).map_err(unwritable)?;
        let pairs = self.pairs(at)?;
        let meant: Vec<&Part> = pairs.parts.iter().filter(|part| is_meant(&part.key)).collect();
        let layout = pairs.layout(&self.text);
        if meant.is_empty() {
            pairs.insert(&mut self.text, pairs.parts.len(), |layout| layout.pair(key, json.get()));
        }
        for part in meant.iter().rev() {
            self.text.replace_range(part.value.clone(), &layout.value(json.get()));
        }
        Ok(())
    }

    fn unset_at(&mut self, at: &Range<usize>, is_meant: impl Fn(&str) -> bool) -> Result<(), ConfError> {
        let mut at = at.clone();
        loop {
            let pairs = self.pairs(&at)?;
            let Some(index) = pairs.parts.iter().rposition(|part| is_meant(&part.key)) else { return Ok(()) };
            let before = self.text.len();
            pairs.remove(&mut self.text, index);
            at.end -= before - self.text.len();
        }
    }
}

/// Where the plugin of an index is.
fn value_of(plugins: Option<&Places>, index: usize) -> Result<Range<usize>, ConfError> {
    let part = plugins.and_then(|plugins| plugins.parts.get(index));
    part.map(|part| part.value.clone()).ok_or_else(|| no_plugin(index, plugins))
}

fn no_plugin(index: usize, plugins: Option<&Places>) -> ConfError {
    let count = plugins.map_or(0, |plugins| plugins.parts.len());
    ConfError::new(Problem::NoSuchPlugin { index, count })
}

/// Changes the list in a file, and returns whether anything was changed.
///
/// The file is replaced in one step and synced to disk, so that a runtime never reads half of it. It keeps its owner
/// and mode; if the path is a symbolic link, its target is replaced. If nothing was changed, nothing is written, so an
/// installer can run any number of times. A text that is no longer a configuration is not written.
///
/// ```
/// use libcni::conf::{PluginConfig, edit_file};
///
/// let dir = tempfile::tempdir()?;
/// let file = dir.path().join("10-mynet.conflist");
/// std::fs::write(&file, r#"{"cniVersion": "1.0.0", "name": "mynet", "plugins": [{"type": "bridge"}]}"#)?;
///
/// let portmap = PluginConfig::parse(r#"{"type": "portmap", "capabilities": {"portMappings": true}}"#)?;
/// let install = || {
///     edit_file(&file, |list| {
///         let network = list.network()?;
///         let is_there = network.plugins().iter().any(|plugin| plugin.plugin_type() == "portmap");
///         if is_there { Ok(()) } else { list.push(&portmap) }
///     })
/// };
/// assert!(install()?);
/// assert!(!install()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The file can't be read or written, is not a list, or is not UTF-8, or another program has changed it meanwhile, in
/// which case you can try again. Nothing is written in any of these cases.
pub fn edit_file(
    path: impl AsRef<Path>,
    edit: impl FnOnce(&mut ListEdit) -> Result<(), ConfError>,
) -> Result<bool, ConfError> {
    let path = path.as_ref();
    edit_in(path, edit).map_err(|e| e.in_file(path))
}

fn edit_in(path: &Path, edit: impl FnOnce(&mut ListEdit) -> Result<(), ConfError>) -> Result<bool, ConfError> {
    let before = read_unchanged(&Found::at(path))?;
    let mut list = ListEdit::parse(&before)?;
    edit(&mut list)?;
    if list.text == before {
        return Ok(false);
    }
    list.network()?;
    replace(path, &before, &list.text).map(|()| true).map_err(ConfError::new)
}
