//! A list that is changed keeps what is not changed, and its file is replaced in one step.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use libcni::conf::{ConfError, ListEdit, PluginConfig, Problem, edit_file};
use serde_json::json;

use crate::support::{Sandbox, chain};

/// Lists as people and programs write them.
const LAYOUTS: [&str; 7] = [
    r#"{"name":"n","plugins":[{"type":"a","n":1e400}]}"#,
    r#"{ "name": "n", "plugins": [ {"type": "a"}, {"type": "b"} ], "last": [1,  2] }"#,
    "{\n  \"name\": \"n\",\n  \"plugins\": [\n    {\n      \"type\": \"a\"\n    }\n  ]\n}\n",
    "{\n\t\"name\": \"n\",\n\t\"plugins\": [{\n\t\t\"type\": \"a\"\n\t}, {\n\t\t\"type\": \"b\"\n\t}]\n}\n",
    "{\r\n  \"name\": \"n\",\r\n  \"plugins\": [\r\n    {\"type\": \"a\"}\r\n  ]\r\n}\r\n",
    "\n{\"plugins\" : [{\"type\":\"x\"}], \"name\":\"n\", \"plugins\" :\n[{\"Type\":\"a\",\"type\":\"a\"}]}\n\n",
    r#"{"name": "\ud83d\ude00 ü", "id": 12345678901234567890.10, "plugins": [{"type": "a", "x": {"k" :1, "k": 2}}]}"#,
];

fn plugin(text: &str) -> PluginConfig {
    PluginConfig::parse(text).unwrap()
}

#[track_caller]
fn edited(text: &str, edit: impl FnOnce(&mut ListEdit) -> Result<(), ConfError>) -> String {
    let mut list = ListEdit::parse(text).unwrap();
    edit(&mut list).unwrap();
    list.network().unwrap_or_else(|error| panic!("{error}: {}", list.text()));
    list.text().to_owned()
}

fn types(text: &str) -> Vec<String> {
    let network = libcni::conf::NetworkConfig::parse(text).unwrap();
    network.plugins().iter().map(|plugin| plugin.plugin_type().to_owned()).collect()
}

#[test]
fn a_plugin_that_is_added_anywhere_and_removed_again_leaves_every_byte_as_it_was() {
    let new = plugin(r#"{"type":"new","capabilities":{"bandwidth":true},"list":[1,[],{}],"text":"a\n  \"b"}"#);
    for text in LAYOUTS {
        let count = types(text).len();
        for index in 0..=count {
            let with = edited(text, |list| list.insert(index, &new));
            let mut expected = types(text);
            expected.insert(index, "new".to_owned());
            assert_eq!(types(&with), expected, "{with}");
            let object = libcni::conf::NetworkConfig::parse(&with).unwrap().plugins()[index].object().to_string();
            let compact = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(compact(&object), compact(&new.object().to_string()));
            assert_eq!(edited(&with, |list| list.remove(index)), text, "with it:\n{with}");
        }
        assert_eq!(edited(text, |list| list.push(&new)), edited(text, |list| list.insert(count, &new)));
    }
}

#[test]
fn a_key_that_is_set_and_set_back_or_removed_leaves_every_byte_as_it_was() {
    for text in LAYOUTS {
        let changed = edited(text, |list| list.set_in_plugin(0, "type", "other"));
        assert_eq!(types(&changed)[0], "other", "{changed}");
        assert_eq!(edited(&changed, |list| list.set_in_plugin(0, "type", "a")), text);
        let changed = edited(text, |list| list.set_in_plugin(0, "ipam", &json!({"type": "host-local"})));
        assert_eq!(libcni::conf::NetworkConfig::parse(&changed).unwrap().plugins()[0].ipam_type(), Some("host-local"));
        assert_eq!(edited(&changed, |list| list.unset_in_plugin(0, "ipam")), text);
        let changed = edited(text, |list| list.set("cniVersion", "1.0.0"));
        assert_eq!(libcni::conf::NetworkConfig::parse(&changed).unwrap().cni_version(), Some("1.0.0"));
        assert_eq!(edited(&changed, |list| list.unset("cniVersion")), text);
    }
}

#[test]
fn what_is_new_is_laid_out_like_its_neighbours() {
    let new = plugin(r#"{"type":"new","capabilities":{"mac":true}}"#);
    let text = LAYOUTS[2];
    assert_eq!(
        edited(text, |list| list.push(&new)),
        text.replace(
            "    }\n  ]",
            "    },\n    {\n      \"type\": \"new\",\n      \"capabilities\": {\n        \"mac\": true\n      }\n    }\n  ]"
        )
    );
    let text = LAYOUTS[3];
    assert_eq!(
        edited(text, |list| list.push(&new)),
        text.replace(
            "}]\n}",
            "}, {\n\t\t\"type\": \"new\",\n\t\t\"capabilities\": {\n\t\t\t\"mac\": true\n\t\t}\n\t}]\n}"
        )
    );
    assert_eq!(
        edited(LAYOUTS[0], |list| list.push(&new)),
        r#"{"name":"n","plugins":[{"type":"a","n":1e400},{"type":"new","capabilities":{"mac":true}}]}"#
    );
    let text = LAYOUTS[4];
    let with = edited(text, |list| list.push(&new));
    assert!(with.contains("{\"type\": \"a\"},\r\n    {\r\n      \"type\": \"new\""), "{with:?}");
    assert!(!with.replace("\r\n", "").contains('\n'), "{with:?}");
}

#[test]
fn a_plugin_is_replaced_in_its_place() {
    let text = LAYOUTS[1];
    let replaced = edited(text, |list| list.replace(1, &plugin(r#"{"type":"c"}"#)));
    assert_eq!(replaced, text.replace(r#"{"type": "b"}"#, r#"{"type":"c"}"#));
}

#[test]
fn a_list_of_a_folder_gets_plugins_of_its_own() {
    let text = "{\n  \"name\": \"n\"\n}\n";
    let with = edited(text, |list| list.push(&plugin(r#"{"type":"a"}"#)));
    assert_eq!(with, "{\n  \"name\": \"n\",\n  \"plugins\": [\n    {\n      \"type\": \"a\"\n    }\n  ]\n}\n");
    let mut list = ListEdit::parse(LAYOUTS[2]).unwrap();
    list.remove(0).unwrap();
    assert!(matches!(list.network().unwrap_err().problem(), Problem::NoPlugins));
    list.push(&plugin(r#"{"type":"a"}"#)).unwrap();
    assert_eq!(list.text(), LAYOUTS[2]);
}

#[test]
fn a_key_of_a_plugin_is_found_in_any_case_and_that_of_a_list_exactly() {
    let text = r#"{"name":"n","NAME":"x","plugins":[{"type":"a","MTU":1,"mtu":2}]}"#;
    let changed = edited(text, |list| list.set_in_plugin(0, "mtu", &9));
    assert_eq!(changed, text.replace("1,", "9,").replace(":2}", ":9}"));
    assert_eq!(edited(text, |list| list.set("name", "m")), text.replace(r#""n""#, r#""m""#));
    assert_eq!(edited(text, |list| list.unset_in_plugin(0, "Mtu")), text.replace(r#","MTU":1,"mtu":2"#, ""));
}

#[test]
fn what_can_not_be_done_is_an_error_that_says_so() {
    let mut list = ListEdit::parse(LAYOUTS[1]).unwrap();
    let new = plugin(r#"{"type":"new"}"#);
    for error in [
        list.insert(3, &new).unwrap_err(),
        list.replace(2, &new).unwrap_err(),
        list.remove(2).unwrap_err(),
        list.set_in_plugin(2, "mtu", &1).unwrap_err(),
        list.unset_in_plugin(7, "mtu").unwrap_err(),
    ] {
        assert!(error.to_string().ends_with("in the list, which has 2"), "{error}");
    }
    let maps = std::collections::BTreeMap::from([((1, 2), 3)]);
    let error = list.set("x", &maps).unwrap_err();
    assert!(chain(&error).contains("the value for `x` can't be written as JSON: key must be a string"), "{error}");
    assert_eq!(list.text(), LAYOUTS[1]);
    list.set("plugins", &7).unwrap();
    assert!(list.push(&new).unwrap_err().to_string().contains("`plugins` must be a list of objects"));
    let error = ListEdit::parse(r#"{"name":"n","type":"a"}"#).unwrap_err();
    assert!(error.to_string().contains("this is a single plugin, not a list"), "{error}");
    assert!(ListEdit::parse("{").is_err() && ListEdit::parse("null").is_err() && ListEdit::parse("[]").is_err());
}

fn file() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new().file("10-net.conflist", LAYOUTS[2]);
    let path = sandbox.net_d().join("10-net.conflist");
    (sandbox, path)
}

fn push(list: &mut ListEdit) -> Result<(), ConfError> {
    list.push(&plugin(r#"{"type":"new"}"#))
}

#[test]
fn a_file_keeps_its_mode_and_leaves_no_other_beside_it() {
    let (sandbox, path) = file();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(edit_file(&path, push).unwrap());
    assert_eq!(types(&fs::read_to_string(&path).unwrap()), ["a", "new"]);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
    assert_eq!(fs::read_dir(sandbox.net_d()).unwrap().count(), 1);
}

#[test]
fn a_file_is_replaced_and_not_written_into() {
    let (sandbox, path) = file();
    let other_name = sandbox.path("other-name");
    fs::hard_link(&path, &other_name).unwrap();
    edit_file(&path, push).unwrap();
    assert_eq!(fs::read_to_string(other_name).unwrap(), LAYOUTS[2]);
}

#[test]
fn what_a_link_leads_to_is_replaced_and_the_link_stays() {
    let (sandbox, path) = file();
    let link = sandbox.net_d().join("20-link.conflist");
    symlink("10-net.conflist", &link).unwrap();
    assert!(edit_file(&link, push).unwrap());
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(types(&fs::read_to_string(&path).unwrap()), ["a", "new"]);
}

#[test]
fn a_file_that_needs_no_change_is_not_written() {
    let (_sandbox, path) = file();
    let inode = fs::metadata(&path).unwrap().ino();
    assert!(!edit_file(&path, |list| list.set_in_plugin(0, "type", "a")).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
}

/// Nothing is written, and nothing else is left behind.
#[track_caller]
fn is_refused(content: &[u8], edit: impl FnOnce(&mut ListEdit) -> Result<(), ConfError>) -> String {
    let (sandbox, path) = file();
    fs::write(&path, content).unwrap();
    let message = chain(&edit_file(&path, edit).unwrap_err());
    assert!(message.contains("10-net.conflist"), "{message}");
    assert_eq!(fs::read(&path).unwrap(), content);
    assert_eq!(fs::read_dir(sandbox.net_d()).unwrap().count(), 1);
    message
}

#[test]
fn a_file_that_can_not_be_kept_as_it_is_or_loaded_afterwards_is_left_alone() {
    assert!(is_refused(b"{\"name\":\"\xff\",\"plugins\":[{\"type\":\"a\"}]}", push).contains("not UTF-8"));
    assert!(is_refused(b"{", push).contains(":1:1: not a JSON object"));
    let list = LAYOUTS[2].as_bytes();
    assert!(is_refused(list, |list| list.remove(0)).contains("the list has no plugins"));
    assert!(is_refused(list, |list| list.set_in_plugin(0, "capabilities", &7)).contains("`capabilities`"));
    assert!(is_refused(list, |list| list.remove(5)).contains("there is no plugin 5"));
}

#[test]
fn a_file_that_somebody_else_changed_meanwhile_is_left_to_them() {
    let (sandbox, path) = file();
    let error = edit_file(&path, |list| {
        fs::write(&path, LAYOUTS[0]).unwrap();
        push(list)
    });
    assert!(matches!(error.unwrap_err().problem(), Problem::Changed));
    assert_eq!(fs::read_to_string(&path).unwrap(), LAYOUTS[0]);
    assert_eq!(fs::read_dir(sandbox.net_d()).unwrap().count(), 1);
}
