//! The plugin's configuration, and what the call adds to it.

use libcni::link::{Handle, Link, MacvlanMode};
use libcni::plugin::{Answer, AttachmentCall, Call, Failure};
use libcni::spec::Dns;
use serde::Deserialize;

use crate::invalid::invalid;
use crate::mac::{self, Mac};

/// The keys of the reference plugin of the same name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    master: String,
    mode: String,
    mtu: i64,
    mac: String,
    #[serde(rename = "linkInContainer")]
    link_in_container: bool,
    bcqueuelen: u32,
    dns: Dns,
}

/// The settings of the interface.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The link below it; that of the default route when `None`.
    pub(crate) master: Option<String>,
    pub(crate) mode: MacvlanMode,
    /// True if the link below it is in the container, too.
    pub(crate) link_in_container: bool,
    /// How many broadcasts may wait; the kernel's choice when `None`.
    pub(crate) broadcast_queue: Option<u32>,
    pub(crate) dns: Dns,
    mtu: i64,
    mac: String,
}

impl Config {
    pub(crate) fn read(call: &Call) -> Answer<Self> {
        let written: Written = call.config.typed()?;
        let mode = match &*written.mode {
            "" | "bridge" => MacvlanMode::Bridge,
            "private" => MacvlanMode::Private,
            "vepa" => MacvlanMode::Vepa,
            "passthru" => MacvlanMode::Passthru,
            other => {
                let known = "`bridge`, `private`, `vepa` and `passthru` are known";
                return Err(invalid(format!("macvlan: unknown `mode` `{other}`: {known}")));
            }
        };
        if !written.master.is_empty() && libcni::spec::IfName::new(&*written.master).is_err() {
            return Err(invalid(format!("macvlan: `master` `{}` is not the name of a link", written.master)));
        }
        Ok(Self {
            master: Some(written.master).filter(|master| !master.is_empty()),
            mode,
            link_in_container: written.link_in_container,
            broadcast_queue: Some(written.bcqueuelen).filter(|length| *length > 0),
            dns: written.dns,
            mtu: written.mtu,
            mac: written.mac,
        })
    }

    /// The MTU; that of the link below when `None`.
    pub(crate) fn mtu(&self, master: &Link) -> Answer<Option<u32>> {
        match u32::try_from(self.mtu) {
            Ok(0) => Ok(None),
            Ok(mtu) if mtu <= master.mtu => Ok(Some(mtu)),
            _ => {
                let Link { name, mtu, .. } = master;
                let msg = format!("macvlan: invalid `mtu` {}: `{name}` below it allows at most {mtu}", self.mtu);
                Err(invalid(msg))
            }
        }
    }

    /// The hardware address that is asked for: by capability, or else by CNI_ARGS, or else by the configuration.
    pub(crate) fn mac(&self, call: &AttachmentCall) -> Answer<Option<Mac>> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Variable {
            #[serde(rename = "MAC")]
            mac: Option<String>,
        }
        let capability: Option<String> = call.config.capability("mac")?;
        let asked = [capability, call.args::<Variable>()?.mac, Some(self.mac.clone())];
        let asked = asked.into_iter().flatten().find(|mac| !mac.is_empty());
        asked.map(|mac| mac::parse(&mac)).transpose()
    }

    /// The link below, in the namespace where it is.
    pub(crate) fn master(&self, handle: &mut Handle) -> Answer<Link> {
        let place = if self.link_in_container { "the container" } else { "the host" };
        let Some(name) = &self.master else {
            let link = handle.default_route()?.and_then(|route| route.link);
            let found = link.map(|index| handle.link_at(index)).transpose()?.flatten();
            let missing = || format!("macvlan: no `master` is given, and {place} has no default route to take it from");
            return found.ok_or_else(|| Failure::internal(missing()));
        };
        let missing = || Failure::internal(format!("macvlan: `master`: {place} has no link `{name}`"));
        handle.link(name)?.ok_or_else(missing)
    }
}
