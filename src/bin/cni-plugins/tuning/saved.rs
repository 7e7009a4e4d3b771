//! The settings that an interface had before: a file for each attachment, in the form of the reference plugin.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use libcni::link::Link;
use libcni::plugin::{Answer, AttachmentCall, Failure};
use libcni::spec::ErrorCode;
use serde::{Deserialize, Serialize};

use crate::directory;
use crate::mac;
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

fn file(dir: &Path, call: &AttachmentCall) -> PathBuf {
    dir.join(format!("{}_{}.json", call.container_id, call.ifname))
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

    /// Writes the file as a whole. The settings that an unfinished earlier ADD saved are the original ones.
    pub(crate) fn write(self, dir: &Path, call: &AttachmentCall) -> Answer {
        let earlier = Self::read(dir, call)?.unwrap_or_default();
        let saved = Self {
            mac: earlier.mac.or(self.mac),
            promisc: earlier.promisc.or(self.promisc),
            mtu: earlier.mtu.or(self.mtu),
            allmulti: earlier.allmulti.or(self.allmulti),
            tx_queue_len: earlier.tx_queue_len.or(self.tx_queue_len),
            ..self
        };
        let path = file(dir, call);
        whole::write(&path, &serde_json::to_vec_pretty(&saved)?).map_err(|e| failed("write", &path, &e))
    }

    /// Reads the file; `None` when there is none. One that is none of ours is empty, as for the reference plugin.
    pub(crate) fn read(dir: &Path, call: &AttachmentCall) -> Answer<Option<Self>> {
        let path = file(dir, call);
        match fs::read(&path) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path, &error)),
        }
    }

    pub(crate) fn remove(dir: &Path, call: &AttachmentCall) -> Answer {
        let path = file(dir, call);
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

/// Returns true if a file is for an attachment of a network that is not to be kept. One of the reference plugin does
/// not say which network it is for.
fn is_stale(path: &Path, network: &str, valid: &Valid) -> Answer<bool> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        text => text.map_err(|e| failed("read", path, &e))?,
    };
    let saved: Saved = serde_json::from_slice(&text).unwrap_or_default();
    let (Some(of), Some(id), Some(ifname)) = (saved.network, saved.container_id, saved.ifname) else {
        return Ok(false);
    };
    Ok(of == network && !valid.has(&id, &ifname))
}
