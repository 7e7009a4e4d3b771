//! `cnitool inspect`: all there is to know about a network or an attachment.

mod attachment;
mod network;

use clap::Args;
use libcni::conf::LoadError;
use libcni::{Cni, Error};

use crate::Failure;
use crate::cached::{Attached, attached};
use crate::cli::Arguments;
use crate::configured;

/// What to inspect.
#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// A network, or an attachment: ID, ID:IFNAME, or the name of its file in the cache
    name: String,
}

/// Prints the network of that name; where there is none, the attachments.
pub(crate) fn inspect(arguments: &Arguments, cni: &Cni, inspect: &Inspect) -> Result<(), Failure> {
    let (all, _) = attached(cni.cache()).map_err(Error::from)?;
    let name = &inspect.name;
    let network = match configured(arguments, name) {
        Ok(network) => return network::print(arguments, &network, &all),
        Err(error @ Error::Load(LoadError::NotFound { .. } | LoadError::NoConfigs { .. })) => Box::new(error),
        Err(error) => return Err(error.into()),
    };
    let named: Vec<_> = all.iter().filter(|attachment| is_named(attachment, name)).collect();
    match named.is_empty() {
        true => Err(Failure::NothingOfThatName { name: name.clone(), network }),
        false => attachment::print(arguments, &named),
    }
}

fn is_named(attachment: &Attached, name: &str) -> bool {
    let file = attachment.file.as_deref();
    let is_file = || file.is_some_and(|file| file.as_os_str() == name || file.file_name() == Some(name.as_ref()));
    attachment.entry.container_id == name || attachment.id() == name || is_file()
}
