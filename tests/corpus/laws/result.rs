//! What a plugin prints after ADD.

use libcni::result::go;
use libcni::result::{AddResult, ConvertError};
use libcni::spec::Version;
use serde_json::value::RawValue;

use super::parts;

/// A result is printed as it was read, and converts to every version or says that it has no address.
pub fn holds(data: &[u8]) {
    let Some(text) = parts::text(data) else { return };
    // One of each generation: the others of it are read alike.
    for version in [Version::V0_2_0, Version::V0_4_0, Version::V1_1_0] {
        let _ = go::parse_as(text, version.as_str());
        if let Ok(result) = AddResult::parse_reply(text, version.as_str()) {
            converts(&result);
        }
    }
    if let Ok(result) = AddResult::parse(text) {
        is_printed_as_read(&result);
        converts(&result);
        converts(&go::without_unknown_keys(result));
    }
}

pub fn is_printed_as_read(result: &AddResult) {
    let printed = result.to_string();
    assert_eq!(AddResult::parse(&printed).expect("its own text"), *result);
    let pretty = result.to_json_pretty();
    assert_eq!(tokens(&pretty), tokens(&printed), "indenting changed a token");
    let _: &RawValue = serde_json::from_str(&pretty).expect("indented text is JSON");
}

/// The text without the white space between tokens.
fn tokens(json: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    let keep = |c: &char| {
        let quote = *c == '"' && !escaped;
        escaped = inside && *c == '\\' && !escaped;
        inside ^= quote;
        inside || !c.is_ascii_whitespace()
    };
    json.chars().filter(keep).collect()
}

pub fn converts(result: &AddResult) {
    let latest = result.latest();
    for version in Version::ALL {
        match result.to_version(&version) {
            Ok(converted) => {
                assert_eq!(converted.version(), &version);
                is_printed_as_read(&converted);
            }
            Err(ConvertError::NoAddress(_)) => {
                // The family that results before 1.0.0 say is taken at its word, and may be neither 4 nor 6.
                let unsaid = latest.ips.is_empty() || result.version() < &Version::V1_0_0;
                assert!(version < Version::V0_3_0 && unsaid, "{result} to {version}");
            }
            Err(error) => panic!("{result} to {version}: {error}"),
        }
    }
    let up = result.to_version(&Version::CURRENT).expect("upwards nothing can fail");
    assert_eq!(up.latest(), latest);
}
