//! The plugin's configuration, and what arguments change of it.

use std::fmt;
use std::path::PathBuf;

use libcni::link::Link;
use libcni::plugin::{Answer, AttachmentCall, Call};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::mac::{self, Mac};

/// The keys of the reference plugin of the same name, and those of them that arguments may have, too.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// Sysctls by their names, such as `net.ipv4.conf.IFNAME.forwarding`.
    pub(crate) sysctl: Sysctls,
    mac: Option<String>,
    promisc: Option<bool>,
    mtu: Option<u32>,
    allmulti: Option<bool>,
    #[serde(rename = "txQLen")]
    tx_queue_len: Option<u32>,
    args: Args,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Args {
    cni: Option<Box<Config>>,
}

/// Names and values of sysctls, in the order of the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sysctls(Vec<(String, String)>);

/// The settings of an interface to change; `None` for those that stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) mac: Option<Mac>,
    pub(crate) promisc: Option<bool>,
    pub(crate) mtu: Option<u32>,
    pub(crate) allmulti: Option<bool>,
    pub(crate) tx_queue_len: Option<u32>,
}

impl Config {
    pub(crate) fn read(call: &Call) -> Answer<Self> {
        let mut config: Self = call.config.typed()?;
        if let Some(args) = config.args.cni.take() {
            config.sysctl.merge(args.sysctl);
            // Stands apart: it comes before the other ways to ask for an address.
            config.args.cni = Some(Box::new(Self { mac: args.mac, ..Self::default() }));
            config.promisc = args.promisc.or(config.promisc);
            config.mtu = args.mtu.or(config.mtu);
            config.allmulti = args.allmulti.or(config.allmulti);
            config.tx_queue_len = args.tx_queue_len.or(config.tx_queue_len);
        }
        Ok(config)
    }

    /// The changes to the interface of a call, its hardware address by the last of: the configuration,
    /// CNI_ARGS, the capability `mac`, and `args` of the configuration.
    pub(crate) fn settings_for(&self, call: &AttachmentCall) -> Answer<Settings> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Variable {
            #[serde(rename = "MAC")]
            mac: Option<String>,
        }
        let args = self.args.cni.as_ref().and_then(|args| args.mac.clone());
        let capability: Option<String> = call.config.capability("mac")?;
        let variable = call.args::<Variable>()?.mac;
        let asked = [args, capability, variable, self.mac.clone()];
        let mac = asked.into_iter().flatten().find(|mac| !mac.is_empty());
        Ok(Settings {
            mac: mac.map(|mac| mac::parse(&mac)).transpose()?,
            promisc: self.promisc.filter(|is_on| *is_on),
            mtu: self.mtu.filter(|mtu| *mtu > 0),
            allmulti: self.allmulti,
            tx_queue_len: self.tx_queue_len,
        })
    }
}

/// The directory of the previous settings. It is read even if the rest of the configuration is invalid.
pub(crate) fn data_dir(config: &libcni::plugin::Config) -> PathBuf {
    const DEFAULT: &str = "/run/cni/tuning";
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Key {
        data_dir: String,
    }
    let key: Key = config.typed().unwrap_or_default();
    if key.data_dir.is_empty() { DEFAULT.into() } else { key.data_dir.into() }
}

impl Sysctls {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    fn merge(&mut self, others: Self) {
        self.0.retain(|(key, _)| !others.0.iter().any(|(other, _)| other == key));
        self.0.extend(others.0);
    }
}

impl<'de> Deserialize<'de> for Sysctls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SysctlsVisitor)
    }
}

struct SysctlsVisitor;

impl<'de> Visitor<'de> for SysctlsVisitor {
    type Value = Sysctls;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of sysctls")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sysctls, A::Error> {
        let mut sysctls = Vec::<(String, String)>::new();
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            if sysctls.iter().any(|(other, _)| *other == key) {
                return Err(A::Error::custom(format!("duplicated sysctl `{key}`")));
            }
            sysctls.push((key, value));
        }
        Ok(Sysctls(sysctls))
    }
}

impl Settings {
    pub(crate) fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// The values that a link has of those settings that are to be different.
    pub(crate) fn of(changed: &Self, link: &Link) -> Self {
        Self {
            mac: changed.mac.and_then(|_| mac::of(link)),
            promisc: changed.promisc.map(|_| link.is_promiscuous),
            mtu: changed.mtu.map(|_| link.mtu),
            allmulti: changed.allmulti.map(|_| link.is_all_multicast),
            tx_queue_len: changed.tx_queue_len.map(|_| link.tx_queue_len),
        }
    }
}
