//! The faults that a configuration can have, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use crate::Chain;
use crate::spec::{InvalidField, InvalidName, InvalidVersion, Malformed, Object, Version};

/// A configuration can't be used. The error has the file, the place in it, and the reason.
#[derive(Debug)]
pub struct ConfError {
    file: Option<PathBuf>,
    position: Option<Position>,
    problem: Problem,
}

/// A place in a text. Both count from 1; columns count bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The byte in the line.
    pub column: usize,
}

/// The fault of a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file can't be read.
    #[error("cannot read the file")]
    Read(#[source] io::Error),
    /// The file with the network's name is not a readable folder of plugins.
    #[error("cannot read the folder of the network's plugins")]
    Folder(#[source] io::Error),
    /// The entry of the directory is a FIFO, a device, a socket or the like.
    #[error("not a regular file")]
    NotAFile,
    /// The file is larger than [`MAX_FILE_SIZE`](super::MAX_FILE_SIZE).
    #[error("larger than {limit} bytes")]
    #[non_exhaustive]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The file is not UTF-8, and not JSON with other bytes in its texts either.
    #[error("not UTF-8")]
    NotUtf8,
    /// The text is not a JSON object.
    #[error("not a JSON object{}", if *byte_order_mark { " (it starts with a byte order mark)" } else { "" })]
    #[non_exhaustive]
    Json {
        /// True if the text starts with a byte order mark, which JSON does not allow.
        byte_order_mark: bool,
        /// The message of the decoder.
        source: Malformed,
    },
    /// A required key is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A key has a value of the wrong type.
    #[error("`{key}` must be {expected}")]
    #[non_exhaustive]
    Type {
        /// The key; `cniVersions[]` for an entry of that list.
        key: &'static str,
        /// The value that it should have.
        expected: &'static str,
    },
    /// A text is not a version.
    #[error("`{key}` is not a version")]
    #[non_exhaustive]
    Version {
        /// `cniVersion` or `cniVersions`.
        key: &'static str,
        /// The text.
        source: InvalidVersion,
    },
    /// This crate does not implement the version.
    #[error("version {0} is not implemented")]
    UnknownVersion(Version),
    /// A text stands for a boolean, but is neither `true` nor `false`.
    #[error("`{key}` must be true or false, not `{value}`")]
    #[non_exhaustive]
    Boolean {
        /// The key.
        key: &'static str,
        /// The text.
        value: String,
    },
    /// `loadOnlyInlinedPlugins` is true, and `plugins` is missing.
    #[error("`loadOnlyInlinedPlugins` is true, but `plugins` is missing")]
    OnlyInlinedWithoutPlugins,
    /// The list has no plugin, neither inlined nor in the folder named like the network.
    #[error("the list has no plugins")]
    NoPlugins,
    /// The name can't be that of a network.
    #[error(transparent)]
    Name(InvalidName),
    /// One plugin of the list is invalid.
    #[error("plugin {index} of the list is invalid")]
    #[non_exhaustive]
    Plugin {
        /// Which one; counts from 0.
        index: usize,
        /// The fault.
        source: PluginProblem,
    },
    /// The text is the configuration of a single plugin, and only a list can be changed.
    #[error("this is a single plugin, not a list")]
    NotAList,
    /// The list has fewer plugins than an index says.
    #[error("there is no plugin {index} in the list, which has {count}")]
    #[non_exhaustive]
    NoSuchPlugin {
        /// The index; counts from 0.
        index: usize,
        /// How many plugins there are.
        count: usize,
    },
    /// A value can't be written as JSON.
    #[error("the value for `{key}` can't be written as JSON")]
    #[non_exhaustive]
    Value {
        /// The key.
        key: String,
        /// Why.
        source: Malformed,
    },
    /// The file can't be written.
    #[error("cannot {doing} the file")]
    #[non_exhaustive]
    Write {
        /// The attempt.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// Another program has written the file since it was read.
    #[error("the file was changed by somebody else meanwhile, and is left as it is now")]
    Changed,
    /// The configuration of a single plugin is invalid.
    #[error(transparent)]
    SinglePlugin(PluginProblem),
}

/// The faults of the configuration of one plugin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginProblem {
    /// It is not a JSON object.
    #[error("not a JSON object")]
    Json(#[source] Malformed),
    /// A key that the specification defines has the wrong form.
    #[error("{0}")]
    Field(InvalidField),
    /// `type` is missing or empty.
    #[error("`type` is missing")]
    MissingType,
}

impl From<PluginProblem> for ConfError {
    fn from(problem: PluginProblem) -> Self {
        Self::new(Problem::SinglePlugin(problem))
    }
}

impl ConfError {
    pub(super) fn new(problem: Problem) -> Self {
        let position = match &problem {
            Problem::Json { source, .. } => Some(Position::of_error(source)),
            _ => None,
        };
        Self { file: None, position, problem }
    }

    /// The error with the place of the value that caused it, unless it has a more precise one.
    pub(super) fn at(mut self, text: &str, value: &RawValue) -> Self {
        let position = || Position::of_value(text, value);
        self.position = self.position.or_else(position);
        self
    }

    /// The error with the file that the text came from, unless it has one.
    pub(super) fn in_file(mut self, file: &Path) -> Self {
        self.file.get_or_insert_with(|| file.to_owned());
        self
    }

    /// The file, where the text came from one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The place in the text, if it is known.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// Returns the fault and its place in the file, for a line that names the file already.
    ///
    /// ```
    /// let error = libcni::conf::NetworkConfig::parse("{").unwrap_err();
    /// assert!(error.in_its_file().starts_with("1:1: not a JSON object"));
    /// ```
    pub fn in_its_file(&self) -> String {
        let place = self.position.map(|at| format!("{}:{}: ", at.line, at.column)).unwrap_or_default();
        format!("{place}{}", Chain(&self.problem))
    }

    /// Describes the error: `file`, `line` and `column`, where they are known, and `message`.
    pub fn to_object(&self) -> Object {
        let mut object = Object::new();
        object.set("file", &self.file().map(Path::to_string_lossy));
        if let Some(at) = self.position {
            object.set("line", &at.line);
            object.set("column", &at.column);
        }
        object.set("message", &Chain(&self.problem).to_string());
        object
    }

    /// The fault.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl fmt::Display for ConfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}", file.display())?,
            None => f.write_str("network configuration")?,
        }
        if let Some(Position { line, column }) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for ConfError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.problem)
    }
}

impl Position {
    fn of_error(error: &Malformed) -> Self {
        Self { line: error.line().max(1), column: error.column().max(1) }
    }

    /// Where a value that was borrowed from `text` begins in it.
    fn of_value(text: &str, value: &RawValue) -> Option<Self> {
        let start = value.get().as_ptr() as usize;
        let offset = start.checked_sub(text.as_ptr() as usize)?;
        let before = text.get(..offset)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Some(Self { line: before.matches('\n').count() + 1, column: offset - line_start + 1 })
    }
}
