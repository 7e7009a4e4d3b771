//! Results: reading, converting, completing.

use libcni::result::go;
use libcni::result::{AddResult, ConvertError, ParseError};
use libcni::spec::{Object, Version};
use serde_json::json;

use super::{Outcome, category, run, value};

/// The result as the Go libraries print it, which drop keys that they don't know; this crate keeps them.
fn summary(result: Result<AddResult, ParseError>) -> Outcome {
    match result {
        Ok(result) => {
            let version = result.version().to_string();
            Ok(json!({"version": version, "result": value(go::without_unknown_keys(result))}))
        }
        Err(ParseError::UnsupportedVersion(_)) => category("unsupported_version"),
        Err(ParseError::VersionMismatch { .. }) => category("version_mismatch"),
        Err(_) => category("invalid"),
    }
}

#[test]
fn result_parse_vectors() {
    run("result_parse.json", |case| {
        let text = case.text("text");
        summary(match case.text_if_any("version") {
            Some(version) => go::parse_as(text, version),
            None => AddResult::parse(text),
        })
    });
}

#[test]
fn result_convert_vectors() {
    run("result_convert.json", |case| {
        let result = go::parse_as(case.text("text"), case.text("version")).unwrap();
        let Ok(target) = case.text("target").parse::<Version>() else { return category("no_converter") };
        match result.to_version(&target) {
            Ok(result) => Ok(value(go::without_unknown_keys(result))),
            Err(ConvertError::NoAddress(_)) => category("no_ips"),
            Err(_) => category("no_converter"),
        }
    });
}

#[test]
fn result_fixup_vectors() {
    run("result_fixup.json", |case| {
        let Ok(conf) = Object::parse(case.text("conf")) else { return category("conf_invalid") };
        let version = conf.get("cniVersion").map_or(Ok(String::new()), |json| serde_json::from_str(json.as_str()));
        let Ok(version) = version else { return category("conf_invalid") };
        match AddResult::parse_reply(case.text("stdout"), &version) {
            Err(ParseError::Json(_)) => category("stdout_invalid"),
            other => summary(other),
        }
    });
}
