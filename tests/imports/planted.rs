//! What the guard must catch, planted in a copy of the sources that is in memory only.

use std::sync::LazyLock;

use crate::source::Source;
use crate::violations;

static SOURCE: LazyLock<Source> = LazyLock::new(Source::read);

/// What is found in the sources with these files besides, in one of them.
fn found_with(files: &[(&str, &str)]) -> Vec<String> {
    let mut source = SOURCE.clone();
    for (path, text) in files {
        source.put(path, text);
    }
    let found = violations(&source).into_iter();
    let found = found.filter(|violation| files.iter().any(|(path, _)| *path == violation.file));
    found.map(|violation| violation.to_string()).collect()
}

/// Checks that a file is faulted for one thing.
#[track_caller]
fn is_caught(path: &str, text: &str, expected: &str) {
    assert_eq!(found_with(&[(path, text)]), [format!("{path}:{expected}")], "{text}");
}

/// Checks that a file with a name of its own is not faulted.
#[track_caller]
fn passes(path: &str, text: &str) {
    assert_eq!(found_with(&[(path, text)]), Vec::<String>::new(), "{text}");
}

#[test]
fn a_name_of_the_root_is_the_module_that_has_it() {
    is_caught("src/conf/new.rs", "use crate::Cni;", "1: `conf` may not use `runtime`");
    is_caught("src/conf/new.rs", "use crate::{Chain, Error};", "1: `conf` may not use `error`");
}

#[test]
fn paths_upwards_are_followed() {
    is_caught("src/spec/new.rs", "use super::super::runtime::Keep;", "1: `spec` may not use `runtime`");
    is_caught("src/spec/new.rs", "fn f(_: super::super::cache::Key) {}", "1: `spec` may not use `cache`");
    is_caught("src/spec/new/mod.rs", "use self::super::super::lock::Scope;", "1: `spec` may not use `lock`");
    let inline = "mod inner {\n    use super::super::super::conf::ConfDir;\n}";
    is_caught("src/result/new.rs", inline, "2: `result` may not use `conf`");
}

#[test]
fn groups_are_read_at_every_depth() {
    let tree = "use crate::{\n    spec::{Command, Version},\n    result::{\n        AddResult,\n    },\n};";
    is_caught("src/conf/new.rs", tree, "4: `conf` may not use `result`");
    is_caught(
        "src/conf/new.rs",
        "use {crate::spec::Object, crate::cache::{self, Key}};",
        "1: `conf` may not use `cache`",
    );
}

#[test]
fn other_names_hide_nothing() {
    is_caught("src/conf/new.rs", "use crate::runtime as r;", "1: `conf` may not use `runtime`");
    is_caught("src/conf/new.rs", "use crate as all;", "1: `conf` may not use the whole crate");
    is_caught("src/conf/new.rs", "use super::super::{self as all};", "1: `conf` may not use the whole crate");
    is_caught("src/conf/new.rs", "use crate::*;", "1: `conf` may not use the whole crate");
    is_caught("src/conf/new.rs", "extern crate self as all;", "1: `conf` may not use the whole crate");
}

#[test]
fn paths_in_code_types_and_macros_count() {
    for text in [
        "fn f() {\n    crate::runtime::validate(1)\n}",
        "fn f() -> Vec<\ncrate::runtime::Keep> {}",
        "fn f() {\n    println!(\"{}\", 0..crate::runtime::LIMIT)\n}",
        "macro_rules! m { () => {\n    $crate::runtime::validate(1) } }",
        "#[derive(Debug)]\npub(in crate::runtime) struct A;",
    ] {
        is_caught("src/conf/new.rs", text, "2: `conf` may not use `runtime`");
    }
}

#[test]
fn words_are_not_code() {
    passes(
        "src/conf/new.rs",
        "//! See [`Cni`](crate::runtime::Cni).\n// use crate::cache;\nfn f() -> &'static str { \"crate::lock::x\" }",
    );
    passes(
        "src/conf/new.rs",
        "use crate::spec::Object;\nuse super::error::ConfError;\nfn f<'a>() -> impl Iterator + use<'a> {}",
    );
}

#[test]
fn the_system_is_recognised_however_it_is_imported() {
    let touches = |path: &str| format!("1: this file may not touch the system: `{path}`");
    is_caught("src/spec/new.rs", "use std::{fmt, fs::{self}};", &touches("std::fs"));
    is_caught(
        "src/spec/new.rs",
        "use std::process; fn f() { process::Command::new(\"a\"); }",
        &touches("std::process::Command::new"),
    );
    is_caught("src/spec/new.rs", "use std as s; fn f() { s::env::args(); }", &touches("std::env::args"));
    is_caught("src/spec/new.rs", "use nix::unistd as u;", &touches("nix::unistd"));
    passes("src/spec/new.rs", "use std::{io, process::ExitCode};");
    passes("src/invoke/process/new.rs", "use std::fs;");
    is_caught("src/runtime/new.rs", "use tokio::time;", "1: this file may not use the crate `tokio`");
    passes("src/runtime/asynchronous/new.rs", "use tokio::time;");
}

#[test]
fn a_module_without_a_row_and_a_row_without_a_module_are_told() {
    is_caught("src/utils.rs", "", "1: the table in CONTRIBUTING.md has no row for this module");
    let mut source = SOURCE.clone();
    source.page = source.page.replace("| `spec` | nothing of the crate |", "| `spec` | `gone` |");
    source.page = source.page.replace("`file_state.rs`", "`lost.rs`");
    let found: Vec<_> = violations(&source).iter().map(ToString::to_string).collect();
    for expected in ["`gone` is not there", "`src/invoke/lost.rs` is not there", "src/invoke/file_state.rs"] {
        assert!(found.iter().any(|told| told.contains(expected)), "{expected} is not in {found:?}");
    }
}

#[test]
fn files_of_a_program_that_need_each_other_are_told() {
    let circles = [
        ("use crate::two::Two;", "fn two() { crate::one::one() }"),
        ("use crate::{two::{self as other}};", "use super::one;"),
        ("fn one() { super::two::two() }", "use crate::{one::*};"),
    ];
    for (one, two) in circles {
        let files =
            [("src/bin/new/main.rs", "mod one; mod two;"), ("src/bin/new/one.rs", one), ("src/bin/new/two.rs", two)];
        let expected = [
            "src/bin/new/one.rs:1: needs src/bin/new/two.rs, which needs this file",
            "src/bin/new/two.rs:1: needs src/bin/new/one.rs, which needs this file",
        ];
        assert_eq!(found_with(&files), expected, "{one} {two}");
    }
}

#[test]
fn circles_by_way_of_others_and_of_what_is_above_are_told() {
    let below =
        [("src/bin/new/main.rs", "mod one;\nfn main() { one::one() }"), ("src/bin/new/one.rs", "use crate::Item;")];
    assert_eq!(found_with(&below).len(), 2, "{:?}", found_with(&below));
    let long = [
        ("src/bin/new/a.rs", "use crate::b::B;"),
        ("src/bin/new/b.rs", "use crate::c::C;"),
        ("src/bin/new/c.rs", "\nuse crate::a::A;"),
    ];
    let told = "src/bin/new/c.rs:2: needs src/bin/new/a.rs, which needs this file by way of src/bin/new/b.rs";
    assert!(found_with(&long).iter().any(|found| found == told), "{:?}", found_with(&long));
}

#[test]
fn what_a_file_only_passes_on_is_not_needed_from_it() {
    let files = [
        ("src/bin/new/main.rs", "mod part;\nuse part::Part;"),
        ("src/bin/new/part/mod.rs", "mod one;\nmod two;\npub(crate) use one::One;\npub(crate) use two::Part;"),
        ("src/bin/new/part/one.rs", "pub(crate) struct One;"),
        ("src/bin/new/part/two.rs", "use super::One;\npub(crate) struct Part;"),
    ];
    assert_eq!(found_with(&files), Vec::<String>::new());
}
