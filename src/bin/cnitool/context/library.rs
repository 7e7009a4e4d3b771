//! The library as the options want it, and what it loads.

use std::path::{Path, PathBuf};

use libcni::cache::Cache;
use libcni::conf::{ConfDir, Listing, NetworkConfig};
use libcni::invoke::{ObservedExec, ProcessExec};
use libcni::netns::{self, Namespace};
use libcni::runtime::{Builder, Caution};
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{Command, ContainerId, IfName, Object, Version};
use libcni::{Attachment, CancelToken, Chain, Cni, Error};

use super::environment::{Invalid, is_like_go};
use super::options::{Attached, Container, Given, Host, Negotiation, Records, Running};
use super::trace::Trace;
use crate::output::describe::file;
use crate::output::{hear, hear_others, note, warn};

/// The network of a name as its file has it, and a warning for every broken file on the way to it.
pub(crate) fn load(dir: &ConfDir, name: &str) -> Result<NetworkConfig, Error> {
    let loaded = dir.load(name)?;
    loaded.skipped.iter().for_each(|problem| warn(&format!("skipped {}", Chain(problem))));
    Ok(loaded.network)
}

/// The networks of the directory in the order of their files' names; a warning for every file that gives none.
pub(crate) fn in_file_order(dir: &ConfDir) -> Result<Vec<NetworkConfig>, Error> {
    let Listing { mut networks, shadowed, broken, .. } = dir.list()?;
    for network in shadowed {
        warn(&format!("skipped {}: an earlier file configures network `{}`", file(&network), network.name()));
    }
    broken.iter().for_each(|problem| warn(&format!("skipped {}", Chain(problem))));
    networks.sort_by(|a, b| a.path().cmp(&b.path()));
    Ok(networks)
}

/// Warns of capability arguments that reach no plugin of the network.
pub(crate) fn warn_untaken(network: &NetworkConfig, given: &CapabilityArgs) {
    if !is_like_go() {
        network.untaken(given).iter().for_each(|message| warn(message));
    }
}

/// Refuses a namespace that is not there, or is none, before plugins find out one by one.
pub(crate) fn must_be_there(attachment: &Attachment) -> Result<(), Error> {
    let netns = attachment.netns.as_deref().unwrap_or(Path::new(""));
    match Namespace::open(netns) {
        Err(error) if (error.is_missing() || netns.is_file() || netns.is_dir()) && !is_like_go() => Err(error.into()),
        _ => Ok(()),
    }
}

/// Says so where a verb asks no plugin of the network, which looks like success.
pub(crate) fn note_unasked(network: &NetworkConfig, verb: Command) {
    let has = |has: fn(&Version) -> bool| network.version().is_ok_and(|version| has(&version));
    let (name, version) = (network.name(), network.effective_version());
    let is_disabled = match verb {
        Command::Check => has(Version::has_check),
        Command::Gc => has(Version::has_gc),
        _ => false,
    };
    if !network.verbs().contains(&verb) {
        let why = if is_disabled { "disables" } else { &*format!("has version {version}, which has no") };
        let mut about = Object::new();
        about.set("network", name);
        about.set("verb", verb.as_str());
        note(&format!("network `{name}` {why} {verb}: none of its plugins was asked"), &about);
    }
}

impl Running {
    /// The library for verbs that run plugins and record nothing. A token that is given ends what runs.
    pub(crate) fn cni(&self, cancel: Option<CancelToken>) -> Result<Cni, Invalid> {
        Ok(self.builder(cancel)?.build()?)
    }

    fn builder(&self, cancel: Option<CancelToken>) -> Result<Builder, Invalid> {
        let mut cni = Cni::builder().plugin_dirs(self.dirs.plugin_dirs()).timeout(self.limits.timeout);
        if is_like_go() {
            cni = cni.caution(Caution::AsGo);
        }
        cni = cni
            .on_notice(if self.trace { hear_others } else { hear })
            .on_removal(|removal| note(&removal.to_string(), &removal.to_object()));
        if let Some(token) = cancel {
            cni = cni.cancel(token);
        }
        if let Some(trace) = self.trace()? {
            cni = cni.exec(ObservedExec::new(ProcessExec, move |event| trace.hear(event)));
        }
        Ok(cni)
    }

    /// Where executions are to be written down, if anywhere.
    fn trace(&self) -> Result<Option<Trace>, Invalid> {
        let path = self.trace_file.as_deref();
        if !self.trace && path.is_none() {
            return Ok(None);
        }
        let failed = |source| Invalid::TraceFile { path: path.unwrap_or(Path::new("")).to_owned(), source };
        Trace::new(self.trace, path).map(Some).map_err(failed)
    }
}

impl Records {
    /// The cache alone.
    pub(crate) fn cache(&self) -> Cache {
        self.cache_dir.as_ref().map_or_else(Cache::default, Cache::new)
    }

    /// The same library with the records of this directory.
    pub(crate) fn kept_by(&self, cni: Builder) -> Builder {
        match &self.cache_dir {
            Some(dir) => cni.cache_dir(dir),
            None => cni,
        }
    }
}

impl Host {
    pub(crate) fn cni(&self, cancel: Option<CancelToken>) -> Result<Cni, Invalid> {
        Ok(self.records.kept_by(self.running.builder(cancel)?).lock_timeout(self.lock_timeout).build()?)
    }

    /// The network of a name, at the version that was asked for.
    pub(crate) fn network(&self, cni: &Cni, name: &str) -> Result<NetworkConfig, Error> {
        self.negotiation.negotiated(cni, load(&self.loading.conf_dir(), name)?)
    }
}

impl Negotiation {
    /// A network at the version that was asked for.
    pub(crate) fn negotiated(&self, cni: &Cni, network: NetworkConfig) -> Result<NetworkConfig, Error> {
        if self.negotiate { cni.negotiate(&network) } else { Ok(network) }
    }
}

impl Attached {
    /// The attachment of a namespace.
    pub(crate) fn attachment(&self, netns: &Path) -> Result<Attachment, Invalid> {
        attachment(&self.container, &self.given, netns, self.interface.name_or("eth0")?)
    }
}

/// The attachment of a namespace and an interface.
pub(crate) fn attachment(
    container: &Container,
    given: &Given,
    netns: &Path,
    ifname: IfName,
) -> Result<Attachment, Invalid> {
    // Empty where there is none any more, as a plugin gets it.
    let is_gone = netns.as_os_str().is_empty() && container.container_id.is_some();
    let netns = if is_gone { PathBuf::new() } else { netns::resolve(netns)? };
    let id = match &container.container_id {
        Some(id) => ContainerId::new(id)?,
        None => netns::container_id(&netns),
    };
    let attachment = Attachment::new(id, ifname).netns(netns);
    Ok(attachment.args(given.args()?).capability_args(given.capabilities.capability_args()?))
}
