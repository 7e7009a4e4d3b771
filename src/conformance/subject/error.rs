//! Why a plugin can't be checked.

use std::io;
use std::path::PathBuf;

use crate::Chain;
use crate::conf::ConfError;
use crate::invoke::FindError;
use crate::result::ParseError;

/// A plugin can't be checked, since there is none, or no configuration for it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubjectError {
    /// No plugin directory has a plugin of that name.
    #[error("{source}{}", if *is_here { format!("; did you mean ./{}?", source.plugin().unwrap_or_default()) } else { String::new() })]
    #[non_exhaustive]
    NotFound {
        /// Why.
        source: FindError,
        /// True if the working directory has a file of that name.
        is_here: bool,
    },
    /// The path leads to no file.
    #[error("plugin {} is not a file", .0.display())]
    NoFile(PathBuf),
    /// The file may not be executed.
    #[error("plugin {file} can't be executed; `chmod +x {file}` makes it executable", file = .0.display())]
    NotExecutable(PathBuf),
    /// The file's name can't be a `type`.
    #[error("plugin {} has a name that is not UTF-8", .0.display())]
    NotUtf8(PathBuf),
    /// The configuration or the previous result can't be read.
    #[error("cannot read {}: {source}", file.display())]
    #[non_exhaustive]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The text is not a configuration.
    #[error("{}: {}", file.display(), Chain(source))]
    #[non_exhaustive]
    Parse {
        /// The file.
        file: PathBuf,
        /// Why.
        source: Box<ConfError>,
    },
    /// The configuration is for other plugins.
    #[error(
        "{}: no plugin of type `{plugin}`, which is the program's file name, but of type {}",
        file.display(),
        types.join(", ")
    )]
    #[non_exhaustive]
    NoSuchPlugin {
        /// The file.
        file: PathBuf,
        /// The type that was looked for: the name of the program.
        plugin: String,
        /// The types that the file has.
        types: Vec<String>,
    },
    /// The previous result is not a result.
    #[error("{}: {}", file.display(), Chain(source))]
    #[non_exhaustive]
    PreviousResult {
        /// The file.
        file: PathBuf,
        /// Why.
        source: ParseError,
    },
    /// There is no working directory that a relative path could start from.
    #[error("cannot make the path of {} absolute: {source}", path.display())]
    #[non_exhaustive]
    Relative {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
