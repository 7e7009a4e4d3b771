//! The configuration that a plugin gets on stdin.

use serde::de::DeserializeOwned;

use super::Answer;
use crate::Chain;
use crate::result::AddResult;
use crate::spec::{ErrorCode, ErrorReply, Fields, NetworkName, Object, ValidAttachment, Version};

/// The configuration of one call: the keys that the specification defines, and the author's own beside them.
#[derive(Clone, Debug)]
pub struct Config {
    name: NetworkName,
    version: Version,
    object: Object,
    text: String,
}

/// The error for a configuration that can't be decoded.
fn decoding(msg: String) -> ErrorReply {
    ErrorReply::new(ErrorCode::DECODING, msg)
}

impl Config {
    /// Reads the bytes of stdin.
    ///
    /// # Errors
    /// Code 6 when they are no JSON object, 7 when the network's name is missing or invalid, 1 when the version
    /// is none.
    pub fn parse(stdin: &[u8]) -> Result<Self, ErrorReply> {
        let unreadable = |e: String| decoding(format!("error unmarshall network config: {e}"));
        let text = std::str::from_utf8(stdin).map_err(|e| unreadable(e.to_string()))?;
        let object = Object::parse(text).map_err(|e| unreadable(e.to_string()))?;
        let mut fields = Fields::of(&object);
        let name: String = fields.take_or_default("name").map_err(|e| unreadable(e.to_string()))?;
        let name = network_name(name)?;
        let version = fields.take_or_default::<String>("cniVersion");
        let version = version.map_err(|e| decoding(format!("decoding version from network config: {e}")))?;
        let version = version.parse().map_err(|e: crate::spec::InvalidVersion| {
            ErrorReply::new(ErrorCode::INCOMPATIBLE_VERSION, "incompatible CNI versions").with_details(e.to_string())
        })?;
        let text = text.to_owned();
        Ok(Self { name, version, object, text })
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

    /// The configuration as a struct of the author's.
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
    /// # Ok::<(), libcni::spec::ErrorReply>(())
    /// ```
    ///
    /// # Errors
    /// Code 7: a key has not the form that the struct asks for.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, ErrorReply> {
        serde_json::from_str(&self.text).map_err(|e| {
            let msg = format!("invalid configuration of network `{}`", self.name);
            ErrorReply::new(ErrorCode::INVALID_NETWORK_CONFIG, msg).with_details(e.to_string())
        })
    }

    /// One key of the configuration, `None` when it is absent or null.
    fn key<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Option<T>, ErrorReply> {
        let (last, parents) = path.split_last().unwrap_or((&"", &[]));
        let invalid = |e: crate::spec::InvalidField| {
            let msg = format!("invalid `{}` in the configuration of network `{}`", path.join("."), self.name);
            ErrorReply::new(ErrorCode::INVALID_NETWORK_CONFIG, msg).with_details(e.to_string())
        };
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
    /// Code 7: it has not the form asked for.
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

    /// The result of the plugin before this one (ADD), or that of the whole ADD (CHECK, DEL), in the version it was
    /// said in; one that says none is taken in the version of the configuration.
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
    /// Code 6: it is no result.
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
    /// Code 7 when there is none, 6 when it is no result.
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
