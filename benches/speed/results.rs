//! Results and requests as text, against what a JSON library alone takes for the same text.

use std::time::Duration;

use libcni::Cni;
use libcni::conf::NetworkConfig;
use libcni::invoke::{Exec, ExecError, FindError, Limits, Output, Request};
use libcni::result::AddResult;
use libcni::spec::Version;
use serde_json::Value;

use crate::files::bridge;
use crate::host::Host;
use crate::measure::{Pair, compare, timed};
use crate::table::Table;

/// What a chain of bridge and portmap answers for a dual-stack container.
pub(crate) const RICH: &str = r#"{"cniVersion":"1.0.0","interfaces":[{"name":"cni0","mac":"5e:aa:bb:cc:dd:01"},{"name":"veth1a2b3c4d","mac":"5e:aa:bb:cc:dd:02"},{"name":"eth0","mac":"5e:aa:bb:cc:dd:03","sandbox":"/var/run/netns/cni-5a2f8c1e"}],"ips":[{"interface":2,"address":"10.22.0.15/16","gateway":"10.22.0.1"},{"interface":2,"address":"fd00:10:22::f/64","gateway":"fd00:10:22::1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.22.0.1"},{"dst":"::/0"},{"dst":"10.96.0.0/12","gw":"10.22.0.1"}],"dns":{"nameservers":["10.96.0.10"],"domain":"cluster.local","search":["default.svc.cluster.local","svc.cluster.local"],"options":["ndots:5"]}}"#;

const JSON: &str = "the same text to serde_json::Value and back";

pub(crate) fn all(host: &Host, table: &mut Table) {
    results(host, table);
    requests(host, table);
}

fn results(host: &Host, table: &mut Table) {
    let count = host.count(500, 20);
    let pair = round_trip(host, RICH, count);
    table.times("result of 3 interfaces, 2 addresses, 3 routes: parse, to 0.4.0 and back, print", JSON, pair, "");
    let (few, many) = (with_addresses(100), with_addresses(1_000));
    let there_and_back = |text: &str| timed(|| drop(through_versions(text)));
    let linear = compare(host.count(100, 3), || there_and_back(&few) * 10, || there_and_back(&many));
    table.times("growth: a result of 1,000 addresses", "10 × one of 100", linear, "linear: 1");
}

/// Parsing, conversion down and up, and printing.
fn through_versions(text: &str) -> String {
    let result = AddResult::parse(text).unwrap();
    let old = result.to_version(&Version::V0_4_0).unwrap();
    old.to_version(&Version::V1_1_0).unwrap().to_string()
}

fn round_trip(host: &Host, text: &str, count: usize) -> Pair {
    let ours = || through_versions(text);
    let json = || serde_json::from_str::<Value>(text).unwrap().to_string();
    let each = |work: &dyn Fn() -> String| timed(|| (0..count).for_each(|_| drop(work()))) / count as u32;
    compare(host.count(30, 3), || each(&json), || each(&ours))
}

fn with_addresses(count: usize) -> String {
    let address = |n: usize| format!(r#"{{"interface":0,"address":"10.{}.{}.{}/8"}}"#, n >> 16, n >> 8 & 255, n & 255);
    let ips: Vec<_> = (0..count).map(address).collect();
    format!(r#"{{"cniVersion":"1.0.0","interfaces":[{{"name":"eth0"}}],"ips":[{}]}}"#, ips.join(","))
}

/// Answers at once: what remains is the making of requests.
#[derive(Debug)]
struct Nobody;

impl Exec for Nobody {
    fn find(&self, plugin: &str, _: &[std::path::PathBuf]) -> Result<std::path::PathBuf, FindError> {
        Ok(plugin.into())
    }

    fn exec(&self, request: &Request, _: &Limits) -> Result<Output, ExecError> {
        std::hint::black_box(request);
        Ok(Output::default())
    }
}

fn requests(host: &Host, table: &mut Table) {
    let text = bridge("net").replace("1.0.0", "1.1.0");
    let network = NetworkConfig::parse(&text).unwrap();
    let cni = Cni::builder().exec(Nobody).build().unwrap();
    let calls = host.count(500, 20) as u32;
    let requests = calls * network.plugins().len() as u32;
    let plugins: Vec<_> = network.plugins().iter().map(|plugin| plugin.object().to_string()).collect();
    let derived = || timed(|| (0..calls).for_each(|_| cni.status(&network).unwrap())) / requests;
    let naive = || timed(|| (0..calls).for_each(|_| plugins.iter().for_each(|text| drop(with_name(text))))) / requests;
    let pair = compare(host.count(30, 3), naive, derived);
    let what = format!("request derived, with its environment ({:.0} per second)", per_second(pair.ours));
    table.times(&what, "its text through serde_json::Value", pair, "");
}

fn per_second(time: Duration) -> f64 {
    1.0 / time.as_secs_f64()
}

fn with_name(text: &str) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    value["name"] = "net".into();
    value["cniVersion"] = "1.1.0".into();
    value.to_string()
}
