//! `cnitool del`: with the configuration of today, or with that of the time of ADD.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;
use libcni::cache::Key;
use libcni::conf::LoadError;
use libcni::invoke::Request;
use libcni::runtime::OnMissingPlugin;
use libcni::spec::NetworkName;
use libcni::{Attachment, Cni, Error};

use crate::context::options::{Attached, Host, Output};
use crate::context::signals::Signals;
use crate::output::dry_run;
use crate::output::failure::Failure;

/// The arguments of `del`.
#[derive(Args, Debug)]
pub(crate) struct Del {
    /// The name of the network
    network: String,
    /// A network namespace: a path, or a name as `ip netns` has it; with --container-id it may be left out
    #[arg(required_unless_present = "container_id")]
    netns: Option<OsString>,
    /// Use nothing but the cache: the configuration and the arguments that the container was added with
    #[arg(long)]
    cached: bool,
    /// Skip plugins that are not installed; everything that they added stays behind
    #[arg(long)]
    skip_missing: bool,
    /// Show what each plugin would be sent, and run nothing
    #[arg(long, conflicts_with = "skip_missing")]
    dry_run: bool,
    #[command(flatten)]
    attached: Attached,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    _output: Output,
}

pub(crate) fn del(del: &Del, signals: Option<&Signals>) -> Result<(), Failure> {
    let cni = del.host.cni(signals.and_then(Signals::token))?;
    let mut attachment = del.attached.attachment(Path::new(del.netns.as_deref().unwrap_or_default()))?;
    if del.netns.is_none() {
        attachment = cni.as_recorded(&key(&del.network, &attachment)?, attachment);
    }
    if del.dry_run {
        let requests = requests(del, &cni, attachment).map_err(not_removed)?;
        return Ok(dry_run::print(&requests)?);
    }
    let on_missing = if del.skip_missing { OnMissingPlugin::Continue } else { OnMissingPlugin::Stop };
    let removed = if del.cached {
        key(&del.network, &attachment).and_then(|key| cni.del_cached(&key, on_missing))
    } else {
        del.host.network(&cni, &del.network).and_then(|network| cni.del_with(&network, &attachment, on_missing))
    };
    removed.map(drop).map_err(not_removed)
}

fn requests(del: &Del, cni: &Cni, given: Attachment) -> Result<Vec<Request>, Error> {
    if del.cached {
        let recorded = cni.cached_attachment(&key(&del.network, &given)?)?;
        return cni.del_requests(&recorded.network, &recorded.attachment);
    }
    cni.del_requests(&del.host.network(cni, &del.network)?, &given)
}

fn key(network: &str, attachment: &Attachment) -> Result<Key, Error> {
    Ok(attachment.key(NetworkName::new(network)?))
}

/// Why something is not removed, and what can be done about it.
pub(super) fn not_removed(error: Error) -> Failure {
    let hint = match &error {
        Error::Load(LoadError::NotFound { .. } | LoadError::NoConfigs { .. }) => {
            "`cnitool del --cached` removes it with the configuration that it was added with"
        }
        Error::LiveUnknown { .. } => {
            "once its container is gone, remove the file; `--keep ID:IFNAME` names all that are live instead"
        }
        Error::PluginNotFound { .. } => "`--skip-missing` goes on without the plugin, and leaves what it has added",
        Error::Plugin(_) | Error::Several(_) | Error::Cache(_) => {
            "the attachment stays in the cache until it is removed; run the same command again"
        }
        _ => return error.into(),
    };
    Failure::from(error).with_hint(hint)
}
