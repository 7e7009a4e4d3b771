//! The terms that runtimes and plugins share: plain data, no I/O. The [specification](crate::specification) defines
//! them.
//!
//! Everything here is a value that crosses the border between a runtime and a plugin, checked once
//! when it is made. Nothing in this module imports anything else of the crate.

mod args;
pub mod capability;
mod command;
mod duration;
mod fields;
mod indent;
mod ip_net;
mod json;
mod name;
mod nearest;
mod net;
mod object;
mod pod;
mod reply;
mod to_json;
mod trace_context;
mod version;

pub use args::{CniArgs, InvalidArg};
pub use command::{CNI_ARGS, CNI_COMMAND, CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS, CNI_PATH, Command, UnknownCommand};
pub(crate) use command::{CNI_NETNS_OVERRIDE, override_allows};
pub use duration::{InvalidDuration, duration};
pub(crate) use fields::{Fields, Shape, serde_by_shape};
pub(crate) use indent::indent;
pub use ip_net::{InvalidIpNet, IpNet};
pub(crate) use json::{Entries, Placed, characters, is_same, read, read_raw, text};
pub use json::{InvalidField, Malformed};
pub use name::{ContainerId, IfName, InvalidName, NetworkName};
pub use nearest::nearest;
pub use net::{Dns, Route};
pub use object::Object;
pub(crate) use object::raw;
pub use pod::Pod;
pub use reply::{ErrorCode, ErrorReply, InvalidVersionReply, ValidAttachment, VersionReply};
pub(crate) use to_json::sealed::Sealed;
pub(crate) use to_json::to_json;
pub use to_json::{Json, ToJson};
pub use trace_context::{BAGGAGE, InvalidTraceContext, TRACEPARENT, TRACESTATE, TraceContext};
pub use version::{InvalidVersion, Version};
