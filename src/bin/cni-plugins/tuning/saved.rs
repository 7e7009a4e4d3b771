//! The settings that an interface had before: a file for each attachment, in the form of the reference plugin.

use std::io;
use std::path::{Path, PathBuf};

use libcni::link::Link;
use libcni::plugin::{Answer, AttachmentCall, Failure};
use libcni::result::v100::Interface;
use libcni::spec::ErrorCode;
use serde::{Deserialize, Serialize};

use crate::directory;
use crate::mac;
use crate::names;
use crate::text;
use crate::tuning::config::Settings;
use crate::valid::Valid;
use crate::whole;

/// The content of a file. Whose it is, is said by ours only.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Saved {
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    promisc: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtu: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allmulti: Option<bool>,
    #[serde(rename = "txQLen", skip_serializing_if = "Option::is_none")]
    tx_queue_len: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    #[serde(rename = "containerID", skip_serializing_if = "Option::is_none")]
    container_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ifname: Option<String>,
}

/// Where an attachment's file may be: the name of the reference plugin, which another attachment may have, too, or
/// which may be too long; and one that no other has.
fn files(dir: &Path, call: &AttachmentCall) -> Vec<PathBuf> {
    const LONGEST: usize = 254;
    let (network, id, ifname) = (call.config.name().as_str(), call.container_id.as_str(), call.ifname.as_str());
    let names = [format!("{id}_{ifname}.json"), format!("attachment-{}.json", names::hash(network, id, ifname, 16))];
    names.into_iter().filter(|name| name.len() <= LONGEST).map(|name| dir.join(name)).collect()
}

fn failed(doing: &str, path: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::new(ErrorCode::IO, format!("tuning: cannot {doing} {}: {error}", path.display()))
}

impl Saved {
    /// The state of a link, of those settings that are to be different.
    pub(crate) fn of(call: &AttachmentCall, changed: &Settings, link: &Link) -> Self {
        let Settings { mac, promisc, mtu, allmulti, tx_queue_len } = Settings::of(changed, link);
        Self {
            mac: mac.map(mac::format),
            promisc,
            mtu,
            allmulti,
            tx_queue_len,
            network: Some(call.config.name().to_string()),
            container_id: Some(call.container_id.to_string()),
            ifname: Some(call.ifname.to_string()),
        }
    }

    /// The settings to restore.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            mac: self.mac.as_ref().and_then(|mac| mac::parse(mac).ok()),
            promisc: self.promisc,
            mtu: self.mtu,
            allmulti: self.allmulti,
            tx_queue_len: self.tx_queue_len,
        }
    }

    /// Returns true if the file is an attachment's, as far as it says.
    fn is_of(&self, call: &AttachmentCall) -> bool {
        let is = |recorded: &Option<String>, own: &str| recorded.as_ref().is_none_or(|recorded| recorded == own);
        is(&self.network, call.config.name().as_str())
            && is(&self.container_id, call.container_id.as_str())
            && is(&self.ifname, call.ifname.as_str())
    }

    /// The attachment's file with its content; without, where there is none yet, the one to write.
    fn find(dir: &Path, call: &AttachmentCall) -> Answer<(PathBuf, Option<Self>)> {
        let mut free = None;
        for path in files(dir, call) {
            match Self::load(&path)? {
                Some(saved) if saved.is_of(call) => return Ok((path, Some(saved))),
                Some(_) => {}
                None => drop(free.get_or_insert(path)),
            }
        }
        let none = || Failure::internal(format!("tuning: {} has files of others only", dir.display()));
        Ok((free.ok_or_else(none)?, None))
    }

    /// The attachment's file with its content, if there is one. It may be that of an ADD for a network that has another
    /// name now, if the call knows the interface by a previous result: else the interface may be another network's,
    /// which the ADD of this one was refused for.
    fn left(dir: &Path, call: &AttachmentCall) -> Answer<(PathBuf, Option<Self>)> {
        let (path, own) = Self::find(dir, call)?;
        if own.is_some() || !knows_interface(call) {
            return Ok((path, own));
        }
        let of_interface = |saved: &Self| (Self { network: None, ..saved.clone() }).is_of(call);
        for path in files(dir, call) {
            if let Some(saved) = Self::load(&path)?.filter(of_interface) {
                return Ok((path, Some(saved)));
            }
        }
        Ok((path, None))
    }

    /// Writes the file as a whole. The settings that an unfinished earlier ADD saved are the original ones.
    pub(crate) fn write(self, dir: &Path, call: &AttachmentCall) -> Answer {
        let (path, earlier) = Self::find(dir, call)?;
        let earlier = earlier.unwrap_or_default();
        let saved = Self {
            mac: earlier.mac.or(self.mac),
            promisc: earlier.promisc.or(self.promisc),
            mtu: earlier.mtu.or(self.mtu),
            allmulti: earlier.allmulti.or(self.allmulti),
            tx_queue_len: earlier.tx_queue_len.or(self.tx_queue_len),
            ..self
        };
        whole::write(&path, &serde_json::to_vec_pretty(&saved)?).map_err(|e| failed("write", &path, &e))
    }

    /// Reads the attachment's file; `None` when there is none.
    pub(crate) fn read(dir: &Path, call: &AttachmentCall) -> Answer<Option<Self>> {
        Ok(Self::left(dir, call)?.1)
    }

    /// Reads a file; `None` when there is none. One that is none of ours is empty, as for the reference plugin.
    fn load(path: &Path) -> Answer<Option<Self>> {
        match text::read_kept(path) {
            Ok(text) => Ok(Some(serde_json::from_str(&text).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", path, &error)),
        }
    }

    pub(crate) fn remove(dir: &Path, call: &AttachmentCall) -> Answer {
        let (path, _) = Self::left(dir, call)?;
        whole::remove(&path).map_err(|e| failed("remove", &path, &e))
    }

    /// Removes the files of those attachments of a network that are not to be kept.
    pub(crate) fn retain(dir: &Path, network: &str, valid: &Valid) -> Answer {
        for name in directory::files(dir).map_err(|e| failed("list", dir, &e))? {
            let path = dir.join(name);
            if path.extension().is_some_and(|extension| extension == "json") && is_stale(&path, network, valid)? {
                whole::remove_if_there(&path).map_err(|e| failed("remove", &path, &e))?;
            }
        }
        Ok(())
    }
}

/// Returns true if a call comes with a previous result that has the container's interface.
fn knows_interface(call: &AttachmentCall) -> bool {
    let previous = call.config.prev_result().ok().flatten();
    let is_it = |interface: &Interface| {
        interface.name == call.ifname.as_str() && interface.sandbox.as_ref().is_some_and(|sandbox| !sandbox.is_empty())
    };
    previous.is_some_and(|previous| previous.latest().interfaces.iter().any(is_it))
}

/// Returns true if a file is for an attachment of a network that is not to be kept. One of the reference plugin does
/// not say which network it is for.
fn is_stale(path: &Path, network: &str, valid: &Valid) -> Answer<bool> {
    let saved = Saved::load(path)?.unwrap_or_default();
    let (Some(of), Some(id), Some(ifname)) = (saved.network, saved.container_id, saved.ifname) else {
        return Ok(false);
    };
    Ok(of == network && !valid.has(&id, &ifname))
}
