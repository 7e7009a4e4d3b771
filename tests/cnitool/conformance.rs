//! `conformance` where nothing is checked. What it finds is tested by the target `conformance`, which needs namespaces.

use super::host;
use crate::support::{Document, Ran};

#[test]
fn wrong_usage_has_exit_status_2() {
    let sandbox =
        host().file("other.conflist", r#"{"name": "x", "plugins": [{"type": "other"}, {"type": "another"}]}"#);
    let sandbox = sandbox.file("single.conf", r#"{"name": "x", "cniVersion": "9.9.9", "type": "other"}"#);
    let [config, single] = ["other.conflist", "single.conf"].map(|file| sandbox.net_d().join(file));
    for (arguments, word) in [
        (&[][..], "<PLUGIN>"),
        (&["no-such-plugin"], "`no-such-plugin`"),
        (&["./no-such-file"], "no-such-file is no file"),
        (&["one", "--only", "1"], "there is no check 1"),
        (&["one", "--format", "xml"], "xml"),
        (&["one", "--format", "tap", "--json"], "--json"),
        (&["one", "--config", "/no-such-file"], "/no-such-file"),
        (&["one", "--config", config.to_str().unwrap()], "other.conflist"),
        (&["one", "--config", single.to_str().unwrap()], "no plugin of type `one`"),
        (&["one", "--prev-result", "/no-such-file"], "/no-such-file"),
        (&["one", "--prev-result", single.to_str().unwrap()], "single.conf"),
    ] {
        let mut command = sandbox.cnitool(["conformance"]);
        Ran::new(command.args(arguments)).exits_with(2).says(word);
    }
    assert!(sandbox.calls().is_empty());
}

#[test]
fn what_cannot_be_run_is_one_line() {
    let sandbox = host().file("text", "hello");
    let text = sandbox.net_d().join("text");
    let conformance = || {
        let mut command = sandbox.cnitool(["conformance"]);
        command.arg(&text);
        Ran::new(&mut command).exits_with(2)
    };
    let ran = conformance().says("can't be executed").says("chmod +x");
    assert_eq!((ran.stdout().as_str(), ran.stderr().lines().count()), ("", 1), "{ran}");
    std::fs::set_permissions(&text, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let ran = conformance();
    assert_eq!((ran.stdout().as_str(), ran.stderr().lines().count()), ("", 1), "{ran}");
}

#[test]
fn a_plugin_beside_us_is_suggested() {
    let sandbox = host().file("my-plugin", "#!/bin/sh");
    let mut command = sandbox.cnitool(["conformance", "my-plugin"]);
    Ran::new(command.current_dir(sandbox.net_d())).exits_with(2).says("did you mean ./my-plugin?");
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
