//! What serde reads of a document, the rule for reading JSON reads as well.

use std::collections::BTreeMap;

use libcni::plugin::Config;
use libcni::spec::Object;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::made_up::{json, object};

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    whole: i64,
    port: u16,
    ratio: f64,
    is_on: Option<bool>,
    some_text: String,
    letter: Option<char>,
    mode: Mode,
    pair: (u8, String),
    entries: Vec<Option<Inner>>,
    table: BTreeMap<String, Vec<i8>>,
    ports: BTreeMap<u16, Inner>,
    anything: Value,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Inner {
    range_start: Option<std::net::IpAddr>,
    deeper: Option<Box<Inner>>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Plain,
    Number(u32),
    Fields {
        x: String,
    },
}

fn inner() -> impl Strategy<Value = Inner> {
    let leaf = option::of(any::<std::net::IpAddr>()).prop_map(|range_start| Inner { range_start, deeper: None });
    leaf.prop_recursive(3, 3, 1, |deeper| {
        (option::of(any::<std::net::IpAddr>()), deeper)
            .prop_map(|(range_start, deeper)| Inner { range_start, deeper: Some(Box::new(deeper)) })
    })
}

fn document() -> impl Strategy<Value = Document> {
    let mode = prop_oneof![
        Just(Mode::Plain),
        any::<u32>().prop_map(Mode::Number),
        "\\PC{0,4}".prop_map(|x| Mode::Fields { x })
    ];
    let numbers = (any::<i64>(), any::<u16>(), -1e9..1e9f64, option::of(any::<bool>()));
    let texts = ("\\PC*", option::of(any::<char>()), mode, (any::<u8>(), "\\PC{0,5}"));
    let lists = (
        vec(option::of(inner()), 0..4),
        btree_map("\\PC{0,5}", vec(any::<i8>(), 0..3), 0..3),
        btree_map(any::<u16>(), inner(), 0..3),
        json(),
    );
    (numbers, texts, lists).prop_map(|(numbers, texts, lists)| {
        let (whole, port, ratio, is_on) = numbers;
        let (some_text, letter, mode, pair) = texts;
        let (entries, table, ports, anything) = lists;
        let anything = serde_json::from_str(&anything).unwrap_or_default();
        Document { whole, port, ratio, is_on, some_text, letter, mode, pair, entries, table, ports, anything }
    })
}

fn read(object: &Object) -> Result<Document, String> {
    let mut config = object.clone();
    config.set("name", "net");
    let config = Config::parse(config.to_string().as_bytes()).unwrap();
    config.typed().map_err(|error| error.to_string())
}

/// The same with the keys of every object in another case.
fn shouted(value: Value) -> Value {
    match value {
        Value::Object(pairs) => pairs.into_iter().map(|(key, value)| (key.to_uppercase(), shouted(value))).collect(),
        Value::Array(entries) => entries.into_iter().map(shouted).collect(),
        other => other,
    }
}

proptest! {
    #![proptest_config(super::few())]

    #[test]
    fn what_is_written_by_serde_is_read_as_serde_reads_it(document in document()) {
        let object = Object::parse(&serde_json::to_string(&document).unwrap()).unwrap();
        let plain: Document = serde_json::from_str(&object.to_string()).unwrap();
        // The last digit of serde_json may be another one.
        prop_assert_eq!(read(&object).unwrap(), Document { ratio: document.ratio, ..plain });
    }

    #[test]
    fn the_case_of_keys_does_not_matter(document in document()) {
        // The keys of maps are data.
        let document = Document { table: BTreeMap::new(), anything: Value::Null, ..document };
        let object: Object = serde_json::from_value(shouted(serde_json::to_value(&document).unwrap())).unwrap();
        prop_assert_eq!(read(&object).unwrap(), document);
    }

    #[test]
    fn what_serde_reads_of_anything_is_read_the_same(
        object in object("whole|port|ratio|isOn|someText|letter|mode|pair|entries|table|ports|anything|x"),
    ) {
        if let Ok(plain) = serde_json::from_str::<Document>(&object.to_string()) {
            let read = match read(&object) {
                // serde reads an array as the fields of a struct in their order, which Go refuses.
                Err(error) if error.contains("must be an object, not [") => return Ok(()),
                read => read.unwrap(),
            };
            prop_assert!((read.ratio - plain.ratio).abs() <= plain.ratio.abs() * f64::EPSILON);
            prop_assert_eq!(&read, &Document { ratio: read.ratio, ..plain });
        }
    }
}
