//! The command line: the verbs, and what the library gets of the arguments.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use libcni::CancelToken;
use libcni::conf::{ConfDir, OnBroken};
use libcni::invoke::{ObservedExec, ProcessExec};
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{CniArgs, ContainerId, IfName};
use libcni::{Attachment, Cni};

use crate::conformance::Conformance;
use crate::inspect::Inspect;
use crate::list::List;
use crate::manual::{Completions, Man};
use crate::netns;
use crate::options::{Invalid, Options, variable};
use crate::output;
use crate::removal::{Del, Gc};
use crate::run::Run;
use crate::validate::Validate;

/// Adds a network namespace to a CNI network, and removes it again
#[derive(Debug, Parser)]
#[command(name = "cnitool", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    #[command(flatten)]
    pub(crate) options: Options,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Add a namespace to a network, and print the result
    Add(Add),
    /// Check that the attachment of a namespace is as `add` left it
    Check(Target),
    /// Remove a namespace from a network
    Del(Del),
    /// Delete the attachments of a network that are not to be kept, and let its plugins clean up
    Gc(Gc),
    /// Ask the plugins of a network whether they could add a container now
    Status(Network),
    /// Show all there is to know about a network or an attachment
    Inspect(Inspect),
    /// Check that networks can be used: files, plugins, versions; fails when anything is wrong
    Validate(Validate),
    /// Show which versions the plugins of a network support, and which one is used
    Versions(Network),
    /// List networks, attachments or plugins
    List(List),
    /// Run a command in a namespace of its own that is added to networks, and take everything back
    ///
    /// For an ordinary user it makes a host of namespaces, in which that user is root: networks work among themselves, and
    /// lead nowhere else. The exit status is that of the command, or 128 and the signal that ended it.
    Run(Run),
    /// Print completions for a shell
    Completions(Completions),
    /// Print a manual page, in the form that `man` reads
    Man(Man),
    /// Check a plugin, in any language, against the specification
    ///
    /// Each check is made on a host of its own, which namespaces make: nothing reaches the network of this host or
    /// outlives the tool. As root, or where users may have namespaces. Exit status: 0 when no check fails, 1 when one
    /// does, 2 when nothing was checked.
    Conformance(Conformance),
}

#[derive(Args, Debug)]
pub(crate) struct Add {
    #[command(flatten)]
    pub(crate) target: Target,
    /// When adding fails, remove what it may have added
    #[arg(long)]
    pub(crate) rollback: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Target {
    /// The name of the network
    pub(crate) network: String,
    /// A network namespace: a path, or a name as `ip netns` has it
    pub(crate) netns: PathBuf,
    /// Show what each plugin would be sent, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Network {
    /// The name of the network
    pub(crate) network: String,
    /// Accepted for compatibility, and ignored
    #[arg(hide = true)]
    _netns: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn cni(&self, cancel: Option<CancelToken>) -> Result<Cni, Invalid> {
        let options = &self.options;
        let mut cni = Cni::new().plugin_dirs(options.plugin_dirs()).timeout(options.timeout);
        let hear = if options.trace { output::hear_others } else { output::hear };
        cni = cni.lock_timeout(options.lock_timeout).on_notice(hear);
        if let Some(dir) = &options.cache_dir {
            cni = cni.cache_dir(dir);
        }
        if let Some(token) = cancel {
            cni = cni.cancel(token);
        }
        if let Some(trace) = options.trace()? {
            cni = cni.exec(ObservedExec::new(ProcessExec, move |event| trace.hear(event)));
        }
        Ok(cni)
    }

    pub(crate) fn plugin_dirs(&self) -> Vec<PathBuf> {
        self.options.plugin_dirs()
    }

    pub(crate) fn capability_args(&self) -> Result<CapabilityArgs, Invalid> {
        self.options.capability_args()
    }

    pub(crate) fn negotiates(&self) -> bool {
        self.options.negotiate
    }

    /// Whether stdout is for a program.
    pub(crate) fn json(&self) -> bool {
        self.options.json
    }

    pub(crate) fn conf_dir(&self) -> ConfDir {
        let dir = self.options.conf_dir.clone();
        let dir = dir.or_else(|| variable("NETCONFPATH").map(PathBuf::from));
        let on_broken = if self.options.strict || self.is_like_go() { OnBroken::Stop } else { OnBroken::Skip };
        dir.map_or_else(ConfDir::default, ConfDir::new).on_broken(on_broken)
    }

    /// Whether recorded behaviour of the Go tool is wanted where this one is more careful: CNITOOL_COMPAT is `go`.
    pub(crate) fn is_like_go(&self) -> bool {
        variable("CNITOOL_COMPAT").is_some_and(|like| like == "go")
    }

    pub(crate) fn attachment(&self, target: &Target) -> Result<Attachment, Invalid> {
        self.attachment_in(&target.netns, None)
    }

    /// The attachment of a namespace, with an interface name of its own where one is given.
    pub(crate) fn attachment_in(&self, netns: &Path, ifname: Option<IfName>) -> Result<Attachment, Invalid> {
        let options = &self.options;
        // Empty where there is none any more, as a plugin gets it.
        let netns = match netns.as_os_str().is_empty() && options.container_id.is_some() {
            true => String::new(),
            false => netns::resolve(netns)?,
        };
        let id = match &options.container_id {
            Some(id) => ContainerId::new(id)?,
            None => netns::container_id(&netns),
        };
        let ifname = ifname.map_or_else(|| options.ifname("eth0"), Ok)?;
        let attachment = Attachment::new(id, ifname).netns(netns);
        Ok(attachment.args(options.args()?).capability_args(options.capability_args()?))
    }

    /// The name of the interface, and the one for when nobody gave any.
    pub(crate) fn ifname(&self, default: &str) -> Result<IfName, Invalid> {
        self.options.ifname(default)
    }

    pub(crate) fn generic_args(&self) -> Result<CniArgs, Invalid> {
        self.options.args()
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.options.timeout
    }
}
