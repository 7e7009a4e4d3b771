//! The plugin's configuration, checked.

use std::net::IpAddr;

use libcni::plugin::{Answer, Call};
use serde::Deserialize;

use crate::invalid::invalid;
use crate::nft::family::Family;
use crate::portmap::condition::{self, Condition, Language};
use crate::portmap::mapping::Mapping;

/// The keys of the reference plugin of the same name.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    snat: Option<bool>,
    masq_all: Option<bool>,
    #[serde(rename = "conditionsV4")]
    conditions_v4: Option<Vec<String>>,
    #[serde(rename = "conditionsV6")]
    conditions_v6: Option<Vec<String>>,
    backend: Option<String>,
    mark_masq_bit: Option<i64>,
    external_set_mark_chain: Option<String>,
}

/// The work beside mapping ports.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) masquerade: Masquerade,
    conditions_v4: Vec<Condition>,
    conditions_v6: Vec<Condition>,
}

/// Which connections to a mapped port get the host's address as their source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Masquerade {
    /// None.
    Nothing,
    /// Those whose answers would not come back this way otherwise: from the container's own network, and from the
    /// host's loopback addresses.
    Near,
    /// Every one.
    Everything,
}

/// Checks the configuration of a call that maps no ports: conditions are for those that do.
pub(crate) fn check(call: &Call) -> Answer {
    Written::read(call).map(drop)
}

impl Config {
    pub(crate) fn read(call: &Call) -> Answer<Self> {
        let written = Written::read(call)?;
        let conditions = |key, tokens: &Option<Vec<String>>, family| {
            condition::parse(key, tokens.as_deref().unwrap_or_default(), family)
        };
        Ok(Self {
            masquerade: written.masquerade(),
            conditions_v4: conditions("conditionsV4", &written.conditions_v4, Family::V4)?,
            conditions_v6: conditions("conditionsV6", &written.conditions_v6, Family::V6)?,
        })
    }

    /// A condition on connections to a mapped port.
    pub(crate) fn conditions(&self, family: Family) -> &[Condition] {
        match family {
            Family::V4 => &self.conditions_v4,
            Family::V6 => &self.conditions_v6,
        }
    }
}

impl Config {
    /// The sets of others that are looked up for mappings, each with the key that names it.
    pub(crate) fn sets(&self, mappings: &[Mapping]) -> impl Iterator<Item = (&'static str, &str)> {
        let keys = [(Family::V4, "conditionsV4"), (Family::V6, "conditionsV6")];
        let asked = keys.into_iter().filter(|(family, _)| mappings.iter().any(|mapping| mapping.family() == *family));
        let sets: Vec<_> = asked
            .flat_map(|(family, key)| {
                self.conditions(family).iter().flat_map(Condition::sets).map(move |set| (key, set))
            })
            .collect();
        sets.into_iter()
    }

    /// The address of the container that 127.0.0.1 leads to, if any of its ports may be reached that way.
    pub(crate) fn reached_by_loopback(&self, mappings: &[Mapping]) -> Option<IpAddr> {
        let mut containers = mappings.iter().map(|mapping| mapping.container.addr());
        containers.find(IpAddr::is_ipv4).filter(|_| self.masquerade != Masquerade::Nothing)
    }
}

impl Written {
    fn read(call: &Call) -> Answer<Self> {
        let written: Self = call.config.typed()?;
        written.check()?;
        written.check_backend()?;
        Ok(written)
    }

    fn masquerade(&self) -> Masquerade {
        match (self.snat.unwrap_or(true), self.masq_all.unwrap_or(false)) {
            (false, _) => Masquerade::Nothing,
            (true, false) => Masquerade::Near,
            (true, true) => Masquerade::Everything,
        }
    }

    /// The keys that have no effect here are checked as well: a mistake in them is one wherever the list is used.
    fn check(&self) -> Answer {
        if self.mark_masq_bit.is_some() && self.external_set_mark_chain.is_some() {
            return Err(invalid("`markMasqBit` and `externalSetMarkChain` can't be set together"));
        }
        match self.mark_masq_bit {
            Some(bit) if !(0..32).contains(&bit) => {
                Err(invalid(format!("invalid `markMasqBit` {bit}: it must be between 0 and 31")))
            }
            _ => Ok(()),
        }
    }

    /// Without `backend` the syntax of each list of conditions shows which backend it is for.
    fn check_backend(&self) -> Answer {
        let Some(backend) = self.backend.as_deref() else { return Ok(()) };
        let asked = match backend {
            "iptables" => Language::Iptables,
            "nftables" => Language::Nft,
            _ => return Err(invalid(format!("unknown `backend` `{backend}`: it is `iptables` or `nftables`"))),
        };
        let language = |words: &Option<Vec<String>>| words.as_deref().and_then(condition::language);
        let keys = [
            ("externalSetMarkChain", self.external_set_mark_chain.as_ref().map(|_| Language::Iptables)),
            ("conditionsV4", language(&self.conditions_v4)),
            ("conditionsV6", language(&self.conditions_v6)),
        ];
        let wrong: Vec<_> =
            keys.iter().filter(|(_, is)| is.is_some_and(|is| is != asked)).map(|(key, _)| *key).collect();
        if wrong.is_empty() {
            return Ok(());
        }
        Err(invalid(format!("`backend` is `{backend}`, which these keys are not for: {}", wrong.join(", "))))
    }
}
