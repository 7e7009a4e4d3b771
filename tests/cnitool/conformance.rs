//! `conformance` where nothing is checked. What it finds is tested by the target `conformance`, which needs namespaces.

use super::host;
use crate::support::{Document, Ran};

#[test]
fn wrong_usage_has_exit_status_2() {
    let sandbox =
        host().file("other.conflist", r#"{"name": "x", "plugins": [{"type": "other"}, {"type": "another"}]}"#);
    let config = sandbox.net_d().join("other.conflist");
    for (arguments, word) in [
        (&[][..], "<PLUGIN>"),
        (&["no-such-plugin"], "`no-such-plugin`"),
        (&["./no-such-file"], "no-such-file is no file"),
        (&["one", "--only", "1"], "there is no check 1"),
        (&["one", "--format", "xml"], "xml"),
        (&["one", "--format", "tap", "--json"], "--json"),
        (&["one", "--config", "/no-such-file"], "/no-such-file"),
        (&["one", "--config", config.to_str().unwrap()], "other.conflist"),
    ] {
        let mut command = sandbox.cnitool(["conformance"]);
        Ran::new(command.args(arguments)).exits_with(2).says(word);
    }
    assert!(sandbox.calls().is_empty());
}

#[test]
fn every_check_cites_a_section_of_the_specification() {
    let ran = Ran::new(&mut host().cnitool(["conformance", "--list"])).exits_with(0);
    let specification = Document::read("SPECIFICATION.md");
    let headings: Vec<_> = specification.prose().filter_map(|line| line.strip_prefix("##")).collect();
    for line in ran.stdout().lines() {
        let cells: Vec<_> = line.split('\t').collect();
        let [number, level, section, title] = cells[..] else { panic!("{line}") };
        assert!(number.parse::<u16>().is_ok() && ["must", "should"].contains(&level) && !title.is_empty(), "{line}");
        assert!(headings.iter().any(|heading| heading.trim_start_matches('#').trim() == section), "{line}");
    }
}
