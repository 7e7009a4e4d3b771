//! When a change is delivered.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{LONG, Watched, broken, list, names, quick};

#[test]
fn a_burst_of_changes_is_one_snapshot() {
    let mut watched = Watched::with_one();
    watched.next();
    for n in 0..50 {
        watched.network(&format!("net.d/many-{n}.conflist"), &format!("many-{n}"));
    }
    assert_eq!(names(&watched.next()).len(), 51);
    watched.nothing_new();
}

#[test]
fn a_half_written_file_is_waited_for() {
    let mut watched = Watched::at(quick().patience(LONG * 10));
    watched.mkdir("net.d").network("net.d/one.conflist", "one").next();
    let text = list("changed");
    for end in [0, 1, text.len() / 2, text.len() - 1] {
        watched.write("net.d/one.conflist", &text[..end]).nothing_new();
    }
    let snapshot = watched.write("net.d/one.conflist", &text).next();
    assert_eq!(names(&snapshot), ["changed"]);
    assert!(broken(&snapshot).is_empty());
}

#[test]
fn a_half_written_file_that_is_taken_back_is_no_snapshot() {
    let mut watched = Watched::at(quick().patience(LONG * 10));
    watched.mkdir("net.d").network("net.d/one.conflist", "one").next();
    watched.write("net.d/two.conflist", "{").nothing_new();
    watched.remove("net.d/two.conflist").nothing_new();
}

#[test]
fn a_file_that_stays_broken_is_delivered_as_broken() {
    let mut watched = Watched::at(quick().patience(Duration::from_millis(300)));
    watched.mkdir("net.d").network("net.d/one.conflist", "one").next();
    let snapshot = watched.write("net.d/one.conflist", "{").next();
    assert_eq!(broken(&snapshot), ["one.conflist"]);
    assert!(names(&snapshot).is_empty());
    watched.network("net.d/two.conflist", "two");
    let snapshot = watched.next();
    assert_eq!((broken(&snapshot), names(&snapshot)), (vec!["one.conflist".to_owned()], vec!["two"]));
}

#[test]
fn changes_without_end_are_delivered_all_the_same() {
    let mut watched = Watched::at(quick().quiet(LONG * 10).longest(Duration::from_millis(300)));
    watched.mkdir("net.d").next();
    watched.network("net.d/one.conflist", "one").until(["one"]);
}

#[test]
fn a_change_that_the_kernel_does_not_report_is_seen_after_a_while() {
    let mut watched = Watched::at(quick().rescan(Duration::from_millis(50)));
    for name in ["v1", "v2"] {
        watched.mkdir(name).network(&format!("{name}/net.conflist"), name);
    }
    let mut sh = Command::new("sh");
    let sh = sh.args(["-c", "cd v1; read -r _; cd ../v2; read -r _"]).current_dir(watched.path("."));
    let mut moving = sh.stdin(Stdio::piped()).spawn().unwrap();
    watched.link(format!("/proc/{}/cwd", moving.id()), "net.d").until(["v1"]);
    moving.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    watched.until(["v2"]);
    moving.kill().unwrap();
    moving.wait().unwrap();
}
