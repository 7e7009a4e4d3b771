//! Versions of the CNI specification.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A version of the CNI specification: as it was written, and as numbers.
///
/// - One to three decimal parts, separated by dots; missing parts are 0, leading zeros don't count. Nothing else is a
///   version.
/// - An empty text means 0.1.0, the version before configurations had the field.
/// - The order and equality are numeric; [`Version::as_str`] still gives the text as it was written.
///
/// ```
/// use libcni::spec::Version;
///
/// let version: Version = "0.10.0".parse()?;
/// assert!(version > Version::V0_4_0 && version.has_check());
/// assert!("1.1.0-rc1".parse::<Version>().is_err());
/// # Ok::<(), libcni::spec::InvalidVersion>(())
/// ```
#[derive(Clone, Debug)]
pub struct Version {
    written: Cow<'static, str>,
    number: [u64; 3],
}

/// A text is not a version of the CNI specification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid CNI version `{written}`: it needs one to three numbers separated by dots")]
pub struct InvalidVersion {
    written: String,
}

impl InvalidVersion {
    /// The text that is not a version.
    pub fn written(&self) -> &str {
        &self.written
    }
}

macro_rules! known_versions {
    ($($name:ident = $text:literal, $major:literal, $minor:literal, $patch:literal;)+) => {
        impl Version {
            $(
                #[doc = concat!("Version ", $text, " of the specification.")]
                pub const $name: Version = Version {
                    written: Cow::Borrowed($text),
                    number: [$major, $minor, $patch],
                };
            )+

            /// Every version that this crate implements, oldest first.
            #[doc(alias = "version.All")]
            pub const ALL: [Version; [$($text),+].len()] = [$(Version::$name),+];
        }
    };
}

known_versions! {
    V0_1_0 = "0.1.0", 0, 1, 0;
    V0_2_0 = "0.2.0", 0, 2, 0;
    V0_3_0 = "0.3.0", 0, 3, 0;
    V0_3_1 = "0.3.1", 0, 3, 1;
    V0_4_0 = "0.4.0", 0, 4, 0;
    V1_0_0 = "1.0.0", 1, 0, 0;
    V1_1_0 = "1.1.0", 1, 1, 0;
}

impl Version {
    /// The newest version that this crate implements.
    #[doc(alias = "Current")]
    pub const CURRENT: Version = Version::V1_1_0;

    /// The implemented versions from `min` on, oldest first.
    #[doc(alias = "VersionsStartingFrom")]
    pub fn starting_from(min: &Version) -> impl Iterator<Item = Version> {
        Self::ALL.into_iter().filter(move |v| v >= min)
    }

    /// The text as it was written; empty where it was.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Major, minor and patch number.
    #[doc(alias = "ParseVersion")]
    pub fn numbers(&self) -> [u64; 3] {
        self.number
    }

    /// Returns true if this crate implements exactly this version.
    pub fn is_known(&self) -> bool {
        Self::ALL.contains(self)
    }

    /// Returns true if the version has the verb CHECK, and passes the result of ADD to DEL.
    pub fn has_check(&self) -> bool {
        *self >= Version::V0_4_0
    }

    /// Returns true if the version has the verb GC.
    pub fn has_gc(&self) -> bool {
        *self >= Version::V1_1_0
    }

    /// Returns true if the version has the verb STATUS.
    pub fn has_status(&self) -> bool {
        *self >= Version::V1_1_0
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let number = numbers(text).ok_or_else(|| InvalidVersion { written: text.to_owned() })?;
        let known = Self::ALL.into_iter().find(|v| v.written == text);
        Ok(known.unwrap_or_else(|| Self { written: Cow::Owned(text.to_owned()), number }))
    }
}

/// The numbers of a version; leading zeros don't count.
fn numbers(text: &str) -> Option<[u64; 3]> {
    if text.is_empty() {
        return Some(Version::V0_1_0.number);
    }
    let number = |part: &str| part.parse().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()));
    let parts = text.split('.').map(number).collect::<Option<Vec<u64>>>()?;
    match *parts.as_slice() {
        [major] => Some([major, 0, 0]),
        [major, minor] => Some([major, minor, 0]),
        [major, minor, patch] => Some([major, minor, patch]),
        _ => None,
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }
}

impl std::hash::Hash for Version {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

/// The number in full: `1.0.0` for a version written `1.0`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.number;
        write!(f, "{major}.{minor}.{patch}")
    }
}
