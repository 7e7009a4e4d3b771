//! `conformance` where nothing is checked. What it finds is tested by the target `conformance`, which needs namespaces.

use libcni::conformance::{Check, Origin};

use super::{host, succeeds};
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
        (&["./no-such-file"], "no-such-file is not a file"),
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
        let [number, level, origin, section, title] = cells[..] else { panic!("{line}") };
        assert!(number.parse::<u16>().is_ok() && ["must", "should"].contains(&level) && !title.is_empty(), "{line}");
        assert!(["official", "go", "ours"].contains(&origin), "{line}");
        assert!(headings.iter().any(|heading| heading.trim_start_matches('#').trim() == section), "{line}");
    }
}

#[test]
fn a_rule_that_is_not_in_the_official_text_is_not_said_to_be() {
    for (number, origin) in
        [(406, Origin::Ours), (302, Origin::Go), (608, Origin::Go), (706, Origin::Go), (803, Origin::Go)]
    {
        assert_eq!(Check::with_id(number).unwrap().origin, origin, "{number}");
    }
}

#[test]
fn every_check_is_explained_on_the_page_in_order() {
    let page = Document::read("src/conformance/CHECKS.md");
    let headings = page.prose().filter_map(|line| line.strip_prefix("## ").map(str::to_owned));
    let checks = Check::all().map(|check| format!("{} {}", check.id, check.title));
    assert_eq!(headings.collect::<Vec<_>>(), checks.collect::<Vec<_>>());
    for check in Check::all() {
        let (does, fix) = check.explanation().split_once("\n\nTo fix it: ").unwrap_or_default();
        assert!(does.len() > 20 && fix.len() > 20 && !fix.contains("\n#"), "{}", check.explanation());
    }
}

#[test]
fn a_check_is_explained_by_its_number() {
    let explain = |number| Ran::new(&mut host().cnitool(["conformance", "--explain", number]));
    let text = succeeds(&mut host().cnitool(["conformance", "--explain", "406"])).stdout();
    for words in
        ["406  its own namespace is refused", "ADD: a plugin must, asked for by this project", "SPECIFICATION.md 2.11"]
    {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
    assert!(text.contains("\nTo fix it: ") && !text.contains('#'), "{text}");
    explain("105").exits_with(2).says("there is no check 105: there are 101 to 104, 201 to 212, ");
    explain("banana").exits_with(2);
}

#[test]
fn options_that_leave_nothing_to_do_or_name_nothing_are_refused() {
    let sandbox = host();
    let none = ["conformance", "one", "--only", "101", "--skip", "101"];
    Ran::new(&mut sandbox.cnitool(none)).exits_with(2).says("leave no check to make");
    Ran::new(&mut sandbox.cnitool(["conformance", "one", "--env", "foo"])).exits_with(2).says("it must be K=V");
    let nowhere = ["conformance", "one", "--show", "/nonexistent"];
    Ran::new(&mut sandbox.cnitool(nowhere)).exits_with(2).says("cannot read /nonexistent");
}
