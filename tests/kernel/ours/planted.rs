//! What an ordinary user planted where a plugin that runs as root reads or writes.

use std::fs;

use serde_json::{Value, json};

use super::plugins;
use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("ours::planted::flannel_waits_for_no_fifo_and_reads_no_device", flannel_waits_for_nothing),
    ("ours::planted::tuning_waits_for_no_fifo", tuning_waits_for_nothing),
    ("ours::planted::flannel_writes_through_no_link", flannel_writes_through_no_link),
];

/// What a plugin answers, which is ended when it hangs.
#[track_caller]
fn answer(host: &Host, plugin: &str, command: &str, config: &Value) -> String {
    let line = format!(
        "ulimit -v 4000000; echo '{config}' | CNI_COMMAND={command} CNI_CONTAINERID=blue CNI_IFNAME=eth0 \
         CNI_NETNS=/run/netns/blue CNI_PATH={0} timeout --signal=KILL 60 {0}/{plugin}",
        plugins().display()
    );
    let output = host.shell(&line).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{plugin} {command}: {:?} {said}", output.status);
    said
}

fn is_refused(answer: &str, file: &str) {
    assert!(answer.contains(file) && answer.contains("not a regular file"), "{answer}");
}

fn flannel(host: &Host, subnet_file: &str) -> Value {
    json!({"cniVersion": "1.1.0", "name": "net", "type": "flannel", "subnetFile": subnet_file,
        "dataDir": host.path("flannel"), "cni.dev/valid-attachments": []})
}

fn flannel_waits_for_nothing(host: &Host) {
    host.run("mkfifo fifo; mkdir flannel; mkfifo flannel/blue");
    let fifo = host.path("fifo");
    for file in [fifo.to_str().unwrap(), "/dev/zero"] {
        for command in ["ADD", "STATUS"] {
            is_refused(&answer(host, "flannel", command, &flannel(host, file)), file);
        }
        answer(host, "flannel", "GC", &flannel(host, file));
        is_refused(&answer(host, "flannel", "DEL", &flannel(host, file)), "flannel/blue");
    }
    // Without the second one, DEL has nothing to go by but the first.
    fs::remove_file(host.path("flannel/blue")).unwrap();
    assert_eq!(answer(host, "flannel", "DEL", &flannel(host, fifo.to_str().unwrap())), "");
}

fn tuning_waits_for_nothing(host: &Host) {
    host.run("mkdir tuning; mkfifo tuning/blue_eth0.json");
    let config = |keys: Value| {
        let mut config = json!({"cniVersion": "1.1.0", "name": "net", "type": "tuning", "dataDir": host.path("tuning"),
            "prevResult": {"cniVersion": "1.1.0"}, "cni.dev/valid-attachments": []});
        super::merge(&mut config, keys);
        config
    };
    is_refused(&answer(host, "tuning", "DEL", &config(json!({}))), "blue_eth0.json");
    answer(host, "tuning", "GC", &config(json!({})));
    host.run("mkdir -p /etc/cni && mount -t tmpfs tmpfs /etc/cni && mkdir /etc/cni/tuning && mkfifo /etc/cni/tuning/allowlist.conf");
    let sysctl = config(json!({"sysctl": {"net.ipv4.conf.all.log_martians": "1"}}));
    is_refused(&answer(host, "tuning", "ADD", &sysctl), "allowlist.conf");
}

fn flannel_writes_through_no_link(host: &Host) {
    host.run("mkdir flannel; echo as-it-was >secret; ln -s ../secret flannel/.blue; ln -s ../secret flannel/blue");
    fs::write(
        host.path("subnet.env"),
        "FLANNEL_NETWORK=10.77.0.0/16\nFLANNEL_SUBNET=10.77.3.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n",
    )
    .unwrap();
    let mut config = flannel(host, host.path("subnet.env").to_str().unwrap());
    config["delegate"] = json!({"type": "noop"});
    answer(host, "flannel", "ADD", &config);
    assert_eq!(host.run("cat secret"), "as-it-was\n");
    assert!(fs::symlink_metadata(host.path("flannel/blue")).unwrap().is_file());
}
