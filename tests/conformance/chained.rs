//! Plugins that come second in a list: what they find in the container is what the previous result says.

use std::fs;

use serde_json::{Value, json};

use crate::Test;
use crate::faults::Faulty;
use crate::tool::Report;

pub(crate) fn tests() -> Vec<Test> {
    let tests: [(&str, fn()); 4] = [
        ("the_made_up_gateway_answers_in_every_container", the_made_up_gateway_answers),
        ("a_given_previous_result_is_handed_over_and_true", a_given_result_is_true),
        ("the_gateways_of_a_given_previous_result_answer", given_gateways_answer),
        ("an_ipam_plugin_comes_after_no_other", an_ipam_plugin_comes_after_no_other),
    ];
    tests.into_iter().map(|(name, test)| (format!("chained::{name}"), Box::new(test) as _)).collect()
}

/// Shell that fails unless a connection to a gateway is refused by somebody.
fn asks(gateway: &str) -> String {
    format!(
        r#"
        on ADD && [ -n "$container" ] && [ -e "$CNI_NETNS" ] && has prevResult && {{
            said=$(nsenter --net="$CNI_NETNS" timeout 3 bash -c ': </dev/tcp/{gateway}/9' 2>&1)
            case $said in *refused*) ;; *) fail 11 "{gateway}: no answer" ;; esac
        }}
        "#
    )
}

fn the_made_up_gateway_answers() {
    let shell = asks("10.99.0.1");
    let mut faulty = Faulty::new("noop", &shell);
    let report = Report::of(faulty.conformance().args(["--only", "401,501,510,511,1101"]));
    report.deviates_in(&[]);
    [401, 501, 510, 511, 1101].into_iter().for_each(|id| report.passes(id));
}

fn given() -> Value {
    json!({
        "cniVersion": "1.0.0",
        "interfaces": [
            {"name": "br7", "mac": "02:00:00:00:07:01"},
            {"name": "port7", "mac": "02:00:00:00:07:02"},
            {"name": "eth0", "mac": "02:00:00:00:07:03", "mtu": 1400, "sandbox": "/run/netns/elsewhere"}
        ],
        "ips": [
            {"interface": 2, "address": "172.30.7.5/24", "gateway": "172.30.7.1"},
            {"interface": 2, "address": "fd00:7::5/64", "gateway": "fd00:7::1"}
        ],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "198.18.0.0/15", "gw": "172.30.7.1"}, {"dst": "::/0", "gw": "fd00:7::1"}],
        "dns": {"nameservers": ["172.30.7.1"]},
        "x-previous": "kept"
    })
}

/// Checks a plugin after the given result.
fn after_given(shell: &str, checks: &str) -> Report {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("result.json");
    fs::write(&file, given().to_string()).unwrap();
    let mut faulty = Faulty::new("noop", shell);
    Report::of(faulty.conformance().arg("--prev-result").arg(&file).args(["--only", checks]))
}

fn a_given_result_is_true() {
    let looks = r#"
        on ADD && [ -e "${CNI_NETNS-}" ] && [ -n "$container" ] && {
            for text in '"x-previous":"kept"' '"nameservers":["172.30.7.1"]' 02:00:00:00:07:03 br7; do
                has "$text" || fail 100 "no $text in the previous result"
            done
            inside=$(nsenter --net="$CNI_NETNS" sh -c 'ip addr; ip route; ip -6 route')
            for text in 02:00:00:00:07:03 'mtu 1400' 172.30.7. fd00:7:: '198.18.0.0/15 via 172.30.7.1'; do
                case $inside in *"$text"*) ;; *) fail 100 "no $text in the container" ;; esac
            done
            ip link | grep -q ': port7' && ip link show br7 >/dev/null || fail 100 "no such interfaces on the host"
        }
    "#;
    // 452 to 456: what the result says is there. 1101: each container has addresses of its own.
    let report = after_given(looks, "401,452,453,454,455,456,501,502,1101");
    report.deviates_in(&[]);
    [401, 452, 454, 455, 456, 501, 502, 1101].into_iter().for_each(|id| report.passes(id));
    assert_eq!(report.json["role"], "chained", "{report}");
}

fn given_gateways_answer() {
    let both = ["172.30.7.1", "fd00:7::1"].map(asks).concat();
    let report = after_given(&both, "401,510,1101");
    report.deviates_in(&[]);
    [401, 510, 1101].into_iter().for_each(|id| report.passes(id));
}

fn an_ipam_plugin_comes_after_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("result.json");
    fs::write(&file, given().to_string()).unwrap();
    let mut faulty = Faulty::new("host-local", "");
    let output = faulty.conformance().arg("--prev-result").arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("IPAM plugin"), "{output:?}");
}
