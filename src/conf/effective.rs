//! The version that a configuration is used with.

use super::ConfError;
use super::key::Key;
use crate::spec::Version;

/// The version to use, and all that the configuration names.
pub(super) fn effective_version(single: Key<'_>, several: Key<'_>) -> Result<(String, Vec<Version>), ConfError> {
    let fallback = single.text()?.unwrap_or_default();
    let mut candidates = several.versions()?;
    if candidates.is_empty() {
        let versions = known(&fallback);
        return Ok((fallback, versions));
    }
    if single.value.is_some() {
        candidates.push(single.version(&fallback)?);
    }
    candidates.retain(|version| *version <= Version::CURRENT);
    candidates.sort();
    let highest = candidates.last().map_or(fallback, |version| version.as_str().to_owned());
    // Plugins compare texts, so 1.0 and 1.0.0 are two.
    candidates.dedup_by(|a, b| a.as_str() == b.as_str());
    Ok((highest, candidates))
}

/// The version of a configuration that names one at the most, if this crate implements it.
pub(super) fn known(version: &str) -> Vec<Version> {
    let parsed = if version.is_empty() { Some(Version::V0_1_0) } else { version.parse().ok() };
    parsed.filter(|version| *version <= Version::CURRENT).into_iter().collect()
}
