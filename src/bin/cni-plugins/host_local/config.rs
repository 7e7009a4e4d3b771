//! The addresses that are asked for: `ipam` of the configuration, capability arguments and CNI_ARGS.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use libcni::plugin::{AttachmentCall, Config};
use libcni::spec::{ErrorCode, ErrorReply, IpNet, Route, Version};
use serde::Deserialize;

use crate::host_local::range::RangeConfig;
use crate::host_local::range_set::RangeSet;

const DEFAULT_DATA_DIR: &str = "/var/lib/cni/networks";

/// The configuration, as much as every verb needs.
#[derive(Debug, Deserialize)]
struct LocationConfig {
    ipam: Option<Location>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Location {
    data_dir: PathBuf,
}

/// The directory of a network's reservations.
pub(crate) fn store_dir(config: &Config) -> Result<PathBuf, ErrorReply> {
    let location = config.typed::<LocationConfig>()?.ipam.ok_or_else(|| no_ipam(config))?;
    let data_dir =
        if location.data_dir.as_os_str().is_empty() { Path::new(DEFAULT_DATA_DIR) } else { &location.data_dir };
    Ok(data_dir.join(config.name().as_str()))
}

fn no_ipam(config: &Config) -> ErrorReply {
    invalid(format!("the configuration of network `{}` has no `ipam`", config.name()))
}

fn invalid(msg: String) -> ErrorReply {
    ErrorReply::new(ErrorCode::INVALID_NETWORK_CONFIG, msg)
}

/// The configuration of ADD, as written.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    ipam: Option<WrittenIpam>,
    runtime_config: RuntimeConfig,
    args: Args,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WrittenIpam {
    ranges: Vec<Vec<RangeConfig>>,
    routes: Vec<Route>,
    resolv_conf: PathBuf,
}

/// The form of configurations from before there were `ranges`: one range, directly in `ipam`. Not flattened into the
/// other, since serde then finds keys in one case only.
#[derive(Debug, Deserialize)]
struct WrittenSingle {
    ipam: RangeConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RuntimeConfig {
    ip_ranges: Vec<Vec<RangeConfig>>,
    ips: Vec<Requested>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Args {
    cni: CniArgs,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CniArgs {
    ips: Vec<Requested>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EnvironmentArgs {
    #[serde(rename = "IP", alias = "ip")]
    ip: Requested,
}

/// A requested address, with or without a prefix, which the range has its own of; none when the text is empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
struct Requested(Option<IpAddr>);

impl TryFrom<String> for Requested {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let address = || text.parse().or_else(|e| text.parse::<IpNet>().map(|net| net.addr()).map_err(|_| e));
        match text.as_str() {
            "" => Ok(Self(None)),
            _ => address().map(|a: IpAddr| Self(Some(a.to_canonical()))).map_err(|e| format!("`{text}`: {e}")),
        }
    }
}

/// The request to the plugin, checked.
#[derive(Debug)]
pub(crate) struct Ipam {
    pub(crate) sets: Vec<RangeSet>,
    pub(crate) routes: Vec<Route>,
    pub(crate) resolv_conf: Option<PathBuf>,
    requested: Vec<IpAddr>,
}

impl Ipam {
    pub(crate) fn read(config: &Config) -> Result<Self, ErrorReply> {
        let written: Written = config.typed()?;
        let ipam = written.ipam.ok_or_else(|| no_ipam(config))?;
        let (runtime, args) = (written.runtime_config, written.args.cni);
        let single = config.typed::<WrittenSingle>()?.ipam;
        let single = single.subnet.is_some().then(|| vec![single]);
        // In this order: the index of a set names the file of its last address.
        let sets = runtime.ip_ranges.into_iter().chain(single).chain(ipam.ranges);
        let sets = range_sets(&sets.collect::<Vec<_>>(), config.version())?;
        let requested = args.ips.into_iter().chain(runtime.ips).filter_map(|requested| requested.0);
        let resolv_conf = Some(ipam.resolv_conf).filter(|path| !path.as_os_str().is_empty());
        Ok(Self { sets, routes: ipam.routes, resolv_conf, requested: requested.collect() })
    }

    /// The addresses asked for, each once: by CNI_ARGS, by `args` and by the capability.
    pub(crate) fn requested(&self, call: &AttachmentCall) -> Result<Vec<IpAddr>, ErrorReply> {
        let args: EnvironmentArgs =
            call.args().map_err(|e| ErrorReply::new(ErrorCode::INVALID_ENVIRONMENT, e.to_string()))?;
        let mut requested = Vec::new();
        for address in args.ip.0.iter().chain(&self.requested) {
            if !requested.contains(address) {
                requested.push(*address);
            }
        }
        Ok(requested)
    }
}

fn range_sets(written: &[Vec<RangeConfig>], version: &Version) -> Result<Vec<RangeSet>, ErrorReply> {
    let set = |(index, ranges): (usize, &Vec<_>)| {
        RangeSet::new(ranges).map_err(|e| invalid(format!("invalid range set {index}: {e}")))
    };
    let sets = written.iter().enumerate().map(set).collect::<Result<Vec<_>, _>>()?;
    if sets.is_empty() {
        return Err(invalid("`ipam` has no ranges to allocate from".to_owned()));
    }
    for (i, set) in sets.iter().enumerate() {
        for (j, other) in sets.iter().enumerate().skip(i + 1) {
            let overlap = |e| invalid(format!("range sets {i} and {j} overlap: {e}"));
            set.refuse_overlap(other).map_err(overlap)?;
        }
    }
    let v4 = sets.iter().filter(|set| set.is_ipv4()).count();
    if *version < Version::V0_3_0 && (v4 > 1 || sets.len() - v4 > 1) {
        return Err(invalid(format!("CNI version {version} does not support more than 1 address per family")));
    }
    Ok(sets)
}
