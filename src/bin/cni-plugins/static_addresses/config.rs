//! The addresses to hand out: from `ipam` of the configuration, CNI_ARGS, `args` and the capability `ips`.

use std::net::IpAddr;

use libcni::plugin::{Answer, AttachmentCall, Call, Failure};
use libcni::spec::{Dns, ErrorCode, IpNet, Route, Version};
use serde::Deserialize;

use crate::invalid::invalid;
use crate::reachable::must_be_reachable;

/// The configuration, as written. Addresses are texts: what is wrong with them is said as the reference plugin does,
/// since programs compare it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    ipam: Option<WrittenIpam>,
    runtime_config: Asked,
    args: Args,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WrittenIpam {
    addresses: Vec<WrittenAddress>,
    routes: Vec<Route>,
    dns: Dns,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WrittenAddress {
    address: String,
    gateway: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Args {
    cni: Asked,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    ips: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Variables {
    #[serde(rename = "IP")]
    ip: String,
    #[serde(rename = "GATEWAY")]
    gateway: String,
}

/// An address to hand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) address: IpNet,
    pub(crate) gateway: Option<IpAddr>,
}

/// The addresses that are handed out.
#[derive(Debug)]
pub(crate) struct Ipam {
    pub(crate) addresses: Vec<Given>,
    pub(crate) routes: Vec<Route>,
    pub(crate) dns: Dns,
}

impl Ipam {
    pub(crate) fn read(call: &AttachmentCall) -> Answer<Self> {
        Self::with(call, &call.args()?)
    }

    fn with(call: &Call, variables: &Variables) -> Answer<Self> {
        let written: Written = call.config.typed()?;
        let ipam = written.ipam.ok_or_else(|| invalid("IPAM config missing 'ipam' key"))?;
        let further = variables.addresses()?;
        let asked = [&written.runtime_config.ips, &written.args.cni.ips].into_iter().find(|ips| !ips.is_empty());
        let addresses = match asked {
            Some(asked) => asked.iter().map(|text| asked_for(text)).collect::<Answer<_>>()?,
            None => {
                let own = ipam.addresses.iter().map(WrittenAddress::read).collect::<Answer<Vec<_>>>()?;
                variables.with_gateways([own, further].concat())?
            }
        };
        refuse_too_many(&addresses, call.config.version())?;
        addresses.iter().try_for_each(|given| must_be_reachable("static", given.address))?;
        Ok(Self { addresses, routes: ipam.routes, dns: ipam.dns })
    }
}

/// Says whether the configuration could be used, without what only an attachment has.
pub(crate) fn check(call: &Call) -> Answer {
    Ipam::with(call, &Variables::default()).map(drop)
}

impl WrittenAddress {
    fn read(&self) -> Answer<Given> {
        let Self { address, gateway } = self;
        let no_cidr = || invalid(format!("the 'address' field is expected to be in CIDR notation, got: '{address}'"));
        let no_gateway = || invalid(format!("static: `gateway` `{gateway}` of address {address} is not an address"));
        let gateway = (!gateway.is_empty()).then(|| gateway.parse().map_err(|_| no_gateway()));
        Ok(Given { address: address.parse().map_err(|_| no_cidr())?, gateway: gateway.transpose()? })
    }
}

fn asked_for(text: &str) -> Answer<Given> {
    let no_cidr = |_| invalid(format!("an entry in the 'ips' field is NOT in CIDR notation, got: '{text}'"));
    Ok(Given { address: text.parse().map_err(no_cidr)?, gateway: None })
}

impl Variables {
    fn addresses(&self) -> Answer<Vec<Given>> {
        let of_environment = |msg| Failure::new(ErrorCode::INVALID_ENVIRONMENT, msg);
        let read = |text: &str| {
            let msg = format!("the 'ip' field is expected to be in CIDR notation, got: '{text}'");
            Ok(Given { address: text.parse().map_err(|_| of_environment(msg))?, gateway: None })
        };
        words(&self.ip).map(read).collect()
    }

    /// Gives each gateway to the addresses of its network.
    fn with_gateways(&self, mut addresses: Vec<Given>) -> Answer<Vec<Given>> {
        for text in words(&self.gateway) {
            let invalid = |_| Failure::new(ErrorCode::INVALID_ENVIRONMENT, format!("invalid gateway address: {text}"));
            let gateway: IpAddr = text.parse().map_err(invalid)?;
            let of_network = |given: &&mut Given| {
                IpNet::new(gateway, given.address.prefix()).is_some_and(|net| net.network() == given.address.network())
            };
            addresses.iter_mut().filter(of_network).for_each(|given| given.gateway = Some(gateway));
        }
        Ok(addresses)
    }
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|_| !list.is_empty())
}

fn refuse_too_many(addresses: &[Given], version: &Version) -> Answer {
    let v4 = addresses.iter().filter(|given| given.address.is_ipv4()).count();
    if *version < Version::V0_3_0 && (v4 > 1 || addresses.len() - v4 > 1) {
        return Err(invalid(format!("CNI version {version} does not support more than 1 address per family")));
    }
    Ok(())
}
