//! The result of ADD in one of three generations, and the way between them.
//!
//! | generation | versions | shape |
//! |---|---|---|
//! | the oldest | 0.1.0, 0.2.0 | `ip4` and `ip6`, one address each |
//! | the middle | 0.3.0, 0.3.1, 0.4.0 | `interfaces`, `ips` with a family, `routes` |
//! | [`v100`] | 1.0.0, 1.1.0 | `interfaces`, `ips`, `routes` |
//!
//! A result is read, kept and printed in the version that it names; conversion is a call. Keys that no generation knows
//! are kept on the way through. [Section 5](crate::specification#5-results-errors-versions) of the specification lists
//! all keys, and how conversion treats them.

use std::fmt;

pub use error::{ConvertError, ParseError};

use crate::spec::{Fields, Object, Shape, Version, characters, to_json};

mod error;
#[doc(hidden)]
pub mod go;
#[cfg(test)]
mod tests;
mod v020;
mod v040;
pub mod v100;
mod views;

/// The result of an ADD, in the version that the plugin chose.
///
/// ```
/// use libcni::result::AddResult;
///
/// let result = AddResult::parse(r#"{"cniVersion": "0.2.0", "ip4": {"ip": "10.1.0.5/16"}}"#)?;
/// assert_eq!(result.version().as_str(), "0.2.0");
/// assert_eq!(result.latest().ips[0].address.to_string(), "10.1.0.5/16");
/// # Ok::<(), libcni::result::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "types.Result")]
pub struct AddResult {
    version: Version,
    body: Body,
}

#[derive(Clone, Debug, PartialEq)]
enum Body {
    V020(v020::Body),
    V040(v040::Body),
    V100(v100::Body),
}

#[derive(Clone, Copy, PartialEq)]
enum Generation {
    V020,
    V040,
    V100,
}

impl Generation {
    fn of(version: &Version) -> Option<Self> {
        let generation = match version {
            old if *old < Version::V0_3_0 => Self::V020,
            middle if *middle < Version::V1_0_0 => Self::V040,
            _ => Self::V100,
        };
        version.is_known().then_some(generation)
    }
}

impl AddResult {
    /// A result of the newest generation, in version 1.0.0 or 1.1.0.
    ///
    /// # Errors
    /// The version is of another generation; use [`AddResult::to_version`] to get there.
    pub fn new(version: Version, body: v100::Body) -> Result<Self, ConvertError> {
        if Generation::of(&version) != Some(Generation::V100) {
            return Err(ConvertError::UnknownVersion(version.as_str().to_owned()));
        }
        let body = Body::V100(body);
        Ok(Self { version, body })
    }

    /// Reads a result in the version that it names; none or an empty one means 0.1.0.
    ///
    /// # Errors
    /// See [`ParseError`].
    #[doc(alias = "create.CreateFromBytes")]
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::from_fields(open(&characters(text))?)
    }

    /// Reads a result that is a JSON object already, in the version that it names, like [`AddResult::parse`].
    ///
    /// # Errors
    /// See [`ParseError`].
    pub fn from_object(object: &Object) -> Result<Self, ParseError> {
        Self::from_fields(Fields::of(object))
    }

    fn from_fields(mut fields: Fields<'_>) -> Result<Self, ParseError> {
        let version: Option<String> = fields.take("cniVersion").map_err(ParseError::Field)?;
        Self::read(known(&version.unwrap_or_default())?, fields)
    }

    /// Reads the answer of a plugin to a request of version `requested`: an answer without a version, or with one that
    /// is not a text, gets that of the request, and `null` counts as `{}`.
    ///
    /// ```
    /// let result = libcni::result::AddResult::parse_reply("{}", "1.0.0")?;
    /// assert_eq!(result.version().as_str(), "1.0.0");
    /// # Ok::<(), libcni::result::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// See [`ParseError`].
    pub fn parse_reply(text: &str, requested: &str) -> Result<Self, ParseError> {
        let text = characters(text);
        let mut fields = open(&text)?;
        let said = fields.take::<String>("cniVersion").ok().flatten();
        let version = said.filter(|version| !version.is_empty());
        Self::read(known(version.as_deref().unwrap_or(requested))?, fields)
    }

    fn read(version: Version, fields: Fields<'_>) -> Result<Self, ParseError> {
        let unknown = || ParseError::UnsupportedVersion(version.as_str().to_owned());
        let body = match Generation::of(&version).ok_or_else(unknown)? {
            Generation::V020 => Shape::read(fields).map(Body::V020),
            Generation::V040 => Shape::read(fields).map(Body::V040),
            Generation::V100 => Shape::read(fields).map(Body::V100),
        };
        let body = body.map_err(ParseError::Field)?;
        Ok(Self { version, body })
    }

    /// The version that the result is in.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The same result in another version.
    ///
    /// Conversion to a newer version loses nothing. Conversion to an older one loses what that version can't express:
    ///
    /// - 0.3.0 to 0.4.0 have no `mtu`, `socketPath` and `pciID` of interfaces. The numbers of routes stay.
    /// - 0.1.0 and 0.2.0 have no interfaces. They keep the first address of each family, with the routes of the family
    ///   (destination and next hop only), and the settings of the resolver.
    ///
    /// ```
    /// use libcni::result::AddResult;
    /// use libcni::spec::Version;
    ///
    /// let result = AddResult::parse(r#"{"cniVersion": "1.0.0", "ips": [{"address": "10.1.0.5/16"}]}"#)?;
    /// let old = result.to_version(&Version::V0_2_0)?;
    /// assert_eq!(old.to_string(), r#"{"cniVersion":"0.2.0","ip4":{"ip":"10.1.0.5/16"},"dns":{}}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `version` is not implemented, or is 0.1.0 or 0.2.0 and the result has no address.
    #[doc(alias = "GetAsVersion")]
    pub fn to_version(&self, version: &Version) -> Result<Self, ConvertError> {
        let name = || version.as_str().to_owned();
        let generation = Generation::of(version).ok_or_else(|| ConvertError::UnknownVersion(name()))?;
        let body = match generation {
            Generation::V100 => Body::V100(self.latest()),
            Generation::V040 => Body::V040(self.to_v040()),
            Generation::V020 => {
                let body = self.to_v020();
                Body::V020(body.ok_or_else(|| ConvertError::NoAddress(name()))?)
            }
        };
        let version = version.clone();
        Ok(Self { version, body })
    }

    /// The content in its newest form, whatever the version of the result. Runtimes read this.
    #[doc(alias = "types100.GetResult")]
    pub fn latest(&self) -> v100::Body {
        match &self.body {
            Body::V020(body) => v100::Body::from(v040::Body::from(body.clone())),
            Body::V040(body) => v100::Body::from(body.clone()),
            Body::V100(body) => body.clone(),
        }
    }

    fn to_v040(&self) -> v040::Body {
        match &self.body {
            Body::V020(body) => v040::Body::from(body.clone()),
            Body::V040(body) => body.clone(),
            Body::V100(body) => v040::Body::from(body.clone()),
        }
    }

    fn to_v020(&self) -> Option<v020::Body> {
        match &self.body {
            Body::V020(body) => Some(body.clone()),
            Body::V040(_) | Body::V100(_) => v020::Body::downgrade(self.to_v040()),
        }
    }

    /// The result as a JSON object, as a plugin gets it in `prevResult`.
    pub fn to_object(&self) -> Object {
        let mut object = Object::new();
        object.set("cniVersion", &self.version.to_string());
        match &self.body {
            Body::V020(body) => body.write(&mut object),
            Body::V040(body) => body.write(&mut object),
            Body::V100(body) => body.write(&mut object),
        }
        object
    }

    /// The JSON text, indented by four spaces.
    #[doc(alias = "Print")]
    pub fn to_json_pretty(&self) -> String {
        self.to_object().to_json_pretty()
    }
}

/// The keys of a result; `null` has none, as it has in Go.
fn open(text: &str) -> Result<Fields<'_>, ParseError> {
    let text = if text.trim() == "null" { "{}" } else { text };
    Fields::parse(text).map_err(ParseError::Json)
}

fn known(version: &str) -> Result<Version, ParseError> {
    let parsed = version.parse().ok();
    // A result names its version in full: Go looks the text up.
    let known = parsed.filter(|v: &Version| v.is_known() && (version.is_empty() || v.to_string() == version));
    known.ok_or_else(|| ParseError::UnsupportedVersion(version.to_owned()))
}

/// The JSON text in one line.
impl fmt::Display for AddResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_object().fmt(f)
    }
}

to_json!(AddResult);

impl serde::Serialize for AddResult {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_object().serialize(serializer)
    }
}

/// Reads a result in the version that it names, like [`AddResult::parse`].
impl<'de> serde::Deserialize<'de> for AddResult {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Object::deserialize(deserializer)?;
        Self::from_object(&object).map_err(|e| serde::de::Error::custom(crate::Chain(&e)))
    }
}

impl From<v100::Body> for AddResult {
    /// A result in the newest version.
    fn from(body: v100::Body) -> Self {
        Self { version: Version::CURRENT, body: Body::V100(body) }
    }
}
