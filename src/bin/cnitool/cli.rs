//! The command line, and what the environment adds to it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use libcni::conf::{ConfDir, OnBroken};
use libcni::invoke::CancelToken;
use libcni::runtime::DEFAULT_PLUGIN_DIRS;
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{CniArgs, ContainerId, ErrorCode, IfName, InvalidArg, InvalidName};
use libcni::{Attachment, Cni};

use crate::list::List;
use crate::netns;
use crate::output;
use crate::removal::{Del, Gc};

/// Adds a network namespace to a CNI network, and removes it again
#[derive(Debug, Parser)]
#[command(name = "cnitool", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Add a namespace to a network, and print the result
    Add(Target),
    /// Check that the attachment of a namespace is as `add` left it
    Check(Target),
    /// Remove a namespace from a network
    Del(Del),
    /// Delete the attachments of a network that are not to be kept, and let its plugins clean up
    Gc(Gc),
    /// Ask the plugins of a network whether they could add a container now
    Status(Network),
    /// Show which versions the plugins of a network support, and which one is used
    Versions(Network),
    /// List networks, attachments or plugins
    List(List),
    /// Run a command in a namespace of its own that is added to networks, and take everything back
    Run(Run),
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// All networks of the configuration directory, in the order of their files
    #[arg(long)]
    pub(crate) all: bool,
    /// The networks, as eth0, eth1, …
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub(crate) networks: Vec<String>,
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<OsString>,
}

#[derive(Args, Debug)]
pub(crate) struct Target {
    /// The name of the network
    pub(crate) network: String,
    /// A network namespace: a path, or a name as `ip netns` has it
    netns: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Network {
    /// The name of the network
    pub(crate) network: String,
    /// Accepted for compatibility, and ignored
    #[arg(hide = true)]
    _netns: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct Options {
    /// Directory of network configurations [env: NETCONFPATH] [default: /etc/cni/net.d]
    #[arg(long, global = true, value_name = "DIR")]
    conf_dir: Option<PathBuf>,
    /// Directory of plugins; repeat it for more [env: CNI_PATH] [default: /opt/cni/bin, /usr/lib/cni, /usr/libexec/cni]
    #[arg(long, global = true, value_name = "DIR")]
    plugin_dir: Vec<PathBuf>,
    /// Directory that results are kept in [default: /var/lib/cni]
    #[arg(long, global = true, value_name = "DIR")]
    cache_dir: Option<PathBuf>,
    /// Container ID [default: derived from the path of the namespace]
    #[arg(long, global = true, value_name = "ID")]
    container_id: Option<String>,
    /// Name of the interface in the namespace [env: CNI_IFNAME] [default: eth0]
    #[arg(short, long, global = true, value_name = "NAME")]
    ifname: Option<String>,
    /// Generic argument for the plugins; repeat it for more [env: CNI_ARGS, as K=V;K2=V2]
    #[arg(long, global = true, value_name = "K=V")]
    arg: Vec<String>,
    /// Capability arguments, a JSON object [env: CAP_ARGS]
    #[arg(long, global = true, value_name = "JSON")]
    cap: Option<String>,
    /// How long each plugin may take, such as 10s, 500ms or 2m
    #[arg(long, global = true, value_name = "TIME", default_value = "25s", value_parser = duration)]
    timeout: Duration,
    /// How long to wait for another operation on the same container or network
    #[arg(long, global = true, value_name = "TIME", default_value = "60s", value_parser = duration)]
    lock_timeout: Duration,
    /// Stop at the first broken configuration file, as the Go cnitool does [env: CNITOOL_COMPAT=go, which also lets `gc`
    /// delete everything unasked]
    #[arg(long, global = true)]
    strict: bool,
    /// Use the highest version that the configuration and all of its plugins support
    #[arg(long, global = true)]
    negotiate: bool,
    /// Print for programs: JSON on stdout, and every warning and error as a line of JSON on stderr
    #[arg(long, global = true)]
    json: bool,
}

/// An argument or variable that can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Invalid {
    #[error("environment variable {0} is not UTF-8")]
    Environment(&'static str),
    #[error(transparent)]
    Name(#[from] InvalidName),
    #[error(transparent)]
    Arg(#[from] InvalidArg),
    #[error("capability arguments must be a JSON object: {0}")]
    Capabilities(serde_json::Error),
    #[error("{0}")]
    Netns(#[from] netns::Unusable),
}

impl Invalid {
    /// The protocol's code for it.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Name(name) => name.code(),
            _ => ErrorCode::INVALID_ENVIRONMENT,
        }
    }
}

impl Arguments {
    pub(crate) fn cni(&self, cancel: Option<CancelToken>) -> Cni {
        let options = &self.options;
        let mut cni = Cni::new().plugin_dirs(options.plugin_dirs()).timeout(options.timeout);
        cni = cni.lock_timeout(options.lock_timeout).on_notice(output::hear);
        if let Some(dir) = &options.cache_dir {
            cni = cni.cache_dir(dir);
        }
        if let Some(token) = cancel {
            cni = cni.cancel(token);
        }
        cni
    }

    pub(crate) fn plugin_dirs(&self) -> Vec<PathBuf> {
        self.options.plugin_dirs()
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
        let ifname = ifname.map_or_else(|| options.ifname(), Ok)?;
        let attachment = Attachment::new(id, ifname).netns(netns);
        Ok(attachment.args(options.args()?).capability_args(options.capability_args()?))
    }
}

impl Options {
    fn plugin_dirs(&self) -> Vec<PathBuf> {
        if !self.plugin_dir.is_empty() {
            return self.plugin_dir.clone();
        }
        match variable("CNI_PATH") {
            Some(dirs) => std::env::split_paths(&dirs).collect(),
            None => DEFAULT_PLUGIN_DIRS.map(PathBuf::from).to_vec(),
        }
    }

    fn ifname(&self) -> Result<IfName, Invalid> {
        let name = self.ifname.clone();
        let name = name.map_or_else(|| text("CNI_IFNAME"), |name| Ok(Some(name)))?;
        Ok(IfName::new(name.unwrap_or_else(|| "eth0".to_owned()))?)
    }

    fn args(&self) -> Result<CniArgs, Invalid> {
        let given = match self.arg.as_slice() {
            [] => text("CNI_ARGS")?.unwrap_or_default(),
            pairs => pairs.join(";"),
        };
        Ok(given.parse()?)
    }

    fn capability_args(&self) -> Result<CapabilityArgs, Invalid> {
        let given = self.cap.clone();
        let given = given.map_or_else(|| text("CAP_ARGS"), |json| Ok(Some(json)))?;
        let parse = |json: String| CapabilityArgs::parse(&json).map_err(Invalid::Capabilities);
        Ok(given.map(parse).transpose()?.unwrap_or_default())
    }
}

/// An environment variable; an empty one counts as unset.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn text(name: &'static str) -> Result<Option<String>, Invalid> {
    let value = variable(name).map(OsString::into_string);
    value.transpose().map_err(|_| Invalid::Environment(name))
}

/// A number with a unit: ms, s (also without a unit) or m.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| "it must start with a number".to_owned())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" | "" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        _ => Err(format!("unknown unit `{unit}`: use ms, s or m")),
    }
}
