//! Results as the Go libraries make them, to be compared with theirs in the tests of this crate alone: no part of its
//! API.

use super::{AddResult, Body, Generation, ParseError, known, open};
use crate::spec::characters;

/// Reads a result that must be of the generation of `version`, as `create.Create` does.
///
/// # Errors
/// See [`ParseError`]. Only 0.1.0 and 0.2.0 results may leave out their version; they count as 0.1.0.
pub fn parse_as(text: &str, version: &str) -> Result<AddResult, ParseError> {
    let asked = known(version)?;
    let text = characters(text);
    let mut fields = open(&text)?;
    let found: Option<String> = fields.take("cniVersion").map_err(ParseError::Field)?;
    let found = found.filter(|found| !found.is_empty());
    let mismatch = || ParseError::VersionMismatch { asked: version.to_owned(), found: found.clone() };
    let said = known(found.as_deref().unwrap_or_default()).map_err(|_| mismatch())?;
    let unsaid = found.is_none() && Generation::of(&asked) != Some(Generation::V020);
    if unsaid || Generation::of(&said) != Generation::of(&asked) {
        return Err(mismatch());
    }
    AddResult::read(said, fields)
}

/// Drops the keys that the version of a result does not know.
pub fn without_unknown_keys(mut result: AddResult) -> AddResult {
    match &mut result.body {
        Body::V020(body) => body.forget_extra(),
        Body::V040(body) => body.forget_extra(),
        Body::V100(body) => body.forget_extra(),
    }
    result
}
