//! What runtimes tell plugins besides the attachment: the pod, capabilities, the trace.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use libcni::Attachment;
use libcni::spec::capability::{Bandwidth, IpRange, PortMapping, Resolver};
use libcni::spec::{Pod, TraceContext};
use serde_json::json;

use crate::support::{FakeExec, Sandbox, attachment, fails_with, printing};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_pod_reaches_plugins_as_kubernetes_runtimes_say_it() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let pod = Pod::new("default", "web-0").uid("0c6ad3a7-9d5c");
    let attachment = attachment("4f5a9b", "eth0").args("K=V".parse().unwrap()).pod(&pod).unwrap();
    sandbox.cni().add(&sandbox.network(), &attachment).unwrap();
    let expected = "K=V;IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;\
        K8S_POD_INFRA_CONTAINER_ID=4f5a9b;K8S_POD_UID=0c6ad3a7-9d5c";
    assert_eq!(sandbox.variable_of("one", "ADD", "CNI_ARGS"), expected);
}

#[test]
fn a_pod_is_said_once() {
    let pod = Pod::new("default", "web-0");
    let attachment = attachment("c1", "eth0").args("IgnoreUnknown=0;K8S_POD_NAME=old".parse().unwrap());
    let attachment = attachment.pod(&pod).unwrap().pod(&pod).unwrap();
    let expected = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=c1";
    assert_eq!(attachment.args.to_string(), expected);
    assert_eq!(attachment.args.get("K8S_POD_NAME"), Some("web-0"));
}

#[test]
fn a_pod_smuggles_no_other_argument() {
    for name in ["web;IP=10.0.0.1", "web=0", "", "web\0"] {
        let pod = Pod::new("default", name);
        attachment("c1", "eth0").pod(&pod).unwrap_err();
    }
}

#[test]
fn capabilities_reach_the_plugins_that_declare_them() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let capabilities = ["portMappings", "bandwidth", "ips", "mac", "dns", "aliases", "ipRanges", "deviceID"];
    let capabilities = capabilities.into_iter().chain(["infinibandGUID", "cgroupPath", "x"]);
    let declared: serde_json::Map<_, _> = capabilities.map(|name| (name.to_owned(), json!(true))).collect();
    let network = sandbox.network_with(json!({"plugins": [{"type": "one", "capabilities": declared}]}));
    let subnet = "10.1.0.0/16".parse().unwrap();
    let range = IpRange::new(subnet);
    let attachment: Attachment = attachment("c1", "eth0")
        .port_mappings(&[PortMapping::tcp(8080, 80), PortMapping::udp(53, 53).host_ip([127, 0, 0, 1].into())])
        .bandwidth(&Bandwidth::default().egress_rate(1000))
        .ips(&["10.1.0.5/16".parse().unwrap()])
        .mac("02:00:00:00:00:01")
        .dns(&Resolver::default().servers(vec!["10.1.0.1".to_owned()]))
        .aliases(&["db".to_owned()])
        .ip_ranges(&[vec![range]])
        .device_id("0000:00:1f.6")
        .infiniband_guid("24:8a:07:03:00:8d:ae:2e")
        .cgroup_path("/machine.slice/c1")
        .capability("x", &json!({"y": 1}))
        .unwrap();
    sandbox.cni().add(&network, &attachment).unwrap();
    let expected = json!({
        "portMappings": [
            {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
            {"hostPort": 53, "containerPort": 53, "protocol": "udp", "hostIP": "127.0.0.1"},
        ],
        "ipRanges": [[{"subnet": "10.1.0.0/16"}]],
        "deviceID": "0000:00:1f.6",
        "infinibandGUID": "24:8a:07:03:00:8d:ae:2e",
        "bandwidth": {"ingressRate": 0, "ingressBurst": 0, "egressRate": 1000, "egressBurst": 0},
        "ips": ["10.1.0.5/16"],
        "mac": "02:00:00:00:00:01",
        "dns": {"servers": ["10.1.0.1"]},
        "aliases": ["db"],
        "cgroupPath": "/machine.slice/c1",
        "x": {"y": 1},
    });
    assert_eq!(sandbox.request_of("one", "ADD")["runtimeConfig"], expected);
}

#[test]
fn a_trace_reaches_plugins_in_place_of_another_one() {
    let sandbox =
        Sandbox::new().plugins(["one"]).on("one", "VERSION", &fails_with(100, "unknown CNI_COMMAND: VERSION"));
    let inherited = [("TRACEPARENT", "old"), ("TRACESTATE", "old"), ("PATH", "/usr/bin:/bin")];
    let context = TraceContext::new(PARENT).unwrap().baggage("tenant=blue").unwrap();
    let cni = sandbox.builder().trace_context(context).env(inherited).build().unwrap();
    cni.add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    cni.plugin_version("one").unwrap();
    for verb in ["ADD", "VERSION"] {
        let env = sandbox.env_of("one", verb);
        let trace: Vec<_> =
            env.iter().filter(|pair| pair.starts_with("TRACE") || pair.starts_with("BAGGAGE")).collect();
        assert_eq!(trace, [&format!("TRACEPARENT={PARENT}"), "BAGGAGE=tenant=blue"], "{verb}");
        assert_eq!(sandbox.variable_of("one", verb, "PATH"), "/usr/bin:/bin");
    }
}

#[test]
fn without_a_trace_what_is_inherited_reaches_plugins() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let inherited = [("TRACEPARENT", PARENT), ("TRACESTATE", "a=b"), ("PATH", "/usr/bin:/bin")];
    let cni = sandbox.builder().env(inherited).build().unwrap();
    cni.add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    assert_eq!(sandbox.variable_of("one", "ADD", "TRACEPARENT"), PARENT);
    assert_eq!(sandbox.variable_of("one", "ADD", "TRACESTATE"), "a=b");
}

#[test]
fn the_path_of_a_namespace_that_is_not_utf8_reaches_the_plugin() {
    let exec = FakeExec::new(|_| printing("{}"));
    let sandbox = Sandbox::new().plugins(["one"]);
    let cni = sandbox.builder().exec(exec.clone()).build().unwrap();
    let attachment = attachment("c1", "eth0").netns(OsStr::from_bytes(b"/run/netns/a\xff"));
    cni.add(&sandbox.network(), &attachment).unwrap();
    assert_eq!(exec.requests()[0].env("CNI_NETNS").unwrap().as_bytes(), b"/run/netns/a\xff");
}
