//! `cnitool completions` and `cnitool man`.

use std::process::{Command, Stdio};

use super::succeeds;
use crate::support::{Ran, Sandbox};

const VERBS: [&str; 13] = [
    "add",
    "check",
    "del",
    "update",
    "gc",
    "status",
    "inspect",
    "validate",
    "versions",
    "list",
    "run",
    "completions",
    "man",
];

/// What bash offers after this line.
#[track_caller]
fn offered(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let script = succeeds(&mut sandbox.cnitool(["completions", "bash"])).stdout();
    let last = words.len() - 1;
    let words: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let line = format!("{script}\nCOMP_WORDS=({}); COMP_CWORD={last}", words.join(" "));
    let line =
        format!("{line}; _cnitool cnitool {} {}; printf '%s\\n' \"${{COMPREPLY[@]}}\"", words[last], words[last - 1]);
    let ran = Ran::new(Command::new("bash").args(["-c", &line]).stdin(Stdio::null())).exits_with(0);
    ran.stdout().lines().map(str::to_owned).collect()
}

#[test]
fn a_shell_completes_verbs_and_options() {
    let sandbox = Sandbox::new();
    let all = offered(&sandbox, &["cnitool", ""]);
    VERBS.iter().for_each(|verb| assert!(all.iter().any(|word| word == verb), "{verb} is not in: {all:?}"));
    assert_eq!(offered(&sandbox, &["cnitool", "vali"]), ["validate"]);
    assert_eq!(offered(&sandbox, &["cnitool", "list", "netw"]), ["networks"]);
    assert_eq!(offered(&sandbox, &["cnitool", "add", "--roll"]), ["--rollback"]);
}

#[test]
fn there_are_completions_for_every_common_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = succeeds(&mut Sandbox::new().cnitool(["completions", shell])).stdout();
        assert!(script.contains("validate") && script.contains("trace-file"), "{shell}");
    }
    Ran::new(&mut Sandbox::new().cnitool(["completions", "tcsh"])).exits_with(2).says("bash");
}

#[test]
fn the_manual_page_has_all_verbs_and_what_scripts_rely_on() {
    let page = succeeds(&mut Sandbox::new().cnitool(["man"])).stdout();
    for words in ["\n.TH cnitool 1 ", ".SH \"EXIT STATUS\"", "NETCONFPATH", "CAP_ARGS", "/var/lib/cni"] {
        assert!(page.contains(words), "{words:?} is not in: {page}");
    }
    VERBS.iter().for_each(|verb| assert!(page.contains(&format!("cnitool\\-{verb}(1)")), "{verb} is not in: {page}"));
}

#[test]
fn every_verb_has_a_manual_page_of_its_own() {
    let sandbox = Sandbox::new();
    for verb in VERBS {
        let page = succeeds(&mut sandbox.cnitool(["man", verb])).stdout();
        assert!(page.contains(&format!("\n.TH cnitool-{verb} 1 ")), "{page}");
    }
    let page = succeeds(&mut sandbox.cnitool(["man", "list", "networks"])).stdout();
    assert!(page.contains("\n.TH cnitool-list-networks 1 ") && page.contains("\\-\\-plain"), "{page}");
    Ran::new(&mut sandbox.cnitool(["man", "list", "nothing"])).exits_with(2).says("`list nothing`");
}

/// What a page has in a section.
fn section(page: &str, title: &str) -> String {
    let page = page.replace('\\', "");
    let (_, rest) = page.split_once(&format!(".SH {title}\n")).unwrap_or_else(|| panic!("no {title} in: {page}"));
    rest.split("\n.SH").next().unwrap_or_default().to_owned()
}

#[test]
fn the_page_of_a_verb_has_what_that_verb_uses() {
    let sandbox = Sandbox::new();
    let page = |verb: &str| succeeds(sandbox.cnitool(["man"]).args(verb.split(' '))).stdout();
    for verb in VERBS.into_iter().chain(["conformance", "list networks", "list attachments", "list plugins"]) {
        let page = page(verb);
        assert!(section(&page, "EXAMPLES").contains(&format!("cnitool {verb}")), "{page}");
        assert!(section(&page, "\"EXIT STATUS\"").contains("fB2fR"), "{page}");
        assert!(section(&page, "\"SEE ALSO\"").contains("cnitool(1)"), "{page}");
    }
    let add = page("add");
    for variable in ["NETCONFPATH", "CNI_PATH", "CNI_IFNAME", "CNI_ARGS", "CAP_ARGS", "CNITOOL_COMPAT"] {
        assert!(section(&add, "ENVIRONMENT").contains(variable), "{add}");
    }
    let gc = section(&page("gc"), "ENVIRONMENT");
    assert!(gc.contains("NETCONFPATH") && !gc.contains("CNI_IFNAME") && !gc.contains("CAP_ARGS"), "{gc}");
    let files = section(&page("list attachments"), "FILES");
    assert!(files.contains("/var/lib/cni") && !files.contains("/opt/cni/bin"), "{files}");
    assert!(section(&page("run"), "\"EXIT STATUS\"").contains("of the command"));
}

#[test]
fn the_help_of_the_tool_has_an_example_of_each_verb_and_the_manual_installs_the_page_of_each() {
    let sandbox = Sandbox::new();
    let help = succeeds(&mut sandbox.cnitool(["--help"])).stdout();
    let (_, examples) = help.split_once("\nExamples:\n").unwrap();
    let manual = include_str!("../../src/bin/cnitool/README.md");
    let (_, pages) = manual.split_once("\nfor verb in ").unwrap();
    let pages: Vec<_> = pages.split_once("; do").unwrap().0.split(' ').collect();
    for verb in VERBS.into_iter().chain(["conformance"]) {
        assert!(examples.contains(&format!("  cnitool {verb}")), "{verb} is not in: {examples}");
        assert!(pages.contains(&verb), "{verb} is not in: {pages:?}");
    }
}

#[test]
fn the_help_of_a_verb_has_its_own_options_and_an_example() {
    let sandbox = Sandbox::new();
    let help = |verb: &str| succeeds(sandbox.cnitool([]).args(verb.split(' ')).arg("--help")).stdout();
    for verb in VERBS.into_iter().chain(["conformance", "list networks", "list attachments", "list plugins"]) {
        let help = help(verb);
        assert!(help.contains(&format!("\nExamples:\n  cnitool {verb}")), "{help}");
    }
    for (verb, others) in [
        ("gc", &["--container-id", "--ifname", "--cap", "--arg", "--rollback"][..]),
        ("list attachments", &["--plugin-dir", "--timeout", "--cap", "--ifname"]),
        ("status", &["--cache-dir", "--lock-timeout", "--container-id"]),
    ] {
        let help = help(verb);
        others.iter().for_each(|option| assert!(!help.contains(option), "{option} is in: {help}"));
    }
}
