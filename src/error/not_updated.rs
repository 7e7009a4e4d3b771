//! The reasons why an attachment can't be updated.

use std::path::PathBuf;

/// The obstacles to an update.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WhyNotUpdated {
    /// A plugin that makes the interface has another configuration, so the interface would have to be made again.
    #[error("plugin `{plugin}`, which makes the interface, has another configuration or place in the list")]
    #[non_exhaustive]
    RemakesInterface {
        /// The plugin.
        plugin: String,
    },
    /// The container is in another namespace than was said.
    #[error("it is in network namespace {}, not in {}", recorded.to_string_lossy().escape_debug(), given.to_string_lossy().escape_debug())]
    #[non_exhaustive]
    OtherNamespace {
        /// The path on record.
        recorded: PathBuf,
        /// The path that was said.
        given: PathBuf,
    },
    /// The namespace of the container is gone, or its path leads to another one now.
    #[error("its network namespace {} is gone", netns.to_string_lossy().escape_debug())]
    #[non_exhaustive]
    NamespaceGone {
        /// The path.
        netns: PathBuf,
    },
}
