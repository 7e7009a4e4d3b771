//! `static`: an IPAM plugin that hands out the addresses of its configuration. It keeps no record of them, so it does
//! not notice when two containers get the same address.

mod config;

use libcni::plugin::{Answer, AttachmentCall, Call, Failure, Plugin};
use libcni::result::AddResult;
use libcni::result::v100::{Body, Ip};

use self::config::{Given, Ipam};

pub(crate) struct Static;

impl Plugin for Static {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let ipam = Ipam::read(call)?;
        let ip = |given: &Given| match given.gateway {
            Some(gateway) => Ip::new(given.address).gateway(gateway),
            None => Ip::new(given.address),
        };
        let ips: Vec<_> = ipam.addresses.iter().map(ip).collect();
        Ok(Body::default().ips(ips).routes(ipam.routes).dns(ipam.dns).into())
    }

    fn del(&self, _: &AttachmentCall) -> Answer {
        Ok(())
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let ipam = Ipam::read(call)?;
        let ips = call.config.require_prev_result()?.latest().ips;
        for given in &ipam.addresses {
            let different = |what: String| Failure::internal(format!("CHECK: static: {what}"));
            let Some(ip) = ips.iter().find(|ip| ip.address == given.address) else {
                return Err(different(format!("the result lacks address {}", given.address)));
            };
            if given.gateway.is_some() && ip.gateway != given.gateway {
                let is = ip.gateway.map_or_else(|| "missing".to_owned(), |gateway| gateway.to_string());
                return Err(different(format!("the gateway of address {} is {is}", given.address)));
            }
        }
        Ok(())
    }

    fn status(&self, call: &Call) -> Answer {
        config::check(call)
    }

    fn about(&self) -> Option<String> {
        Some(crate::about::about("static"))
    }
}

#[cfg(test)]
mod tests {
    use libcni::plugin::{Input, dispatch};
    use libcni::spec::Command;
    use serde_json::{Value, json};

    use super::*;

    fn call(command: Command, version: &str, keys: Value, args: &str) -> String {
        let mut config = json!({"cniVersion": version, "name": "net", "type": "static"});
        config.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        dispatch(&Static, Input::call(command, config.to_string()).variable("CNI_ARGS", args)).stdout
    }

    fn addresses(keys: Value, args: &str) -> Vec<String> {
        let answer: Value = serde_json::from_str(&call(Command::Add, "1.1.0", keys, args)).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let ips = answer["ips"].as_array().cloned().unwrap_or_default();
        ips.iter().map(|ip| format!("{} {}", text(&ip["address"]), text(&ip["gateway"])).trim().to_owned()).collect()
    }

    #[test]
    fn addresses_are_those_of_the_configuration_and_of_cni_args() {
        let ipam = json!({"ipam": {"ADDRESSES": [{"address": "10.1.0.2/24", "gateway": "10.1.0.1"}]}});
        assert_eq!(addresses(ipam.clone(), ""), ["10.1.0.2/24 10.1.0.1"]);
        let both = addresses(ipam.clone(), "IP=10.2.0.2/24, fd00::2/64;GATEWAY=10.2.0.1,fd00::1,10.1.0.9");
        assert_eq!(both, ["10.1.0.2/24 10.1.0.9", "10.2.0.2/24 10.2.0.1", "fd00::2/64 fd00::1"]);
    }

    #[test]
    fn those_that_are_asked_for_come_instead() {
        let ipam = json!({"addresses": [{"address": "10.1.0.2/24"}]});
        let args = json!({"cni": {"ips": ["10.2.0.2/24"]}});
        assert_eq!(addresses(json!({"ipam": ipam, "args": args}), "IP=10.4.0.2/24"), ["10.2.0.2/24"]);
        let runtime = json!({"ips": ["10.3.0.2/24"]});
        assert_eq!(addresses(json!({"ipam": ipam, "args": args, "runtimeConfig": runtime}), ""), ["10.3.0.2/24"]);
        assert_eq!(addresses(json!({"ipam": ipam, "args": null, "runtimeConfig": {"ips": []}}), ""), ["10.1.0.2/24"]);
    }

    #[test]
    fn what_is_no_address_with_a_prefix_is_refused() {
        for (keys, args, said) in [
            (json!({}), "", "IPAM config missing 'ipam' key"),
            (json!({"ipam": {"addresses": [{"address": "10.1.0.2"}]}}), "", "'address' field is expected"),
            (json!({"ipam": {"addresses": [{"address": "10.1.0.2/24", "gateway": "x"}]}}), "", "`gateway`"),
            (json!({"ipam": {}}), "IP=10.1.0.2", "the 'ip' field is expected to be in CIDR notation, got: '10.1.0.2'"),
            (json!({"ipam": {}}), "GATEWAY=x", "invalid gateway address: x"),
            (json!({"ipam": {}, "runtimeConfig": {"ips": ["10.1.0.2"]}}), "", "'ips' field is NOT in CIDR notation"),
        ] {
            let answer = call(Command::Add, "1.1.0", keys, args);
            assert!(answer.contains(said), "{answer}");
        }
        let two = json!({"ipam": {"addresses": [{"address": "10.1.0.2/24"}, {"address": "10.1.0.3/24"}]}});
        let answer = call(Command::Add, "0.2.0", two, "");
        assert!(answer.contains("CNI version 0.2.0 does not support more than 1 address per family"), "{answer}");
    }

    #[test]
    fn check_wants_each_address_with_its_gateway() {
        let check = |ips: Value| {
            let ipam = json!({"addresses": [{"address": "10.1.0.2/24", "gateway": "10.1.0.1"}]});
            call(Command::Check, "1.1.0", json!({"ipam": ipam, "prevResult": {"ips": ips}}), "")
        };
        assert_eq!(check(json!([{"address": "10.1.0.2/24", "gateway": "10.1.0.1"}])), "");
        assert!(check(json!([{"address": "10.1.0.3/24"}])).contains("lacks address 10.1.0.2/24"));
        assert!(check(json!([{"address": "10.1.0.2/24"}])).contains("gateway of address 10.1.0.2/24 is missing"));
    }
}
