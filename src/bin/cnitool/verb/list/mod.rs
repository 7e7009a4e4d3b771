//! `cnitool list`: what there is.

mod attachments;
mod form;
mod networks;
mod plugins;

use clap::{Args, Subcommand};

use crate::context::signals::Signals;
use crate::output::failure::Failure;

/// The attachments to list, and how.
#[derive(Args, Debug)]
pub(crate) struct List {
    #[command(subcommand)]
    what: Listed,
}

#[derive(Debug, Subcommand)]
enum Listed {
    /// The networks of the configuration directory, and the files that are shadowed or broken
    Networks(networks::Networks),
    /// The attachments in the cache, of every runtime that shares it
    Attachments(attachments::Attachments),
    /// The files of the plugin directories with the versions that they support
    ///
    /// Every executable is run with the verb VERSION. Directories of the system's own programs are left out.
    Plugins(plugins::Plugins),
}

pub(crate) fn list(list: &List, signals: Option<&Signals>) -> Result<(), Failure> {
    match &list.what {
        Listed::Networks(networks) => networks::list(networks),
        Listed::Attachments(attachments) => attachments::list(attachments),
        Listed::Plugins(plugins) => plugins::list(plugins, signals),
    }
}
