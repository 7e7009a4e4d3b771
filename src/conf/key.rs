//! The keys of a list: decoded one by one, each error with its place.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ConfError, PluginConfig, Problem};
use crate::spec::{Malformed, Version};

/// The keys of a list with the text of their values. Go looks these up exactly, unlike those of plugins.
pub(super) type Keys<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

pub(super) fn keys(text: &str) -> Result<Keys<'_>, ConfError> {
    // Go decodes null into a list without keys.
    let text = if text.trim() == "null" { "{}" } else { text };
    serde_json::from_str(text).map_err(|source| ConfError::new(json_problem(text, Malformed::placed(source))))
}

pub(super) fn json_problem(text: &str, source: Malformed) -> Problem {
    Problem::Json { byte_order_mark: text.starts_with('\u{feff}'), source }
}

/// One key of a list: its value, if any, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    pub(super) key: &'static str,
    pub(super) text: &'a str,
    pub(super) value: Option<&'a RawValue>,
}

impl<'a> Key<'a> {
    fn error(&self, problem: Problem) -> ConfError {
        let error = ConfError::new(problem);
        match self.value {
            Some(value) => error.at(self.text, value),
            None => error,
        }
    }

    fn decode<T: Deserialize<'a>>(&self, value: &'a RawValue, expected: &'static str) -> Result<T, ConfError> {
        let problem = |_| Problem::Type { key: self.key, expected };
        serde_json::from_str(value.get()).map_err(|e| self.error(problem(e)))
    }

    pub(super) fn text(&self) -> Result<Option<String>, ConfError> {
        let decode = |value| self.decode(value, "a string");
        self.value.map(decode).transpose()
    }

    pub(super) fn version(&self, text: &str) -> Result<Version, ConfError> {
        let problem = |source| Problem::Version { key: self.key, source };
        text.parse().map_err(|e| self.error(problem(e)))
    }

    pub(super) fn versions(&self) -> Result<Vec<Version>, ConfError> {
        let Some(value) = self.value else {
            return Ok(Vec::new());
        };
        let entries: Vec<&RawValue> = self.decode(value, "a list of texts")?;
        let key = "cniVersions[]";
        let read = |value: &'a RawValue| {
            let entry = Key { key, value: Some(value), ..*self };
            let text: String = entry.decode(value, "a string")?;
            entry.version(&text)
        };
        entries.into_iter().map(read).collect()
    }

    /// true, false, or a text that says so in any case: deployed lists quote it.
    pub(super) fn boolean(&self) -> Result<bool, ConfError> {
        let Some(value) = self.value else {
            return Ok(false);
        };
        if let Ok(boolean) = serde_json::from_str(value.get()) {
            return Ok(boolean);
        }
        let text: String = self.decode(value, "true or false")?;
        let wrong = || Problem::Boolean { key: self.key, value: text.clone() };
        let lower = text.to_ascii_lowercase();
        lower.parse().map_err(|_| self.error(wrong()))
    }

    pub(super) fn plugins(&self) -> Result<Vec<PluginConfig>, ConfError> {
        let Some(value) = self.value else {
            return Ok(Vec::new());
        };
        let entries: Vec<&RawValue> = self.decode(value, "a list of objects")?;
        if entries.is_empty() {
            return Err(self.error(Problem::NoPlugins));
        }
        let read = |(index, value): (usize, &RawValue)| {
            let plugin = PluginConfig::parse(value.get());
            let problem = |source| ConfError::new(Problem::Plugin { index, source });
            plugin.map_err(|e| problem(e).at(self.text, value))
        };
        entries.into_iter().enumerate().map(read).collect()
    }
}
