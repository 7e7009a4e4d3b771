//! Which plugins there are.

use std::ffi::OsStr;
use std::path::Path;

use libcni::plugin::Plugin;

use crate::bandwidth::Bandwidth;
use crate::bridge::Bridge;
use crate::firewall::Firewall;
use crate::flannel::Flannel;
use crate::host_local::HostLocal;
use crate::loopback::Loopback;
use crate::macvlan::MacvlanPlugin;
use crate::portmap::Portmap;
use crate::ptp::Ptp;
use crate::static_addresses::Static;
use crate::tuning::Tuning;

/// One of the plugins, for any thread.
pub(crate) type AnyPlugin = &'static (dyn Plugin + Sync);

/// The plugins, by the names that configurations call them.
const PLUGINS: &[(&str, AnyPlugin)] = &[
    ("bandwidth", &Bandwidth),
    ("bridge", &Bridge),
    ("firewall", &Firewall),
    ("flannel", &Flannel),
    ("host-local", &HostLocal),
    ("loopback", &Loopback),
    ("macvlan", &MacvlanPlugin),
    ("portmap", &Portmap),
    ("ptp", &Ptp),
    ("static", &Static),
    ("tuning", &Tuning),
];

/// The plugin of a name.
fn named(name: &OsStr) -> Option<AnyPlugin> {
    PLUGINS.iter().find(|(known, _)| name == *known).map(|(_, plugin)| *plugin)
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PLUGINS.iter().map(|(name, _)| *name)
}

/// The plugin that this program is when it is called by a path: by the name of the file, or of a link that leads to
/// one.
pub(crate) fn called(program: &Path) -> Option<AnyPlugin> {
    let mut path = program.to_owned();
    // As many links as the kernel follows.
    for _ in 0..40 {
        if let Some(plugin) = path.file_name().and_then(named) {
            return Some(plugin);
        }
        let target = std::fs::read_link(&path).ok()?;
        path = path.with_file_name("").join(target);
    }
    None
}
