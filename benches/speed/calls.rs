//! Calls of the library, one after the other and by many threads, against bare spawns of the same plugin.

use std::time::Duration;

use libcni::Cni;
use libcni::conf::NetworkConfig;

use crate::bare;
use crate::host::{Host, attachment, network};
use crate::measure::{Pair, compare, median, timed};
use crate::table::Table;

const BARE: &str = "bare posix_spawn with 3 pipes";
const STDIN: &[u8] = br#"{"type":"noop","name":"net","cniVersion":"1.1.0"}"#;

pub(crate) fn one_at_a_time(host: &Host, table: &mut Table) {
    let (cni, network, env, noop) = (host.cni(), network(1), bare::environment(), host.noop());
    let container = attachment("c1");
    let rounds = host.count(1000, 20);
    let floor = || timed(|| drop(bare::run(&noop, STDIN, &env)));
    let status = compare(rounds, floor, || timed(|| cni.status(&network).unwrap()));
    table.times("library: STATUS, one execution of a no-op plugin", BARE, status, "≤ 1.03");
    cni.validate(&network).unwrap();
    let again = compare(rounds, floor, || timed(|| drop(cni.validate(&network).unwrap())));
    table.times("library: validate again, with VERSION remembered", BARE, again, "");
    let add = || {
        let took = timed(|| drop(cni.add(&network, &container).unwrap()));
        cni.del(&network, &container).unwrap();
        took
    };
    table.times("library: ADD, with locks and a record on disk", BARE, compare(rounds, floor, add), "");
    let del = || {
        cni.add(&network, &container).unwrap();
        timed(|| cni.del(&network, &container).unwrap())
    };
    table.times("library: DEL", BARE, compare(rounds, floor, del), "");
}

pub(crate) fn many_at_once(host: &Host, table: &mut Table) {
    let mut alone = None;
    for threads in [1, 2, 4, 16, 64] {
        let pair = throughput(host, threads);
        let alone = *alone.get_or_insert(pair.ours);
        let cores = format!("{:.2} × one thread", alone.as_secs_f64() / pair.ours.as_secs_f64());
        let what = format!("containers added and removed by {threads} threads, {cores}");
        table.times(&what, "two bare spawns each, as many threads", pair, "scales");
    }
}

/// The same from a process with much memory, which fork would have to copy page tables of.
pub(crate) fn with_much_memory(host: &Host, table: &mut Table) {
    let (cni, network) = (host.cni(), network(1));
    let size = host.count(4 << 30, 64 << 20);
    // By turns in short runs, since whatever else the machine does changes in the meantime.
    let turn = |memory: usize| {
        let memory = std::hint::black_box(vec![1_u8; memory]);
        let took = median((0..host.count(50, 10)).map(|_| add_and_delete(&cni, &network, "c1")).collect());
        drop(memory);
        took
    };
    let pair = compare(host.count(7, 1), || turn(0), || turn(size));
    let what = format!("container added and removed by a process that holds {} MiB", size >> 20);
    table.times(&what, "the same process without", pair, "≤ 1.1");
}

/// What a chain costs compared with as many calls of one plugin.
pub(crate) fn chain(host: &Host, table: &mut Table) {
    const LENGTH: u32 = 16;
    let (cni, one, many) = (host.cni(), network(1), network(LENGTH as usize));
    let pair = compare(
        host.count(100, 5),
        || timed(|| (0..LENGTH).for_each(|_| cni.status(&one).unwrap())),
        || timed(|| cni.status(&many).unwrap()),
    );
    table.times("growth: a chain of 16 plugins", "16 × one plugin", pair, "≤ 1.05");
}

fn add_and_delete(cni: &Cni, network: &NetworkConfig, container: &str) -> Duration {
    let container = attachment(container);
    timed(|| {
        cni.add(network, &container).unwrap();
        cni.del(network, &container).unwrap();
    })
}

/// The time for one container, by so many threads at once.
fn throughput(host: &Host, threads: usize) -> Pair {
    let (cni, network, env, noop) = (host.cni(), network(1), bare::environment(), host.noop());
    let each = host.count(640, 64) / threads;
    let by_all = |work: &(dyn Fn(usize) + Sync)| {
        let took = timed(|| {
            std::thread::scope(|scope| {
                for thread in 0..threads {
                    scope.spawn(move || (0..each).for_each(|_| work(thread)));
                }
            });
        });
        took / (threads * each) as u32
    };
    let bare_twice = |_| (0..2).for_each(|_| drop(bare::run(&noop, STDIN, &env)));
    let container = |thread| {
        add_and_delete(&cni, &network, &format!("c{thread}"));
    };
    compare(host.count(5, 1), || by_all(&bare_twice), || by_all(&container))
}
