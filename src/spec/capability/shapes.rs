//! The keys of the arguments, as shapes, since runtimes written in Go print the names of their fields as they are
//! (`HostPort`), and other code may read a mapping with serde alone.

use super::{Bandwidth, InvalidProtocol, IpRange, PortMapping, Protocol, Resolver};
use crate::spec::{Fields, InvalidField, Object, Shape, serde_by_shape};

impl Shape for PortMapping {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            host_port: fields.require("hostPort")?,
            container_port: fields.require("containerPort")?,
            protocol: protocol(&mut fields)?,
            host_ip: fields.take_parsed("hostIP")?,
        })
    }

    fn write(&self, object: &mut Object) {
        object.set("hostPort", &self.host_port);
        object.set("containerPort", &self.container_port);
        object.set("protocol", self.protocol.as_str());
        object.set_some("hostIP", &self.host_ip);
    }
}

/// TCP, where nothing is said.
fn protocol(fields: &mut Fields<'_>) -> Result<Protocol, InvalidField> {
    let named = fields.take_text("protocol")?.map(|name| name.parse()).transpose();
    let invalid = |error: InvalidProtocol| InvalidField::new(fields.child("protocol"), error.to_string());
    Ok(named.map_err(invalid)?.unwrap_or_default())
}

impl Shape for Bandwidth {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            ingress_rate: fields.take_or_default("ingressRate")?,
            ingress_burst: fields.take_or_default("ingressBurst")?,
            egress_rate: fields.take_or_default("egressRate")?,
            egress_burst: fields.take_or_default("egressBurst")?,
        })
    }

    fn write(&self, object: &mut Object) {
        object.set("ingressRate", &self.ingress_rate);
        object.set("ingressBurst", &self.ingress_burst);
        object.set("egressRate", &self.egress_rate);
        object.set("egressBurst", &self.egress_burst);
    }
}

impl Shape for IpRange {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            subnet: fields.require("subnet")?,
            range_start: fields.take_parsed("rangeStart")?,
            range_end: fields.take_parsed("rangeEnd")?,
            gateway: fields.take_parsed("gateway")?,
        })
    }

    fn write(&self, object: &mut Object) {
        object.set("subnet", &self.subnet);
        object.set_some("rangeStart", &self.range_start);
        object.set_some("rangeEnd", &self.range_end);
        object.set_some("gateway", &self.gateway);
    }
}

impl Shape for Resolver {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        Ok(Self {
            servers: fields.take_or_default("servers")?,
            searches: fields.take_or_default("searches")?,
            domain: fields.take_text("domain")?,
            options: fields.take_or_default("options")?,
        })
    }

    fn write(&self, object: &mut Object) {
        object.set_filled("servers", &self.servers);
        object.set_filled("searches", &self.searches);
        object.set_some("domain", &self.domain);
        object.set_filled("options", &self.options);
    }
}

serde_by_shape!(PortMapping, Bandwidth, IpRange, Resolver);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::capability::CapabilityArgs;

    #[test]
    fn the_resolver_has_the_keys_of_the_convention_and_not_those_of_a_result() {
        let mut args = CapabilityArgs::new();
        let servers = vec!["10.1.0.1".to_owned()];
        args.set_dns(&Resolver { servers, searches: vec!["example.org".to_owned()], ..Resolver::default() });
        assert_eq!(args.to_string(), r#"{"dns":{"servers":["10.1.0.1"],"searches":["example.org"]}}"#);
    }

    #[test]
    fn what_a_runtime_in_go_prints_of_structs_without_tags_is_read() {
        let args = r#"{"dns":{"Servers":["10.1.0.1"],"Searches":null,"Options":["ndots:5"]},
            "bandwidth":{"IngressRate":1,"IngressBurst":2,"EgressRate":3,"EgressBurst":4},
            "portMappings":[{"HostPort":8080,"ContainerPort":80,"Protocol":"tcp","HostIP":""}],
            "ipRanges":[[{"Subnet":"10.1.0.0/16","RangeStart":"10.1.0.9","RangeEnd":"","Gateway":null}]]}"#;
        let args = CapabilityArgs::parse(args).unwrap();
        let dns: Resolver = args.typed("dns").unwrap().unwrap();
        assert_eq!((dns.servers.len(), dns.searches.len(), dns.options.len()), (1, 0, 1));
        let bandwidth: Bandwidth = args.typed("bandwidth").unwrap().unwrap();
        assert_eq!((bandwidth.ingress_rate, bandwidth.egress_burst), (1, 4));
        assert_eq!(args.typed::<Vec<PortMapping>>("portMappings").unwrap().unwrap(), [PortMapping::tcp(8080, 80)]);
        let ranges: Vec<Vec<IpRange>> = args.typed("ipRanges").unwrap().unwrap();
        let range = &ranges[0][0];
        assert_eq!(range.range_start, Some([10, 1, 0, 9].into()));
        assert_eq!((range.range_end, range.gateway), (None, None));
    }

    #[test]
    fn a_mapping_without_an_address_is_for_all_of_them() {
        for absent in ["", r#","hostIP":"""#, r#","hostIP":null"#, r#","protocol":"""#] {
            let json = format!(r#"{{"hostPort":8080,"containerPort":80{absent}}}"#);
            assert_eq!(serde_json::from_str::<PortMapping>(&json).unwrap(), PortMapping::tcp(8080, 80));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let args = r#"{"portMappings":[{"hostPort":1,"containerPort":1},{"hostPort":1,"containerPort":1,"hostIP":"10.0"}],
            "bandwidth":{"ingressRate":"1M"},"mac":null}"#;
        let args = CapabilityArgs::parse(args).unwrap();
        let error = args.typed::<Vec<PortMapping>>("portMappings").unwrap_err();
        assert_eq!(error.to_string(), "`portMappings[1].hostIP`: `10.0`: invalid IP address syntax");
        let error = serde_json::from_str::<PortMapping>(r#"{"hostPort":1,"containerPort":1,"protocol":"UDP "}"#);
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("`protocol`: `UDP ` is not one of the protocols `tcp`, `udp` and `sctp`"), "{error}");
        let error = args.typed::<Bandwidth>("bandwidth").unwrap_err();
        assert_eq!(error.to_string(), r#"`bandwidth.ingressRate` must be a number, not "1M""#);
        assert_eq!((args.typed("mac"), args.typed("ips")), (Ok(None::<String>), Ok(None::<String>)));
    }
}
