//! Why a network can't be loaded.

use std::io;
use std::path::PathBuf;

use super::ConfError;
use crate::Chain;
use crate::spec::nearest;

/// A network can't be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The directories have no configuration file, or don't exist.
    #[error("no network configurations found in {}{}", named(dirs), if *exists { "" } else { missing(dirs) })]
    #[doc(alias = "NoConfigsFoundError")]
    #[non_exhaustive]
    NoConfigs {
        /// The directories.
        dirs: Vec<PathBuf>,
        /// True if there is such a directory.
        exists: bool,
    },
    /// No file is a configuration, so there is no default network.
    #[error("no file in {} is a network configuration{}", named(dirs), listed(skipped))]
    #[non_exhaustive]
    AllBroken {
        /// The directories.
        dirs: Vec<PathBuf>,
        /// The fault of each file.
        skipped: Vec<ConfError>,
    },
    /// No file configures a network of this name.
    #[error("no network configuration named `{name}` in {}{}", named(dirs), listed(skipped))]
    #[doc(alias = "NotFoundError")]
    #[non_exhaustive]
    NotFound {
        /// The directories.
        dirs: Vec<PathBuf>,
        /// The name looked for.
        name: String,
        /// Files that could not be read. One of them may be the network's.
        skipped: Vec<ConfError>,
        /// The names of the existing networks.
        known: Vec<String>,
    },
    /// The directory can't be read.
    #[error("cannot read the configuration directory {}", dir.display())]
    #[non_exhaustive]
    Dir {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The network's own file is broken, or with [`OnBroken::Stop`](super::OnBroken::Stop) any file before it.
    #[error(transparent)]
    Config(#[from] ConfError),
}

impl LoadError {
    /// Returns a suggestion: an existing name that is nearly the requested one, or otherwise all existing names; `None`
    /// if there are none.
    pub fn suggestion(&self) -> Option<String> {
        let Self::NotFound { name, known, .. } = self else { return None };
        let all = || {
            let shown: Vec<_> = known.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
            let rest = known.len().saturating_sub(LISTED);
            let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
            format!("there are {}{rest}", shown.join(", "))
        };
        match nearest(name, known.iter().map(String::as_str)) {
            _ if known.is_empty() => None,
            Some(meant) => Some(format!("did you mean `{meant}`? ({})", all())),
            None => Some(all()),
        }
    }
}

/// The directories in an error message.
fn named(dirs: &[PathBuf]) -> String {
    dirs.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(" and ")
}

fn missing(dirs: &[PathBuf]) -> &'static str {
    if dirs.len() == 1 { ": the directory does not exist" } else { ": none of the directories exists" }
}

/// How many files an error message lists.
const LISTED: usize = 20;

fn listed(skipped: &[ConfError]) -> String {
    let line = |error: &ConfError| format!("\n  {}", Chain(error));
    let lines: String = skipped.iter().take(LISTED).map(line).collect();
    match skipped.len() {
        0 => String::new(),
        few if few <= LISTED => format!("; not readable:{lines}"),
        many => format!("; not readable:{lines}\n  and {} more", many - LISTED),
    }
}
