//! An interface that does not belong to the attachment.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::cache::Entry;

/// ADD was refused, because the interface does not belong to the attachment. Nothing was run or changed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Occupied {
    /// The network that was to be added.
    pub network: String,
    /// The interface.
    pub ifname: String,
    /// The container.
    pub container_id: String,
    /// The path of its network namespace, where it has one.
    pub netns: Option<PathBuf>,
    /// The attachment that the interface belongs to; `None` if it is in the namespace but not on record.
    pub by: Option<Entry>,
}

impl fmt::Display for Occupied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ifname = &self.ifname;
        let netns = self.netns.as_deref().unwrap_or(Path::new("")).display();
        match &self.by {
            None => {
                write!(f, "interface `{ifname}` is in network namespace {netns} already, and no ADD on record made it")
            }
            Some(Entry { network, container_id, .. }) if *container_id == self.container_id => {
                write!(f, "interface `{ifname}` of container `{container_id}` belongs to network `{network}`")
            }
            Some(Entry { network, container_id, .. }) => write!(
                f,
                "interface `{ifname}` in network namespace {netns} belongs to network `{network}`, as container \
                 `{container_id}`"
            ),
        }?;
        match &self.by {
            Some(by) if by.result.is_empty() => f.write_str(", whose ADD was begun and not finished"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Occupied {}
