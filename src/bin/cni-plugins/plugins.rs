//! Which plugins there are.

use std::ffi::OsStr;

use libcni::plugin::Plugin;

use crate::bridge::Bridge;
use crate::host_local::HostLocal;
use crate::loopback::Loopback;
use crate::portmap::Portmap;

/// One of the plugins, for any thread.
pub(crate) type AnyPlugin = &'static (dyn Plugin + Sync);

/// The plugins, by the names that configurations call them.
const PLUGINS: [(&str, AnyPlugin); 4] =
    [("bridge", &Bridge), ("host-local", &HostLocal), ("loopback", &Loopback), ("portmap", &Portmap)];

/// The plugin of a name.
pub(crate) fn named(name: &OsStr) -> Option<AnyPlugin> {
    PLUGINS.iter().find(|(known, _)| name == *known).map(|(_, plugin)| *plugin)
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PLUGINS.iter().map(|(name, _)| *name)
}
