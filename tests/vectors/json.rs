//! The rule for reading JSON, by a plugin's configuration.

use std::collections::BTreeMap;

use libcni::plugin::Config;
use libcni::spec::ErrorCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Case, Outcome, category, run};

/// What the recorded program reads into; it prints what differs from these defaults.
#[derive(Debug, Deserialize, Serialize)]
#[serde(default)]
struct Document {
    text: String,
    number: i64,
    port: u16,
    flag: bool,
    ratio: f64,
    kept: Option<i64>,
    texts: Vec<String>,
    numbers: Vec<i64>,
    inner: Inner,
    inners: Vec<Inner>,
    sets: Vec<Vec<Inner>>,
    table: BTreeMap<String, i64>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Inner {
    subnet: String,
    count: i64,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            text: "default".to_owned(),
            number: 7,
            port: 80,
            flag: true,
            ratio: 0.0,
            kept: None,
            texts: Vec::new(),
            numbers: Vec::new(),
            inner: Inner::default(),
            inners: Vec::new(),
            sets: Vec::new(),
            table: BTreeMap::new(),
        }
    }
}

fn bytes(case: &Case) -> Vec<u8> {
    let Some(hex) = case.text_if_any("hex") else { return case.text("text").into() };
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn read(case: &Case) -> Outcome {
    match Config::parse(&bytes(case)).and_then(|config| config.typed::<Document>()) {
        Ok(document) => Ok(differences(&document)),
        Err(error) if error.code == ErrorCode::DECODING => category("json"),
        Err(error) => {
            assert_eq!(error.code, ErrorCode::INVALID_NETWORK_CONFIG);
            category("type")
        }
    }
}

fn differences(document: &Document) -> Value {
    let [mut read, default] = [document, &Document::default()].map(|document| json!(document));
    read.as_object_mut().unwrap().retain(|key, value| *value != default[key]);
    read
}

#[test]
fn json_vectors() {
    run("json.json", read);
}
