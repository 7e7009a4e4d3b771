//! Single plugins, and the tool.

use libcni::conf::NetworkConfig;

use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("single::loopback_brings_lo_up", loopback_brings_lo_up),
    ("single::the_real_plugins_are_valid_up_to_1_0_0", real_plugins_are_valid_up_to_1_0_0),
    #[cfg(feature = "cli")]
    ("single::the_tool_attaches_a_namespace_by_its_name", tool_attaches_a_namespace_by_its_name),
];

fn is_up(host: &Host) -> bool {
    host.run("ip -n blue -o link show dev lo").contains(",UP")
}

fn loopback_brings_lo_up(host: &Host) {
    for version in ["0.2.0", "0.3.1", "0.4.0", "1.0.0"] {
        let text = format!(r#"{{"cniVersion":"{version}","name":"lo","type":"loopback"}}"#);
        let network = NetworkConfig::from_plugin(&text).unwrap();
        let mut attachment = host.attachment();
        attachment.ifname = "lo".parse().unwrap();
        assert!(!is_up(host), "{version}");
        host.cni().add(&network, &attachment).unwrap();
        assert!(is_up(host), "{version}");
        host.cni().del(&network, &attachment).unwrap();
        assert!(!is_up(host), "{version}");
        host.has_no_trace();
    }
}

fn real_plugins_are_valid_up_to_1_0_0(host: &Host) {
    for version in ["", "0.2.0", "0.4.0", "1.0.0"] {
        let capabilities = host.cni().validate(&crate::chain::network(host, version)).unwrap();
        assert_eq!(capabilities.into_iter().collect::<Vec<_>>(), ["portMappings"], "{version}");
    }
}

#[cfg(feature = "cli")]
fn tool_attaches_a_namespace_by_its_name(host: &Host) {
    std::fs::create_dir(host.path("net.d")).unwrap();
    std::fs::write(host.path("net.d/net.conflist"), crate::chain::network(host, "1.0.0").text()).unwrap();
    let cnitool = |verb: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cnitool"));
        let ports = r#"{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}"#;
        command.env("NETCONFPATH", host.path("net.d")).env("CNI_PATH", crate::host::PLUGINS).env("CAP_ARGS", ports);
        command.env("PATH", host.plugin_path()).arg("--cache-dir").arg(host.path("cache")).args([verb, "net", "blue"]);
        host.run_command(&mut command)
    };
    let result: serde_json::Value = serde_json::from_str(&cnitool("add")).unwrap();
    assert_eq!(result["ips"][0]["address"], "10.77.0.2/24");
    assert!(host.run("ip -n blue -o addr show dev eth0").contains("10.77.0.2/24"));
    cnitool("check");
    cnitool("del");
    host.has_no_trace();
}
