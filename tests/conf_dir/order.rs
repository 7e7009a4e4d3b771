//! Which file wins, and what else is read for it.

use std::fs;

use libcni::conf::{LoadError, Loaded};

use crate::support::Sandbox;

#[track_caller]
fn plugins(loaded: &Loaded) -> Vec<&str> {
    loaded.network.plugins().iter().map(|plugin| plugin.plugin_type()).collect()
}

fn list(plugin: &str) -> String {
    format!(r#"{{"name":"net","plugins":[{{"type":"{plugin}"}}]}}"#)
}

fn single(plugin: &str) -> String {
    format!(r#"{{"name":"net","type":"{plugin}"}}"#)
}

#[test]
fn lists_win_over_single_plugins_and_the_first_name_wins() {
    let sandbox = Sandbox::new().file("00.conf", single("conf")).file("20.conflist", list("second"));
    let sandbox = sandbox.file("10.conflist", list("first")).file("9.conflist", list("text-order"));
    assert_eq!(plugins(&sandbox.conf_dir().load("net").unwrap()), ["first"]);
    fs::remove_file(sandbox.net_d().join("10.conflist")).unwrap();
    assert_eq!(plugins(&sandbox.conf_dir().load("net").unwrap()), ["second"]);
    for name in ["20.conflist", "9.conflist"] {
        fs::remove_file(sandbox.net_d().join(name)).unwrap();
    }
    assert_eq!(plugins(&sandbox.conf_dir().load("net").unwrap()), ["conf"]);
}

#[test]
fn files_after_the_network_are_not_looked_at() {
    let sandbox = Sandbox::new().file("10.conflist", list("first")).file("20.conflist", "{").file("00.conf", "{");
    let loaded = sandbox.conf_dir().load("net").unwrap();
    assert!(loaded.skipped.is_empty(), "{:?}", loaded.skipped);
}

#[test]
fn other_files_are_no_configuration() {
    let sandbox = Sandbox::new().file("a.conflist.bak", "{").file("b.txt", "{").file("conflist", "{");
    let sandbox = sandbox.file("c.CONFLIST", "{").file("z.conflist", list("first"));
    let loaded = sandbox.conf_dir().load("net").unwrap();
    assert!(loaded.skipped.is_empty(), "{:?}", loaded.skipped);
}

#[test]
fn a_list_takes_the_plugins_of_its_folder_unless_it_says_otherwise() {
    let sandbox = Sandbox::new().file("net.conflist", list("inline"));
    fs::create_dir(sandbox.net_d().join("net")).unwrap();
    let sandbox = sandbox.file("net/20.conf", single("late")).file("net/10.conf", single("early"));
    let sandbox = sandbox.file("net/note.txt", "{");
    assert_eq!(plugins(&sandbox.conf_dir().load("net").unwrap()), ["inline", "early", "late"]);
    let only = list("inline").replacen('{', r#"{"loadOnlyInlinedPlugins":true,"#, 1);
    let sandbox = sandbox.file("net.conflist", only);
    assert_eq!(plugins(&sandbox.conf_dir().load("net").unwrap()), ["inline"]);
}

#[test]
fn a_list_named_after_a_place_outside_reads_nothing_there() {
    for name in ["../other", "..", ".", "/etc", "a/../../other", ""] {
        let sandbox = Sandbox::new();
        for dir in ["other", "net.d/a"] {
            fs::create_dir(sandbox.path(dir)).unwrap();
        }
        for dir in ["other", "."] {
            fs::write(sandbox.path(dir).join("10.conf"), single("outside")).unwrap();
        }
        let inline = list("inline").replace("\"net\"", &format!("{name:?}"));
        let sandbox = sandbox.file("x.conflist", inline);
        assert_eq!(plugins(&sandbox.conf_dir().load(name).unwrap()), ["inline"], "{name}");
        let sandbox = sandbox.file("x.conflist", format!(r#"{{"name":{name:?}}}"#));
        let error = sandbox.conf_dir().load(name).unwrap_err();
        assert!(matches!(error, LoadError::Config(_)), "{name}: {error:?}");
    }
}

#[test]
fn a_network_is_found_among_five_thousand_files() {
    let mut sandbox = Sandbox::new();
    for n in 0..5000 {
        let text = format!(r#"{{"name":"net-{n}","plugins":[{{"type":"one"}}]}}"#);
        sandbox = sandbox.file(&format!("{n:05}.conflist"), text);
    }
    let loaded = sandbox.conf_dir().load("net-4999").unwrap();
    assert_eq!(loaded.network.path(), Some(&*sandbox.net_d().join("04999.conflist")));
    assert!(matches!(sandbox.conf_dir().load("net-5000"), Err(LoadError::NotFound { .. })));
}
