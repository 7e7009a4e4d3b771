//! What is not understood is passed on as it was written.

use libcni::conf::NetworkConfig;
use libcni::spec::Object;
use proptest::collection::vec;
use proptest::prelude::*;

use super::made_up::{json, object};

/// A JSON text without the white space between its tokens.
fn compact(text: &str) -> String {
    let mut inside = false;
    let mut escaped = false;
    let mut out = String::new();
    for c in text.chars() {
        if inside || !c.is_ascii_whitespace() {
            out.push(c);
        }
        inside ^= c == '"' && !escaped;
        escaped = inside && c == '\\' && !escaped;
    }
    out
}

proptest! {
    #![proptest_config(super::few())]

    #[test]
    fn an_object_prints_as_it_was_written(pairs in vec(("[a-c]", json()), 0..9)) {
        let pairs: Vec<_> = pairs.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        let text = format!("{{{}}}", pairs.join(","));
        prop_assert_eq!(Object::parse(&text).unwrap().to_string(), text);
    }

    #[test]
    fn indenting_keeps_every_token(object in object("\\PC{0,5}")) {
        let pretty = object.to_json_pretty();
        prop_assert_eq!(compact(&pretty), object.to_string());
        prop_assert_eq!(Object::parse(&pretty).unwrap().to_json_pretty(), pretty);
    }

    #[test]
    fn a_configuration_keeps_its_text(own in object("x[a-z]{0,3}"), of_list in object("x[a-z]{0,3}")) {
        let mut plugin = own.clone();
        plugin.set("type", "one");
        let mut list = of_list;
        list.set("name", "net");
        list.set("plugins", &[&plugin]);
        let network = NetworkConfig::parse(&list.to_string()).unwrap();
        prop_assert_eq!(network.text(), list.to_string());
        prop_assert_eq!(network.plugins()[0].object().to_string(), plugin.to_string());
        let lifted = NetworkConfig::from_plugin(&plugin.to_string()).unwrap();
        let read = NetworkConfig::parse(lifted.text()).unwrap();
        prop_assert_eq!(read.plugins(), lifted.plugins());
    }
}
