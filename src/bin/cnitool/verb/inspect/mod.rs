//! `cnitool inspect`: all there is to know about a network or an attachment.

mod attachment;
mod network;

use clap::Args;
use libcni::conf::LoadError;
use libcni::spec::ErrorCode;
use libcni::{Chain, Error};

use crate::context::library::load;
use crate::context::options::{Loading, Output, PluginDirs, Records};
use crate::output::failure::Failure;

/// The networks to inspect.
#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// A network, or an attachment: ID, ID:IFNAME, or the name of its file in the cache
    name: String,
    #[command(flatten)]
    loading: Loading,
    #[command(flatten)]
    dirs: PluginDirs,
    #[command(flatten)]
    records: Records,
    #[command(flatten)]
    _output: Output,
}

/// Prints the network of that name, or, if there is none, the attachments.
pub(crate) fn inspect(inspect: &Inspect) -> Result<(), Failure> {
    let (name, cache) = (&inspect.name, inspect.records.cache());
    let error = match load(&inspect.loading.conf_dir(), name) {
        Ok(network) => {
            let attached = cache.inventory_of(network.name()).map_err(Error::from)?.attached;
            return network::print(&network, &inspect.dirs.plugin_dirs(), &attached);
        }
        Err(Error::Load(error @ (LoadError::NotFound { .. } | LoadError::NoConfigs { .. }))) => error,
        Err(error) => return Err(error.into()),
    };
    let named = cache.named(name).map_err(Error::from)?;
    if named.is_empty() {
        let message = format!("`{name}` is not an attachment, and {}", Chain(&error));
        let failure = Failure::new(ErrorCode::INVALID_NETWORK_CONFIG, message);
        let hint =
            error.suggestion().into_iter().chain(["`cnitool list attachments` shows all attachments".to_owned()]);
        return Err(hint.fold(failure, Failure::with_hint));
    }
    let networks = inspect.loading.conf_dir().list().map(|listing| listing.networks).unwrap_or_default();
    attachment::print(&named, &networks)
}
