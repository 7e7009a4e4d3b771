//! A file in net.d becomes a network configuration.
//!
//! Text is kept as it is in the file; only the keys that the library acts on are decoded. [Section
//! 1](crate::specification#1-configuration) of the specification describes them.

mod edit;
mod effective;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
mod error;
mod file;
mod key;
#[cfg(target_os = "linux")]
mod linux;
mod list;
mod listing;
mod load;
mod load_error;
mod network_file;
mod places;
mod plugin;
mod remark;
mod replace;
mod whole;

#[cfg(not(target_os = "linux"))]
use elsewhere as system;
#[cfg(target_os = "linux")]
use linux as system;

pub use edit::{ListEdit, edit_file};
pub use error::{ConfError, PluginProblem, Position, Problem};
pub use file::MAX_FILE_SIZE;
pub use list::NetworkConfig;
pub use listing::Listing;
pub use load::{ConfDir, Loaded, OnBroken};
pub use load_error::LoadError;
pub use plugin::PluginConfig;
pub use remark::Remark;
