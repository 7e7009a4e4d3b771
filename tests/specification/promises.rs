//! tests/PROMISES.md: every promise has a number, and names tests that exist.

use std::fs;

use crate::support::{Document, repository};

/// An item that tests hold: its number, and what it says, in one line.
pub(super) struct Item {
    pub(super) number: usize,
    text: String,
}

/// The items of a page's lists that begin with a letter and a number in bold.
pub(super) fn items(page: &str, letter: &str) -> Vec<Item> {
    let begin = format!("- **{letter}-");
    let mut items: Vec<Item> = Vec::new();
    for line in Document::read(page).prose() {
        match line.strip_prefix(&begin).and_then(|rest| rest.split_once("** ")) {
            Some((number, text)) => items.push(Item { number: number.parse().unwrap(), text: text.to_owned() }),
            None if line.starts_with("  ") && !items.is_empty() => {
                let last = &mut items.last_mut().unwrap().text;
                *last = format!("{last} {}", line.trim());
            }
            None => {}
        }
    }
    items
}

fn promises() -> Vec<Item> {
    items("tests/PROMISES.md", "P")
}

impl Item {
    /// The tests that it names: file and name.
    pub(super) fn tests(&self) -> Vec<(&str, &str)> {
        let spans = self.text.split('`').skip(1).step_by(2);
        let references = spans.filter_map(|span| span.split_once(": "));
        let is_path = |path: &str| ["tests/", "src/", "examples/"].iter().any(|dir| path.starts_with(dir));
        let references = references.filter(|(path, _)| is_path(path));
        references.flat_map(|(path, names)| names.split(", ").map(move |name| (path, name))).collect()
    }
}

/// Whether a file has a test of this name: a function, a trial of the kernel tests, or a recorded case.
pub(super) fn exists(path: &str, name: &str) -> bool {
    let Ok(text) = fs::read_to_string(repository().join(path)) else { return false };
    match path.rsplit_once('.') {
        Some((_, "json")) => {
            let cases: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
            cases.iter().any(|case| case["name"] == name)
        }
        _ if path.starts_with("tests/kernel/") => text.contains(&format!("::{name}\"")),
        // Its trials are made from functions that say which of them failed.
        _ if path.starts_with("tests/conformance/") => {
            text.contains(&format!("fn {name}(")) || text.contains(&format!("\"{name}\""))
        }
        _ => text.split("#[test]").skip(1).any(|test| is_function(test, name)),
    }
}

/// Whether the first function in a text has this name.
fn is_function(text: &str, name: &str) -> bool {
    let signature = text.split_once("fn ").map(|(_, rest)| rest);
    signature.is_some_and(|rest| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with("()")))
}

#[test]
fn promises_are_numbered_from_1_without_gaps() {
    let mut numbers: Vec<_> = promises().iter().map(|promise| promise.number).collect();
    numbers.sort_unstable();
    assert!(!numbers.is_empty());
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
}

#[test]
fn every_promise_names_tests_that_exist() {
    for promise in promises() {
        assert!(!promise.tests().is_empty(), "P-{} names no test", promise.number);
        for (path, name) in promise.tests() {
            assert!(exists(path, name), "P-{}: {path} has no test {name}", promise.number);
        }
    }
}

#[test]
fn a_test_that_does_not_exist_is_noticed() {
    for (path, name) in [
        ("tests/specification/promises.rs", "exists"),
        ("tests/specification/promises.rs", "a_test_that_does_not"),
        ("tests/vectors/request.json", "no_such_case"),
        ("tests/no_such_file.rs", "exists"),
    ] {
        assert!(!exists(path, name), "{path}: {name}");
    }
    assert!(exists("tests/specification/promises.rs", "a_test_that_does_not_exist_is_noticed"));
}
