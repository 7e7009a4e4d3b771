//! The configuration that a plugin gets on stdin.

use serde::de::DeserializeOwned;

use super::Answer;
use crate::Chain;
use crate::result::AddResult;
use crate::spec::{
    ErrorCode, ErrorReply, Fields, InvalidField, InvalidVersion, NetworkName, Object, ValidAttachment, Version, read,
    text,
};

/// The configuration of one call: the keys that the specification defines, and those of the plugin.
///
/// It is read like Go's decoder does ([1.7](crate::specification#17-how-json-is-read)): keys in any case, `null` as
/// absent.
#[derive(Clone, Debug)]
pub struct Config {
    name: NetworkName,
    version: Version,
    object: Object,
    text: String,
}

/// A configuration whose version was not checked yet.
#[derive(Debug)]
pub(super) struct Unversioned {
    name: NetworkName,
    pub(super) version: String,
    object: Object,
    text: String,
}

/// The error for a configuration that can't be decoded.
fn decoding(msg: String) -> ErrorReply {
    ErrorReply::new(ErrorCode::DECODING, msg)
}

impl Unversioned {
    /// Reads the bytes of stdin.
    pub(super) fn parse(stdin: &[u8]) -> Result<Self, ErrorReply> {
        let unreadable = |e: String| decoding(format!("error unmarshall network config: {e}"));
        let text = match text(stdin) {
            // Go decodes null into an empty configuration, which then lacks its name.
            null if null.trim() == "null" => "{}".to_owned(),
            text => text.into_owned(),
        };
        let object = Object::parse(&text).map_err(|e| unreadable(e.to_string()))?;
        let mut fields = Fields::of(&object);
        let name: String = fields.take_or_default("name").map_err(|e| unreadable(e.to_string()))?;
        let name = network_name(name)?;
        let version = fields.take_or_default("cniVersion");
        let version = version.map_err(|e| decoding(format!("decoding version from network config: {e}")))?;
        Ok(Self { name, version, object, text })
    }

    pub(super) fn at(self, version: Version) -> Config {
        let Self { name, object, text, .. } = self;
        Config { name, version, object, text }
    }
}

impl Config {
    /// Reads the bytes of stdin.
    ///
    /// # Errors
    /// Code 6 if they are not a JSON object, 7 if the network's name is missing or invalid, 1 if the version is
    /// invalid.
    pub fn parse(stdin: &[u8]) -> Result<Self, ErrorReply> {
        let config = Unversioned::parse(stdin)?;
        let version = config.version.parse().map_err(|e: InvalidVersion| {
            ErrorReply::new(ErrorCode::INCOMPATIBLE_VERSION, "incompatible CNI versions").with_details(e.to_string())
        })?;
        Ok(config.at(version))
    }

    /// The network's name.
    pub fn name(&self) -> &NetworkName {
        &self.name
    }

    /// The version of the request, which the result is printed in.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The whole object as it was written.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The configuration as a struct of the author.
    ///
    /// Keys are found in any case, and one that is `null` counts as absent, so neither aliases nor options are needed:
    /// with `#[serde(default)]` every key has its default. If a part of the configuration is read through
    /// `#[serde(flatten)]` or an untagged enum, its keys must be exactly as declared.
    ///
    /// ```
    /// use libcni::plugin::Config;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Tuning {
    ///     mtu: u32,
    /// }
    ///
    /// let config = Config::parse(br#"{"cniVersion": "1.0.0", "name": "mynet", "type": "mtu", "mtu": 1400}"#)?;
    /// assert_eq!(config.typed::<Tuning>()?.mtu, 1400);
    ///
    /// let config = Config::parse(br#"{"cniVersion": "1.0.0", "name": "mynet", "type": "mtu", "MTU": "big"}"#)?;
    /// let error = config.typed::<Tuning>().map(drop).unwrap_err();
    /// assert_eq!(error.msg, r#"plugin `mtu`: `mtu` must be a number, not "big""#);
    /// # Ok::<(), libcni::spec::ErrorReply>(())
    /// ```
    ///
    /// # Errors
    /// Code 7: a key does not have the form that the struct requires.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, ErrorReply> {
        read(&self.text).map_err(|e| self.invalid(&e))
    }

    /// The error for a key that has not the form asked for: which plugin, which key, which value.
    fn invalid(&self, field: &InvalidField) -> ErrorReply {
        let plugin: Option<String> = Fields::of(&self.object).take("type").ok().flatten();
        let plugin = plugin.map_or_else(|| "a plugin without `type`".to_owned(), |name| format!("plugin `{name}`"));
        let details = format!("in the configuration of network `{}`", self.name);
        ErrorReply::new(ErrorCode::INVALID_NETWORK_CONFIG, format!("{plugin}: {field}")).with_details(details)
    }

    /// One key of the configuration, `None` when it is absent or null.
    fn key<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Option<T>, ErrorReply> {
        let (last, parents) = path.split_last().unwrap_or((&"", &[]));
        let invalid = |e: InvalidField| self.invalid(&e);
        let mut fields = Fields::of(&self.object);
        for parent in parents {
            match fields.take_fields(parent).map_err(invalid)? {
                Some(inner) => fields = inner,
                None => return Ok(None),
            }
        }
        fields.take(last).map_err(invalid)
    }

    /// The argument of a capability, if the runtime gave one (`runtimeConfig`).
    ///
    /// ```
    /// use libcni::plugin::Config;
    /// use libcni::spec::capability::PortMapping;
    ///
    /// let config = Config::parse(
    ///     br#"{"name": "mynet", "runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80}]}}"#,
    /// )?;
    /// let ports: Vec<PortMapping> = config.capability("portMappings")?.unwrap_or_default();
    /// assert_eq!(ports, [PortMapping::tcp(8080, 80)]);
    /// # Ok::<(), libcni::spec::ErrorReply>(())
    /// ```
    ///
    /// # Errors
    /// Code 7: it does not have the required form.
    #[doc(alias = "RuntimeConfig")]
    pub fn capability<T: DeserializeOwned>(&self, capability: &str) -> Result<Option<T>, ErrorReply> {
        self.key(&["runtimeConfig", capability])
    }

    /// The plugin that `ipam` delegates to, if any.
    ///
    /// # Errors
    /// Code 7: `ipam` or its `type` has the wrong form.
    pub fn ipam_type(&self) -> Result<Option<String>, ErrorReply> {
        let named: Option<String> = self.key(&["ipam", "type"])?;
        Ok(named.filter(|name| !name.is_empty()))
    }

    /// The result of the plugin before this one (ADD), or that of the whole ADD (CHECK, DEL), in the version that it
    /// names; without a version it is read in that of the configuration.
    ///
    /// ```
    /// use libcni::plugin::Config;
    ///
    /// let config = Config::parse(
    ///     br#"{"cniVersion": "1.0.0", "name": "mynet", "prevResult": {"ips": [{"address": "10.1.0.5/16"}]}}"#,
    /// )?;
    /// let previous = config.prev_result()?.expect("there is one");
    /// assert_eq!(previous.latest().ips[0].address.to_string(), "10.1.0.5/16");
    /// # Ok::<(), libcni::spec::ErrorReply>(())
    /// ```
    ///
    /// # Errors
    /// Code 6: it is not a result.
    #[doc(alias("ParsePrevResult", "RawPrevResult"))]
    pub fn prev_result(&self) -> Result<Option<AddResult>, ErrorReply> {
        let Some(raw) = self.key::<Object>(&["prevResult"])? else { return Ok(None) };
        let result = AddResult::parse_reply(&raw.to_string(), self.version.as_str());
        let invalid = |e| decoding(format!("could not parse prevResult: {}", Chain(&e)));
        result.map(Some).map_err(invalid)
    }

    /// The result of the plugin before this one, for plugins that can't be the first of a list.
    ///
    /// # Errors
    /// Code 7 if there is none, 6 if it is not a result.
    pub fn require_prev_result(&self) -> Answer<AddResult> {
        let missing = || {
            let msg = format!("network `{}` must have another plugin before this one: no prevResult", self.name);
            ErrorReply::new(ErrorCode::INVALID_NETWORK_CONFIG, msg)
        };
        Ok(self.prev_result()?.ok_or_else(missing)?)
    }

    /// The attachments that GC must leave alone; `None` when the runtime gave no list.
    ///
    /// # Errors
    /// Code 7: the list has the wrong form.
    pub fn valid_attachments(&self) -> Result<Option<Vec<ValidAttachment>>, ErrorReply> {
        match self.key(&["cni.dev/valid-attachments"])? {
            Some(list) => Ok(Some(list)),
            // The key of an early draft of 1.1.0.
            None => self.key(&["cni.dev/attachments"]),
        }
    }
}

fn network_name(name: String) -> Result<NetworkName, ErrorReply> {
    if name.is_empty() {
        return Err(ErrorReply::new(ErrorCode::INVALID_NETWORK_CONFIG, "missing network name"));
    }
    NetworkName::new(name)
        .map_err(|e| ErrorReply::new(e.code(), "invalid characters found in network name").with_details(e.value()))
}
