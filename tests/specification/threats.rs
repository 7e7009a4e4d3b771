//! tests/THREATS.md: every threat has a number, and names tests that exist.

use super::promises::{Item, exists, items};

fn threats() -> Vec<Item> {
    items("tests/THREATS.md", "T")
}

#[test]
fn threats_are_numbered_from_1_without_gaps() {
    let mut numbers: Vec<_> = threats().iter().map(|threat| threat.number).collect();
    numbers.sort_unstable();
    assert!(!numbers.is_empty());
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
}

#[test]
fn every_threat_names_tests_that_exist() {
    for threat in threats() {
        assert!(!threat.tests().is_empty(), "T-{} names no test", threat.number);
        for (path, name) in threat.tests() {
            assert!(exists(path, name), "T-{}: {path} has no test {name}", threat.number);
        }
    }
}
