//! Loading a network by name from a directory of many, against reading the files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use libcni::conf::ConfDir;

use crate::host::{Host, read_all};
use crate::measure::{compare, timed};
use crate::table::Table;

pub(crate) fn load(host: &Host, table: &mut Table) {
    for count in [1, 10, 100, 1_000, 5_000] {
        let dir = fill(host, count);
        let rounds = host.count(20_000 / count, 3).clamp(3, 500);
        let pair = compare(rounds, || timed(|| assert!(read_all(&dir) > 0)), || load_last(&dir, count));
        let goal = if count == 1_000 { "≤ 1.5" } else { "" };
        table.times(&format!("load by name: the last of {count} files"), "reading the files", pair, goal);
    }
    let (few, many) = (fill(host, 500), fill(host, 5_000));
    let linear = compare(host.count(20, 3), || load_last(&few, 500) * 10, || load_last(&many, 5_000));
    table.times("growth: load by name from 5,000 files", "10 × that from 500 files", linear, "linear: 1");
    let list = |dir: &Path, count: usize| timed(|| assert_eq!(ConfDir::new(dir).list().unwrap().networks.len(), count));
    let linear = compare(host.count(20, 3), || list(&few, 500) * 10, || list(&many, 5_000));
    table.times("growth: list 5,000 networks", "10 × 500 networks", linear, "linear: 1");
}

fn load_last(dir: &Path, count: usize) -> Duration {
    let (networks, name) = (ConfDir::new(dir), format!("net{count}"));
    timed(|| assert_eq!(networks.load(&name).unwrap().network.name(), name))
}

/// A directory with so many configurations.
fn fill(host: &Host, count: usize) -> PathBuf {
    let dir = host.empty(&format!("files-{count}"));
    for number in 1..=count {
        fs::write(dir.join(format!("{number:05}.conflist")), bridge(&format!("net{number}"))).unwrap();
    }
    dir
}

/// The text of a list as hosts have them.
pub(crate) fn bridge(name: &str) -> String {
    format!(
        r#"{{
    "cniVersion": "1.0.0",
    "name": "{name}",
    "plugins": [
        {{
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": true,
            "ipMasq": true,
            "hairpinMode": true,
            "ipam": {{
                "type": "host-local",
                "ranges": [[{{ "subnet": "10.22.0.0/16" }}], [{{ "subnet": "fd00:10:22::/64" }}]],
                "routes": [{{ "dst": "0.0.0.0/0" }}, {{ "dst": "::/0" }}]
            }}
        }},
        {{ "type": "portmap", "capabilities": {{ "portMappings": true }} }},
        {{ "type": "firewall", "backend": "iptables" }}
    ]
}}"#
    )
}
