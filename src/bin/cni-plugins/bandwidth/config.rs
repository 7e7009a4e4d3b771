//! The plugin's configuration: rates of the configuration itself, or else those that the runtime asks for.

use std::time::Duration;

use libcni::link::{Shaped, TokenBucket};
use libcni::plugin::{Answer, Call};
use libcni::spec::IpNet;
use serde::Deserialize;

use crate::invalid::invalid;

/// The keys of the reference plugin of the same name, in the configuration and in the capability `bandwidth`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    ingress_rate: Option<u64>,
    ingress_burst: Option<u64>,
    egress_rate: Option<u64>,
    egress_burst: Option<u64>,
    unshaped_subnets: Option<Vec<IpNet>>,
    shaped_subnets: Option<Vec<IpNet>>,
}

/// The traffic that is limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Traffic to the container.
    pub(crate) ingress: Option<TokenBucket>,
    /// Traffic from the container.
    pub(crate) egress: Option<TokenBucket>,
    unshaped: Vec<IpNet>,
    shaped: Vec<IpNet>,
}

/// How long a packet may wait for its turn before it is dropped.
const LATENCY: Duration = Duration::from_millis(25);

impl Limits {
    pub(crate) fn read(call: &Call) -> Answer<Self> {
        let written: Written = call.config.typed()?;
        let asked: Written = call.config.capability("bandwidth")?.unwrap_or_default();
        let rates = if written.has_rates() { &written } else { &asked };
        let subnets = |own: &Option<Vec<IpNet>>, asked: &Option<Vec<IpNet>>| {
            own.clone().or_else(|| asked.clone()).unwrap_or_default()
        };
        let limits = Self {
            ingress: bucket("ingress", rates.ingress_rate, rates.ingress_burst)?,
            egress: bucket("egress", rates.egress_rate, rates.egress_burst)?,
            unshaped: subnets(&written.unshaped_subnets, &asked.unshaped_subnets),
            shaped: subnets(&written.shaped_subnets, &asked.shaped_subnets),
        };
        if !limits.unshaped.is_empty() && !limits.shaped.is_empty() {
            return Err(invalid("bandwidth: `unshapedSubnets` and `shapedSubnets` can't be set together"));
        }
        Ok(limits)
    }

    pub(crate) fn are_none(&self) -> bool {
        self.ingress.is_none() && self.egress.is_none()
    }

    /// The packets that are limited.
    pub(crate) fn shaped(&self) -> Shaped<'_> {
        match (self.unshaped.as_slice(), self.shaped.as_slice()) {
            ([], []) => Shaped::All,
            ([], shaped) => Shaped::Only(shaped),
            (unshaped, _) => Shaped::AllBut(unshaped),
        }
    }
}

impl Written {
    fn has_rates(&self) -> bool {
        [self.ingress_rate, self.ingress_burst, self.egress_rate, self.egress_burst].iter().any(Option::is_some)
    }
}

/// The limit of a direction, from bits; `None` without.
fn bucket(direction: &str, rate: Option<u64>, burst: Option<u64>) -> Answer<Option<TokenBucket>> {
    let (rate, burst) = (rate.unwrap_or_default(), burst.unwrap_or_default());
    match (rate, burst) {
        (0, 0) => return Ok(None),
        // Word for word as the reference plugin says it: programs compare it.
        (_, 0) => return Err(invalid("if rate is set, burst must also be set")),
        (0, _) => return Err(invalid("if burst is set, rate must also be set")),
        _ => {}
    }
    if burst / 8 >= u64::from(u32::MAX) {
        return Err(invalid(format!("bandwidth: `{direction}Burst` {burst} is 4 GB or more")));
    }
    for (key, bits) in [("Rate", rate), ("Burst", burst)] {
        if bits < 8 {
            return Err(invalid(format!("bandwidth: `{direction}{key}` {bits} is less than one byte: it counts bits")));
        }
    }
    Ok(Some(TokenBucket::new(rate / 8, u32::try_from(burst / 8).unwrap_or(u32::MAX), LATENCY)))
}

#[cfg(test)]
mod tests {
    use libcni::plugin::{Input, Outcome, dispatch};
    use libcni::spec::Command;
    use serde_json::{Value, json};

    use crate::bandwidth::Bandwidth;

    fn status(keys: Value) -> Outcome {
        let mut config = json!({"cniVersion": "1.1.0", "name": "net", "type": "bandwidth"});
        config.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        dispatch(&Bandwidth, Input::call(Command::Status, config.to_string()))
    }

    #[test]
    fn what_can_not_be_a_limit_is_refused() {
        for (keys, said) in [
            (json!({"ingressRate": 8}), "if rate is set, burst must also be set"),
            (json!({"EGRESSburst": 8}), "if burst is set, rate must also be set"),
            (json!({"ingressRate": 7, "ingressBurst": 8}), "`ingressRate` 7 is less than one byte"),
            (json!({"egressRate": 8, "egressBurst": 34_359_738_360_u64}), "`egressBurst` 34359738360 is 4 GB or more"),
            (json!({"unshapedSubnets": ["10.0.0.0/8"], "shapedSubnets": ["::/0"]}), "can't be set together"),
            (json!({"runtimeConfig": {"bandwidth": {"ingressRate": 8}}}), "if rate is set, burst must also be set"),
            (json!({"ingressRate": "fast"}), "`ingressRate` must be a number, not \\\"fast\\\""),
        ] {
            let outcome = status(keys);
            assert!(outcome.stdout.contains(said), "{}", outcome.stdout);
        }
    }

    #[test]
    fn rates_of_the_configuration_come_before_those_of_the_runtime() {
        let own = json!({"ingressRate": 0, "runtimeConfig": {"bandwidth": {"ingressRate": 8}}});
        assert_eq!(status(own).exit_code, 0);
        let null = json!({"ingressRate": null, "runtimeConfig": {"bandwidth": {"ingressRate": 8}}});
        assert_eq!(status(null).exit_code, 1);
    }
}
