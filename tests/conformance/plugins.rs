//! Real plugins.

use std::path::Path;

use crate::Test;
use crate::tool::{Report, conformance, plugins};

/// Where Debian's package containernetworking-plugins puts them.
const DEBIAN: &str = "/usr/lib/cni";

pub(crate) fn tests() -> Vec<Test> {
    let ours = [
        "bandwidth",
        "bridge",
        "debug",
        "firewall",
        "flannel",
        "host-local",
        "loopback",
        "macvlan",
        "noop",
        "portmap",
        "ptp",
        "static",
        "tuning",
    ];
    let ours = ours.into_iter().map(|plugin| {
        let test: Box<dyn FnOnce() + Send> = Box::new(move || ours_conforms(plugin));
        (format!("plugins::our_{plugin}_conforms"), test)
    });
    // Whose deviations depend on their version: these two have none.
    let theirs = ["host-local", "static"].into_iter().filter(|plugin| Path::new(DEBIAN).join(plugin).exists());
    let theirs = theirs.map(|plugin| {
        let test: Box<dyn FnOnce() + Send> = Box::new(move || debians_has_no_failure(plugin));
        (format!("plugins::debians_{plugin}_has_no_failure"), test)
    });
    ours.chain(theirs).collect()
}

fn ours_conforms(plugin: &str) {
    let report = Report::of(&mut conformance(&plugins().join(plugin)));
    report.deviates_in(&[]);
    for id in [101, 401, 501, 503, 601, 801] {
        report.passes(id);
    }
}

fn debians_has_no_failure(plugin: &str) {
    let report = Report::of(&mut conformance(&Path::new(DEBIAN).join(plugin)));
    assert_eq!(report.with_outcome(&["fail"]), Vec::<u64>::new(), "{report}");
    report.passes(401);
}
