//! A key that no version knows is kept, and what no result may be is refused.

use super::*;

#[test]
fn unknown_keys_are_passed_on_at_every_level() {
    let text = r#"{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","x":1}],"ips":[{"address":"10.0.0.2/24","x":1e400}],"routes":[{"dst":"0.0.0.0/0","x":1}],"dns":{"x":1},"x":12345678901234567890}"#;
    assert_eq!(AddResult::parse(text).unwrap().to_string(), text);
}

#[test]
fn repeated_unknown_keys_are_passed_on_so_that_the_last_still_counts() {
    let text = r#"{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","x":1,"x":2}],"y":1,"y":2}"#;
    assert_eq!(AddResult::parse(text).unwrap().to_string(), text);
}

#[test]
fn unknown_keys_survive_conversion_there_and_back() {
    let text =
        r#"{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","x":1}],"ips":[{"address":"10.0.0.2/24","x":1}],"y":1}"#;
    let result = AddResult::parse(text).unwrap();
    let old = result.to_version(&Version::V0_4_0).unwrap();
    let back = old.to_version(&Version::V1_1_0).unwrap();
    assert_eq!(back.to_string(), text);
}

#[test]
fn keys_of_another_generation_do_not_come_back_as_unknown_ones() {
    let text = r#"{"cniVersion":"1.0.0","ips":[{"version":"6","address":"10.0.0.2/24"}]}"#;
    let old = AddResult::parse(text).unwrap().to_version(&Version::V0_4_0);
    let expected = r#"{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.0.2/24"}],"dns":{}}"#;
    assert_eq!(old.unwrap().to_string(), expected);
}

#[test]
fn null_entries_and_missing_addresses_are_refused() {
    for text in [
        r#"{"cniVersion":"1.0.0","ips":[null]}"#,
        r#"{"cniVersion":"1.0.0","interfaces":[null]}"#,
        r#"{"cniVersion":"1.0.0","routes":[null]}"#,
        r#"{"cniVersion":"1.0.0","ips":[{}]}"#,
        r#"{"cniVersion":"0.4.0","routes":[{"gw":"10.0.0.1"}]}"#,
        r#"{"cniVersion":"0.2.0","ip4":{}}"#,
    ] {
        assert!(matches!(AddResult::parse(text), Err(ParseError::Field(_))), "{text}");
    }
}

#[test]
fn an_invalid_field_is_named_with_its_place_and_value() {
    let text = r#"{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/24"},{"address":"10.0.0.2"}]}"#;
    let Err(ParseError::Field(error)) = AddResult::parse(text) else { panic!("accepted") };
    assert_eq!(error.path(), "ips[1].address");
    assert!(error.reason().contains("`10.0.0.2`"), "{error}");
}

#[test]
fn keys_are_found_in_any_case() {
    let result = AddResult::parse(r#"{"CNIVERSION":"1.0.0","IPS":[{"Address":"10.0.0.2/24"}]}"#);
    assert_eq!(result.unwrap().latest().ips.len(), 1);
}
