//! The options of every verb, and what the environment adds to them.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use libcni::runtime::DEFAULT_PLUGIN_DIRS;
use libcni::spec::capability::CapabilityArgs;
use libcni::spec::{CniArgs, ErrorCode, IfName, InvalidArg, InvalidName};

use crate::netns;
use crate::trace::Trace;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Directory of network configurations [env: NETCONFPATH] [default: /etc/cni/net.d]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) conf_dir: Option<PathBuf>,
    /// Directory of plugins; repeat it for more [env: CNI_PATH] [default: /opt/cni/bin, /usr/lib/cni, /usr/libexec/cni]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) plugin_dir: Vec<PathBuf>,
    /// Directory that results are kept in [default: /var/lib/cni]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Container ID [default: derived from the path of the namespace]
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) container_id: Option<String>,
    /// Name of the interface in the namespace [env: CNI_IFNAME] [default: eth0]
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(crate) ifname: Option<String>,
    /// Generic argument for the plugins; repeat it for more [env: CNI_ARGS, as K=V;K2=V2]
    #[arg(long, global = true, value_name = "K=V")]
    pub(crate) arg: Vec<String>,
    /// Capability arguments, a JSON object [env: CAP_ARGS]
    #[arg(long, global = true, value_name = "JSON")]
    pub(crate) cap: Option<String>,
    /// How long each plugin may take, such as 10s, 500ms or 2m
    #[arg(long, global = true, value_name = "TIME", default_value = "25s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// How long to wait for another operation on the same container or network
    #[arg(long, global = true, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(crate) lock_timeout: Duration,
    /// Stop at the first broken configuration file, as the Go cnitool does [env: CNITOOL_COMPAT=go, which also lets `gc`
    /// delete everything unasked]
    #[arg(long, global = true)]
    pub(crate) strict: bool,
    /// Use the highest version that the configuration and all of its plugins support
    #[arg(long, global = true)]
    pub(crate) negotiate: bool,
    /// Show on stderr what each plugin is sent and what it answers
    #[arg(long, global = true)]
    pub(crate) trace: bool,
    /// Append the same to a file, a line of JSON for each plugin
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) trace_file: Option<PathBuf>,
    /// Print for programs: JSON on stdout, and every warning and error as a line of JSON on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Default for Options {
    /// No option at all, and what those with a default have then.
    fn default() -> Self {
        Self {
            conf_dir: None,
            plugin_dir: Vec::new(),
            cache_dir: None,
            container_id: None,
            ifname: None,
            arg: Vec::new(),
            cap: None,
            timeout: Duration::from_secs(25),
            lock_timeout: Duration::from_secs(60),
            strict: false,
            negotiate: false,
            trace: false,
            trace_file: None,
            json: false,
        }
    }
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
    #[error("cannot open the trace file {}: {source}", path.display())]
    TraceFile { path: PathBuf, source: io::Error },
    #[error("{0}")]
    Netns(#[from] netns::Unusable),
}

impl Invalid {
    /// The protocol's code for it.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Name(name) => name.code(),
            Self::TraceFile { .. } => ErrorCode::IO,
            _ => ErrorCode::INVALID_ENVIRONMENT,
        }
    }
}

impl Options {
    pub(crate) fn plugin_dirs(&self) -> Vec<PathBuf> {
        if !self.plugin_dir.is_empty() {
            return self.plugin_dir.clone();
        }
        match variable("CNI_PATH") {
            Some(dirs) => std::env::split_paths(&dirs).collect(),
            None => DEFAULT_PLUGIN_DIRS.map(PathBuf::from).to_vec(),
        }
    }

    /// Where executions are to be written down, if anywhere.
    pub(crate) fn trace(&self) -> Result<Option<Trace>, Invalid> {
        let path = self.trace_file.as_deref();
        if !self.trace && path.is_none() {
            return Ok(None);
        }
        let failed = |source| Invalid::TraceFile { path: path.unwrap_or(Path::new("")).to_owned(), source };
        Trace::new(self.trace, path).map(Some).map_err(failed)
    }

    pub(crate) fn ifname(&self, default: &str) -> Result<IfName, Invalid> {
        let name = self.ifname.clone();
        let name = name.map_or_else(|| text("CNI_IFNAME"), |name| Ok(Some(name)))?;
        Ok(IfName::new(name.unwrap_or_else(|| default.to_owned()))?)
    }

    pub(crate) fn args(&self) -> Result<CniArgs, Invalid> {
        let given = match self.arg.as_slice() {
            [] => text("CNI_ARGS")?.unwrap_or_default(),
            pairs => pairs.join(";"),
        };
        Ok(given.parse()?)
    }

    pub(crate) fn capability_args(&self) -> Result<CapabilityArgs, Invalid> {
        let given = self.cap.clone();
        let given = given.map_or_else(|| text("CAP_ARGS"), |json| Ok(Some(json)))?;
        let parse = |json: String| CapabilityArgs::parse(&json).map_err(Invalid::Capabilities);
        Ok(given.map(parse).transpose()?.unwrap_or_default())
    }
}

/// An environment variable; an empty one counts as unset.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn text(name: &'static str) -> Result<Option<String>, Invalid> {
    let value = variable(name).map(OsString::into_string);
    value.transpose().map_err(|_| Invalid::Environment(name))
}

/// A number with a unit: ms, s (also without a unit) or m.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
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
