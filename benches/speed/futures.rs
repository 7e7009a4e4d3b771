//! Verbs as futures, next to those that block, and next to plugins that hang.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use libcni::AsyncCni;
use libcni::conf::NetworkConfig;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::host::{Host, attachment, network};
use crate::measure::{compare, median, timed};
use crate::table::Table;

pub(crate) fn all(host: &Host, table: &mut Table) {
    let (runtime, cni, network) = (Builder::new_current_thread().build().unwrap(), host.cni(), network(1));
    let futures = cni.clone().into_async();
    let blocking = || timed(|| cni.status(&network).unwrap());
    let awaited =
        compare(host.count(1000, 20), blocking, || timed(|| runtime.block_on(futures.status(&network)).unwrap()));
    table.times("futures: STATUS, one execution of a no-op plugin", "the verb that blocks", awaited, "");
    beside_plugins_that_hang(host, table, &runtime, &futures, &network);
}

fn beside_plugins_that_hang(
    host: &Host,
    table: &mut Table,
    runtime: &Runtime,
    cni: &AsyncCni,
    network: &NetworkConfig,
) {
    let (attachments, stuck) = (host.count(1000, 20), host.count(100, 10));
    for number in stuck..attachments {
        runtime.block_on(cni.add(network, &attachment(&format!("c{number}")))).unwrap();
    }
    let hang = hanging_plugin(host);
    let one = || timed(|| runtime.block_on(cni.status(network)).unwrap());
    let status = || median((0..host.count(200, 5)).map(|_| one()).collect());
    let among_stuck = || {
        let mut adds = begin_adds(host, runtime, cni, &hang, stuck);
        let took = status();
        runtime.block_on(async {
            adds.shutdown().await;
            cni.settled().await;
        });
        took
    };
    let pair = compare(host.count(7, 1), status, among_stuck);
    let what = format!("futures: STATUS among {attachments} attachments, {stuck} of them with a plugin that hangs");
    table.times(&what, "the same without those", pair, "≤ 1.05");
}

/// Begins so many ADDs, and waits until the plugin of each hangs.
fn begin_adds(host: &Host, runtime: &Runtime, cni: &AsyncCni, hang: &NetworkConfig, stuck: usize) -> JoinSet<()> {
    let (mut adds, dir) = (JoinSet::new(), host.empty("begun"));
    for number in 0..stuck {
        let (cni, hang) = (cni.clone(), hang.clone());
        let add = async move { drop(cni.add(&hang, &attachment(&format!("c{number}"))).await) };
        adds.spawn_on(add, runtime.handle());
    }
    while fs::read_dir(&dir).unwrap().count() < stuck {
        runtime.block_on(tokio::task::yield_now());
        std::thread::sleep(Duration::from_millis(1));
    }
    adds
}

/// A network whose plugin leaves a file in ADD and does nothing for ten minutes.
fn hanging_plugin(host: &Host) -> NetworkConfig {
    let (plugin, begun) = (host.bin().join("hang"), host.path("begun"));
    let script = format!("#!/bin/sh\n: > {}/$CNI_CONTAINERID\nexec sleep 600\n", begun.display());
    fs::write(&plugin, script).unwrap();
    fs::set_permissions(&plugin, Permissions::from_mode(0o755)).unwrap();
    NetworkConfig::parse(r#"{"cniVersion": "1.1.0", "name": "stuck", "plugins": [{"type": "hang"}]}"#).unwrap()
}
