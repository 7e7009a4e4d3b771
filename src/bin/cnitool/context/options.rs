//! The options that several verbs have, in groups: each verb has those that it uses.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use libcni::spec::duration;

/// Which networks there are.
#[derive(Args, Debug, Default)]
pub(crate) struct Configurations {
    /// Directory of network configurations [env: NETCONFPATH] [default: /etc/cni/net.d]
    #[arg(long, value_name = "DIR")]
    pub(crate) conf_dir: Option<PathBuf>,
}

/// How a network is taken from its file.
#[derive(Args, Debug, Default)]
pub(crate) struct Loading {
    #[command(flatten)]
    pub(crate) configurations: Configurations,
    /// Stop at the first broken configuration file, as the Go cnitool does [env: CNITOOL_COMPAT=go]
    #[arg(long)]
    pub(crate) strict: bool,
}

/// Where plugins are.
#[derive(Args, Debug, Default)]
pub(crate) struct PluginDirs {
    /// Directory of plugins; repeat it for more [env: CNI_PATH] [default: /opt/cni/bin, /usr/lib/cni, /usr/libexec/cni]
    #[arg(long, value_name = "DIR")]
    pub(crate) plugin_dir: Vec<PathBuf>,
}

/// How plugins are run.
#[derive(Args, Debug)]
pub(crate) struct Running {
    #[command(flatten)]
    pub(crate) dirs: PluginDirs,
    #[command(flatten)]
    pub(crate) limits: Limits,
    /// Show on stderr what each plugin is sent and what it answers
    #[arg(long)]
    pub(crate) trace: bool,
    /// Append the same to a file that only this user may read, a line of JSON for each plugin
    #[arg(long, value_name = "FILE")]
    pub(crate) trace_file: Option<PathBuf>,
}

/// The limits of one execution.
#[derive(Args, Debug)]
pub(crate) struct Limits {
    /// How long each plugin may take, such as 10s, 500ms or 1m30s
    #[arg(long, value_name = "TIME", default_value = "25s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// Where attachments are recorded.
#[derive(Args, Debug, Default)]
pub(crate) struct Records {
    /// Directory that keeps results [default: /var/lib/cni]
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// Which host a verb works on that changes something: all of the above.
#[derive(Args, Debug)]
pub(crate) struct Host {
    #[command(flatten)]
    pub(crate) loading: Loading,
    #[command(flatten)]
    pub(crate) running: Running,
    #[command(flatten)]
    pub(crate) records: Records,
    /// How long to wait for another operation on the same container or network
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(crate) lock_timeout: Duration,
    #[command(flatten)]
    pub(crate) negotiation: Negotiation,
    #[command(flatten)]
    notes: Notes,
}

/// The messages other than warnings and errors.
#[derive(Args, Debug, Default)]
pub(crate) struct Notes {
    /// Leave out the notes on stderr about removed attachments and about verbs that asked no plugin
    #[arg(long)]
    quiet: bool,
}

/// Which version of the specification a verb speaks.
#[derive(Args, Debug, Default)]
pub(crate) struct Negotiation {
    /// Use the highest version that the configuration and all of its plugins support
    #[arg(long)]
    pub(crate) negotiate: bool,
}

/// The container.
#[derive(Args, Debug, Default)]
pub(crate) struct Container {
    /// Container ID [default: derived from the path of the namespace]
    #[arg(long, value_name = "ID")]
    pub(crate) container_id: Option<String>,
}

/// The interface of the container.
#[derive(Args, Debug, Default)]
pub(crate) struct Interface {
    /// Name of the interface in the namespace [env: CNI_IFNAME] [default: eth0]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) ifname: Option<String>,
}

/// The environment and input of plugins for a container.
#[derive(Args, Debug, Default)]
pub(crate) struct Given {
    /// Generic argument for the plugins; repeat it for more [env: CNI_ARGS, as K=V;K2=V2]
    #[arg(long, value_name = "K=V")]
    pub(crate) arg: Vec<String>,
    #[command(flatten)]
    pub(crate) capabilities: Capabilities,
}

/// The values that only plugins with a capability get.
#[derive(Args, Debug, Default)]
pub(crate) struct Capabilities {
    /// Capability arguments, a JSON object [env: CAP_ARGS]
    #[arg(long, value_name = "JSON")]
    pub(crate) cap: Option<String>,
}

/// One attachment, without its network and its namespace.
#[derive(Args, Debug, Default)]
pub(crate) struct Attached {
    #[command(flatten)]
    pub(crate) container: Container,
    #[command(flatten)]
    pub(crate) interface: Interface,
    #[command(flatten)]
    pub(crate) given: Given,
}

/// Who reads the output.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Output {
    /// Print for programs: JSON on stdout, and every warning and error as a line of JSON on stderr
    #[arg(long)]
    pub(crate) json: bool,
}

/// Everything that may stand in front of the verb.
#[derive(Args, Debug)]
pub(crate) struct Settings {
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    attached: Attached,
    #[command(flatten)]
    output: Output,
}
