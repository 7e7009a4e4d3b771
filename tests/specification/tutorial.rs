//! The tutorial shows the plugin that it is about.

use std::fs;

use crate::support::{Document, repository};

#[test]
fn the_tutorial_shows_the_plugin_that_is_there() {
    let tutorial = Document::read("examples/TUTORIAL.md");
    let plugin = fs::read_to_string(repository().join("examples/ttl.rs")).unwrap();
    for part in ["plugin", "tests"] {
        assert!(plugin.contains(&tutorial.example(part)), "`{part}` is not what examples/ttl.rs has");
    }
}
