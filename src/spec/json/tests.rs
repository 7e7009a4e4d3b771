//! The kinds of values that serde asks for, and the error when one is missing.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use serde::de::IgnoredAny;

use super::*;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    mtu: u32,
    range_start: Option<IpAddr>,
    mode: Option<Mode>,
    inner: Option<Box<Settings>>,
    sets: Vec<Vec<Settings>>,
    names: BTreeMap<String, String>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Mode {
    Plain,
    With(u8),
    Pair(u8, u8),
    Named { vlan: u16 },
}

#[track_caller]
fn error<'a, T: Deserialize<'a> + std::fmt::Debug>(text: &'a str) -> String {
    read::<T>(text).unwrap_err().to_string()
}

#[test]
fn a_wrong_value_is_named_with_its_path_and_with_what_it_must_be() {
    for (text, message) in [
        (r#"{"mtu":"big"}"#, r#"`mtu` must be a number, not "big""#),
        (r#"{"MTU":-1}"#, "`mtu` must be a whole number from 0 to 4294967295, not -1"),
        (r#"{"inner":{"mtu":1.5}}"#, "`inner.mtu` must be a whole number from 0 to 4294967295, not 1.5"),
        (r#"{"sets":[[],[{},{"mtu":[1]}]]}"#, "`sets[1][1].mtu` must be a number, not [1]"),
        (r#"{"sets":[{}]}"#, "`sets[0]` must be a list, not {}"),
        (r#"{"inner":[]}"#, "`inner` must be an object, not []"),
        (r#"{"names":{"x":true}}"#, "`names.x` must be a string, not true"),
        (r#"{"rangeStart":"10.0.0.300"}"#, r#"`rangeStart`: "10.0.0.300": invalid IP address syntax"#),
        (r#"{"rangeStart":5}"#, "`rangeStart` must be a string, not 5"),
        (r#"{"mode":"odd"}"#, r#"`mode` must be `plain`, `with`, `pair` or `named`, not "odd""#),
        (r#"{"mode":{"named":{}}}"#, "`mode.named.vlan` is missing"),
        ("[]", "it must be an object, not []"),
    ] {
        assert_eq!(error::<Settings>(text), message);
    }
    let long = format!(r#"{{"mtu":"{}"}}"#, "é".repeat(1000));
    assert!(error::<Settings>(&long).len() < 200);
}

#[test]
fn what_is_missing_or_unknown_is_named() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        #[serde(rename = "mtu")]
        _mtu: u32,
    }
    assert_eq!(error::<Strict>("{}"), "`mtu` is missing");
    assert_eq!(error::<Strict>(r#"{"mtu":null}"#), "`mtu` is missing");
    assert_eq!(error::<Strict>(r#"{"mtu":1,"mut":2}"#), "`mut` is not a known key; the keys are `mtu`");
    assert!(read::<Strict>(r#"{"MTU":1,"mut":null}"#).is_ok());
}

#[test]
fn enums_are_texts_or_objects_with_one_key_in_any_case() {
    for (text, mode) in [
        (r#""plain""#, Mode::Plain),
        (r#"{"plain":null}"#, Mode::Plain),
        (r#"{"WITH":7}"#, Mode::With(7)),
        (r#"{"pair":[1,2]}"#, Mode::Pair(1, 2)),
        (r#"{"Named":{"VLAN":5}}"#, Mode::Named { vlan: 5 }),
    ] {
        assert_eq!(read::<Mode>(text).unwrap(), mode);
    }
    assert_eq!(
        error::<Mode>(r#"{"with":1,"pair":[1,2]}"#),
        r#"it must be an object with one key, not {"with":1,"pair":[1,2]}"#
    );
    assert_eq!(error::<Mode>(r#"{"pair":[1,2,3]}"#), "`pair` must be a list of 2 entries, not [1,2,3]");
}

#[test]
fn values_may_be_kept_as_text_borrowed_or_passed_over() {
    #[derive(Deserialize)]
    struct Kept<'a> {
        #[serde(borrow)]
        raw: &'a RawValue,
        text: &'a str,
        #[serde(rename = "any")]
        _any: IgnoredAny,
        value: serde_json::Value,
    }
    let text = r#"{"RAW":{"x":[1e400, null]},"text":"x","any":[[]],"value":{"B":[null,1.0],"A":{}}}"#;
    let kept: Kept<'_> = read(text).unwrap();
    assert_eq!((kept.raw.get(), kept.text), (r#"{"x":[1e400, null]}"#, "x"));
    assert_eq!(kept.value.to_string(), r#"{"A":{},"B":[null,1.0]}"#);
}

#[test]
fn keys_of_maps_become_what_the_map_has() {
    assert_eq!(read::<HashMap<u16, bool>>(r#"{"8080":true}"#).unwrap(), HashMap::from([(8080, true)]));
    assert_eq!(read::<BTreeMap<IpAddr, u8>>(r#"{"::1":1}"#).unwrap().len(), 1);
    assert_eq!(error::<HashMap<u16, bool>>(r#"{"x":true}"#), "`x`: the key is not a number");
}

#[test]
fn what_a_type_with_kept_keys_refuses_has_its_whole_path() {
    use crate::spec::Route;
    #[derive(Debug, Deserialize)]
    struct Ipam {
        #[serde(rename = "routes")]
        _routes: Vec<Route>,
    }
    let text = r#"{"routes":[{"dst":"10.0.0.0/8"},{"dst":"10.0.0.0/8","mtu":"x"}]}"#;
    assert_eq!(error::<Ipam>(text), r#"`routes[1].mtu` must be a number, not "x""#);
    assert_eq!(error::<Ipam>(r#"{"routes":[null]}"#), "`routes[0].dst` is missing");
}

#[test]
fn a_type_that_contains_itself_has_an_end() {
    let deep = |levels| format!("{}{{}}{}", r#"{"inner":"#.repeat(levels), "}".repeat(levels));
    assert!(read::<Settings>(&deep(100)).is_ok());
    assert!(error::<Settings>(&deep(10_000)).ends_with("is nested too deep"));
    let lists = format!(r#"{{"x":{}{}}}"#, "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(read::<Settings>(&lists).unwrap(), Settings::default());
}
