//! Section 6: the common capability arguments, as the library writes them.

use libcni::spec::capability::{Bandwidth, CapabilityArgs, IpRange, PortMapping, Resolver};
use serde_json::Value;

use super::specification;

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

#[test]
fn capability_arguments_have_the_form_that_the_specification_shows() {
    let mut args = CapabilityArgs::new();
    args.set_port_mappings(&[PortMapping::tcp(8080, 80).host_ip("192.0.2.1".parse().unwrap())]);
    args.set_bandwidth(&Bandwidth::default().ingress_rate(1_000_000).ingress_burst(800_000));
    args.set_ip_ranges(&[vec![
        IpRange::new("10.1.0.0/16".parse().unwrap())
            .range_start("10.1.0.10".parse().unwrap())
            .range_end("10.1.0.99".parse().unwrap())
            .gateway("10.1.0.1".parse().unwrap()),
    ]]);
    args.set_ips(&["10.1.0.5/16", "fd00::5/64"].map(|ip| ip.parse().unwrap()));
    args.set_mac("02:00:00:00:00:16");
    args.set_dns(
        &Resolver::default()
            .servers(texts(["10.1.0.1"]))
            .searches(texts(["example.org"]))
            .domain("example.org".to_owned())
            .options(texts(["ndots:5"])),
    );
    args.set_aliases(&texts(["db", "primary"]));
    args.set_device_id("0000:81:00.2");
    args.set_infiniband_guid("c2:11:22:33:44:55:66:77");
    args.set_cgroup_path("/machine.slice/web-0");
    let shown: Value = serde_json::from_str(&specification().example("conventions")).unwrap();
    assert_eq!(serde_json::to_value(&args).unwrap(), shown);
}
