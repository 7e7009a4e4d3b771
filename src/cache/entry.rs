//! The content of an entry.

use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine};

use super::key::Claim;
use crate::netns::{Identity, State};
use crate::result::{AddResult, ParseError};
use crate::setters::setters;
use crate::spec::capability::CapabilityArgs;
use crate::spec::{CniArgs, Fields, InvalidField, Malformed, Object, Shape, raw, text};

/// The `kind` of entries.
const KIND: &str = "cniCacheV1";
/// The `kind` of what was begun.
const INTENT: &str = "libcniIntentV1";

/// The content of a file of the cache.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cached {
    /// An attachment with its configuration and result.
    Entry(Entry),
    /// A bare result, as versions of the Go libcni before 0.8 wrote it, or some other JSON object.
    BareResult(Object),
}

/// An attachment as it was added. Its names are unchecked texts, since any program may have written the entry.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// The container.
    pub container_id: String,
    /// The network.
    pub network: String,
    /// The interface in the container.
    pub ifname: String,
    /// The path of the network namespace; `None` when there was none.
    pub netns: Option<PathBuf>,
    /// The namespace that the path led to; `None` if it led to none, and in an entry of the Go libcni.
    pub netns_identity: Option<Identity>,
    /// The generic arguments.
    pub args: CniArgs,
    /// The capability arguments.
    pub capability_args: CapabilityArgs,
    /// The text of the network's list.
    pub config: Vec<u8>,
    /// The result of ADD.
    pub result: Object,
}

impl Entry {
    /// Describes which attachment it is: `network`, `containerID`, `ifname` and `netns`.
    pub fn subject(&self) -> Object {
        let mut object = Object::new();
        object.set("network", &self.network);
        object.set("containerID", &self.container_id);
        object.set("ifname", &self.ifname);
        object.set("netns", &self.netns.as_deref().map(Path::to_string_lossy).unwrap_or_default());
        object
    }
}

setters! {
    Entry {
        container_id: into String,
        network: into String,
        ifname: into String,
        netns: some into PathBuf,
        netns_identity: some Identity,
        args: CniArgs,
        capability_args: CapabilityArgs,
        config: into Vec<u8>,
    }
}

/// A file is not an entry of the cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEntry {
    /// Its `kind` is not that of entries.
    #[error("its kind is `{}`, not `{KIND}`", .0.escape_debug())]
    Kind(String),
    /// It is for another attachment, whose entry would be in another file.
    #[error("it belongs to {0}, which has its entry elsewhere")]
    Misplaced(String),
    /// It is a bare result, or a file of another program.
    #[error("it does not name its attachment: it is a bare result, or a file of another program")]
    Anonymous,
    /// It is not a JSON object.
    #[error("not a JSON object")]
    Json(#[source] Malformed),
    /// A field has the wrong form.
    #[error("a field has the wrong form")]
    Field(#[source] InvalidField),
}

impl Cached {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, InvalidEntry> {
        let text = text(bytes);
        let fields = fields(&text)?;
        if !is_entry(&fields)? {
            return Ok(Cached::BareResult(fields.rest()));
        }
        Entry::read(fields).map(Cached::Entry).map_err(InvalidEntry::Field)
    }

    /// The result of ADD, in the version that it was stored in.
    ///
    /// # Errors
    /// The stored object is no result.
    pub fn result(&self) -> Result<AddResult, ParseError> {
        match self {
            Cached::Entry(entry) => entry.result(),
            Cached::BareResult(object) => AddResult::from_object(object),
        }
    }
}

fn fields(text: &str) -> Result<Fields<'_>, InvalidEntry> {
    Fields::parse(text).map_err(InvalidEntry::Json)
}

/// Returns true if the fields are those of an entry; not, where they have no kind.
fn is_entry(fields: &Fields<'_>) -> Result<bool, InvalidEntry> {
    match fields.peek::<String>("kind").map_err(InvalidEntry::Field)?.as_deref() {
        Some(KIND) => Ok(true),
        None | Some("") => Ok(false),
        Some(other) => Err(InvalidEntry::Kind(other.to_owned())),
    }
}

impl Entry {
    /// The attachment in the file of a name, if its container and network are `wanted`.
    pub(super) fn parse_if(
        bytes: &[u8],
        name: &str,
        wanted: impl Fn(&str, &str) -> bool,
    ) -> Result<Option<Self>, InvalidEntry> {
        let text = text(bytes);
        let fields = fields(&text)?;
        let peek = |key| fields.peek::<String>(key).map(Option::unwrap_or_default).map_err(InvalidEntry::Field);
        if !is_entry(&fields)? {
            return Err(InvalidEntry::Anonymous);
        }
        let (network, container_id, ifname) = (&*peek("networkName")?, &*peek("containerId")?, &*peek("ifName")?);
        Claim { network, container_id, ifname }.check_place(name)?;
        if !wanted(container_id, network) {
            return Ok(None);
        }
        Entry::read(fields).map(Some).map_err(InvalidEntry::Field)
    }

    pub(super) fn claim(&self) -> Claim<'_> {
        Claim { network: &self.network, container_id: &self.container_id, ifname: &self.ifname }
    }

    /// Returns whether the entry says what it attached to what.
    pub(super) fn is_complete(&self) -> bool {
        !self.network.is_empty() && !self.ifname.is_empty()
    }

    /// The same with this `result`.
    #[must_use]
    pub fn result_object(self, result: Object) -> Self {
        Self { result, ..self }
    }

    /// Returns the result of ADD, in the version that it was stored in.
    ///
    /// # Errors
    /// The stored object is no result.
    pub fn result(&self) -> Result<AddResult, ParseError> {
        AddResult::from_object(&self.result)
    }

    /// Returns true if both are for the same attachment: one interface of one container on one network.
    pub fn is_of_same(&self, other: &Self) -> bool {
        let key = |entry: &Self| (entry.network.clone(), entry.container_id.clone(), entry.ifname.clone());
        key(self) == key(other)
    }

    /// Returns the state of the namespace that the container was added with; `None` if none was recorded.
    pub fn netns_state(&self) -> Option<State> {
        self.netns.as_ref().map(|netns| State::of(netns, self.netns_identity.as_ref()))
    }

    pub(super) fn to_json(&self) -> String {
        self.to_object().to_string()
    }

    /// The entry as what is begun: not yet an entry for anybody who reads the cache.
    pub(super) fn to_intent(&self) -> String {
        let mut object = self.to_object();
        object.set("kind", INTENT);
        object.to_string()
    }

    pub(super) fn parse_intent(bytes: &[u8]) -> Option<Self> {
        let text = text(bytes);
        let fields = fields(&text).ok()?;
        let kind: Option<String> = fields.peek("kind").ok()?;
        Entry::read(fields).ok().filter(|_| kind.as_deref() == Some(INTENT))
    }
}

impl Shape for Entry {
    fn read(mut fields: Fields<'_>) -> Result<Self, InvalidField> {
        let config: String = fields.take_or_default("config")?;
        let config = BASE64_STANDARD.decode(config);
        let pairs: Vec<(String, String)> = fields.take_or_default("cniArgs")?;
        let identity: String = fields.take_or_default("netnsIdentity")?;
        Ok(Self {
            container_id: fields.take_or_default("containerId")?,
            network: fields.take_or_default("networkName")?,
            ifname: fields.take_or_default("ifName")?,
            netns: fields.take_text("netns")?.map(PathBuf::from),
            netns_identity: Identity::parse(&identity),
            args: pairs.into_iter().collect(),
            capability_args: fields.take_or_default("capabilityArgs")?,
            config: config.map_err(|e| InvalidField::new("config", e.to_string()))?,
            result: fields.take_or_default("result")?,
        })
    }

    fn write(&self, object: &mut Object) {
        object.set("kind", KIND);
        object.set("containerId", &self.container_id);
        object.set("config", &BASE64_STANDARD.encode(&self.config));
        object.set("ifName", &self.ifname);
        object.set("networkName", &self.network);
        if let Some(netns) = &self.netns {
            object.set("netns", &netns.to_string_lossy());
        }
        if let Some(identity) = &self.netns_identity {
            object.set("netnsIdentity", &identity.to_string());
        }
        if !self.args.is_empty() {
            let pairs: Vec<_> = self.args.iter().collect();
            object.set_raw("cniArgs", raw(&pairs));
        }
        if !self.capability_args.is_empty() {
            object.set("capabilityArgs", &self.capability_args);
        }
        object.set("result", &self.result);
    }
}
