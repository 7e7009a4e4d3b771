//! `cnitool list`: what there is.

use libcni::conf::{Listing, NetworkConfig};
use libcni::{Chain, Error};

use crate::cli::Arguments;
use crate::say;

/// Prints a line for each network: name, version, plugins and file, separated by tabs, in the order of file names.
pub(crate) fn print_networks(arguments: &Arguments) -> Result<(), crate::Failure> {
    let lines: Vec<_> = networks_in_file_order(arguments)?.iter().map(line).collect();
    crate::print(&lines.join("\n"))
}

fn line(network: &NetworkConfig) -> String {
    let plugins: Vec<_> = network.plugins().iter().map(|plugin| plugin.plugin_type()).collect();
    let file = network.path().map(|path| path.display().to_string()).unwrap_or_default();
    let version = match network.cni_version() {
        "" => "0.1.0",
        written => written,
    };
    format!("{}\t{version}\t{}\t{file}", network.name(), plugins.join(","))
}

/// The networks of the directory in the order of their files' names; a warning for every file that gives none.
pub(crate) fn networks_in_file_order(arguments: &Arguments) -> Result<Vec<NetworkConfig>, Error> {
    let Listing { mut networks, shadowed, broken, .. } = arguments.conf_dir().list()?;
    for network in shadowed {
        let file = network.path().map(|path| path.display().to_string()).unwrap_or_default();
        say(&format!("warning: skipped {file}: an earlier file configures network `{}`", network.name()));
    }
    for problem in broken {
        say(&format!("warning: skipped {}", Chain(&problem)));
    }
    networks.sort_by(|a, b| a.path().cmp(&b.path()));
    Ok(networks)
}
