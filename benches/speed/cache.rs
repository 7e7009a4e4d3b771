//! A cache full of attachments, against reading its files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use libcni::cache::unlocked;
use libcni::cache::{Cache, Entry, Key};
use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::spec::{Object, ValidAttachment};

use crate::files::bridge;
use crate::host::{Host, NETWORK, network, read_all};
use crate::measure::{compare, timed};
use crate::results::RICH;
use crate::table::Table;

const READING: &str = "reading the files";

pub(crate) fn all(host: &Host, table: &mut Table) {
    listing_and_gc(host, table);
    keeping(host, table);
}

fn listing_and_gc(host: &Host, table: &mut Table) {
    let count = host.count(10_000, 200);
    let rounds = host.count(15, 2);
    let (all, tenth) = (fill(host, "other", count), fill(host, "tenth", count / 10));
    let read = |dir: &Path| timed(|| assert!(read_all(&dir.join("results")) > 0));
    let pair = compare(rounds, || read(&all), || list(&all, count));
    table.times(&format!("list {count} attachments, whole"), READING, pair, "");
    let linear = compare(rounds, || list(&tenth, count / 10) * 10, || list(&all, count));
    table.times(&format!("growth: list {count} attachments"), "10 × a tenth of them", linear, "linear: 1");
    let what = format!("GC over {count} entries of another network");
    table.times(&what, READING, compare(rounds, || read(&all), || gc_of_nothing(host, &all)), "≤ 1.4");
    // Their file names begin as those of the network's own would.
    let alike = fill(host, &format!("{NETWORK}-2"), count);
    let what = format!("GC over {count} entries that only their content tells from its own");
    table.times(&what, READING, compare(rounds, || read(&alike), || gc_of_nothing(host, &alike)), "≤ 1.4");
}

/// What a GC of a network looks at that keeps all of its attachments.
fn keeping(host: &Host, table: &mut Table) {
    let count = host.count(10_000, 200);
    let (all, tenth) = (fill(host, NETWORK, count), fill(host, "tenth", count / 10));
    let stale = |dir: &Path, network: &str, count: usize| {
        let attachments = Cache::new(dir).attachments(None).unwrap().entries;
        let valid = |e: &Entry| ValidAttachment::new(&e.container_id.parse().unwrap(), &e.ifname.parse().unwrap());
        let keep = Keep::Only(attachments.iter().map(valid).collect());
        let (cni, network) =
            (host.cni().to_builder().cache_dir(dir).build().unwrap(), NetworkConfig::parse(&bridge(network)).unwrap());
        assert_eq!(attachments.len(), count);
        timed(|| assert!(cni.stale(&network, &keep).unwrap().is_empty()))
    };
    let few = || stale(&tenth, "tenth", count / 10) * 10;
    let linear = compare(host.count(10, 2), few, || stale(&all, NETWORK, count));
    table.times(&format!("growth: GC that keeps {count} attachments"), "10 × a tenth of them", linear, "linear: 1");
}

fn list(dir: &Path, count: usize) -> Duration {
    timed(|| assert_eq!(Cache::new(dir).attachments(None).unwrap().entries.len(), count))
}

/// A GC that finds nothing of its network.
fn gc_of_nothing(host: &Host, dir: &Path) -> Duration {
    let cni = host.cni().to_builder().cache_dir(dir).build().unwrap();
    let network = network(1).at_version(&libcni::spec::Version::V1_0_0).unwrap();
    timed(|| cni.gc(&network, &Keep::Nothing).unwrap())
}

/// A cache with so many attachments to a network.
fn fill(host: &Host, network: &str, count: usize) -> PathBuf {
    let dir = host.empty(&format!("cache-{network}"));
    let cache = Cache::new(&dir);
    let config = bridge(network).into_bytes();
    for number in 0..count {
        let entry = Entry::default()
            .container_id(format!("{number:064x}"))
            .network(network)
            .ifname("eth0")
            .netns(format!("/var/run/netns/cni-{number:036x}"))
            .args("IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0".parse().unwrap())
            .config(config.clone())
            .result_object(Object::parse(RICH).unwrap());
        unlocked::write(&cache, &Key::of(&entry).unwrap(), &entry).unwrap();
    }
    dir
}
