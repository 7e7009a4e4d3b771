//! `overlay`: a plugin that delegates. It has `bridge` connect a container to the node's part of an overlay network,
//! and with a second interface to a network of the node alone. Keys of its configuration:
//!
//! - `subnetFile`: what the node's agent writes, the lines `SUBNET=10.4.7.0/24` and `MTU=1450`.
//! - `management`: `ifname` and `subnet` of the second interface.
//! - `dataDir`: where the configurations of the delegates are kept from ADD to DEL, since the agent may write another
//!   subnet meanwhile.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libcni::plugin::{Answer, AttachmentCall, Call, Delegate, Failure, Plugin, run};
use libcni::result::{AddResult, v100};
use libcni::spec::{ContainerId, ErrorCode, IfName, IpNet, Object, ValidAttachment};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    subnet_file: PathBuf,
    data_dir: PathBuf,
    management: Management,
}

#[derive(Deserialize)]
struct Management {
    ifname: String,
    subnet: IpNet,
}

/// The interface and the configuration of one delegate.
#[derive(Deserialize, Serialize)]
struct Part {
    ifname: String,
    config: Object,
}

impl Part {
    fn delegate<'a>(&self, call: &'a Call) -> Answer<Delegate<'a>> {
        let ifname: IfName = self.ifname.parse()?;
        Ok(call.delegate("bridge").config(&self.config).ifname(&ifname))
    }
}

impl Config {
    /// The subnet and the MTU that the agent says.
    fn node(&self) -> Answer<(IpNet, u32)> {
        let unusable =
            |what: String| Failure::new(ErrorCode::NOT_AVAILABLE, format!("{}: {what}", self.subnet_file.display()));
        let text = fs::read_to_string(&self.subnet_file).map_err(|error| unusable(error.to_string()))?;
        let value = |key: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            found.ok_or_else(|| unusable(format!("{key} is missing")))
        };
        Ok((value("SUBNET")?.parse()?, value("MTU")?.parse()?))
    }

    /// A configuration of `bridge`, in the version of the call.
    fn bridge(&self, call: &Call, suffix: &str, subnet: &IpNet, mtu: u32) -> Answer<Object> {
        let name = format!("{}{suffix}", call.config.name());
        let ipam = json!({"type": "host-local", "dataDir": self.data_dir.join("ipam"), "subnet": subnet});
        let config = json!({"cniVersion": call.config.version().as_str(), "name": name, "type": "bridge",
            "bridge": format!("ovl{suffix}"), "isGateway": suffix.is_empty(), "mtu": mtu, "ipam": ipam});
        Ok(Object::parse(&config.to_string())?)
    }

    fn parts(&self, call: &Call, ifname: &str) -> Answer<[Part; 2]> {
        let (subnet, mtu) = self.node()?;
        let management = &self.management;
        Ok([
            Part { ifname: ifname.to_owned(), config: self.bridge(call, "", &subnet, mtu)? },
            Part { ifname: management.ifname.clone(), config: self.bridge(call, "-mgmt", &management.subnet, 1500)? },
        ])
    }

    /// The directory of a network's files, one for each attachment.
    fn dir(&self, call: &Call) -> PathBuf {
        self.data_dir.join(call.config.name().as_str())
    }

    fn file(&self, call: &AttachmentCall) -> PathBuf {
        self.dir(call).join(format!("{}:{}", call.container_id, call.ifname))
    }
}

/// The parts in a file; empty if there is no file.
fn saved(file: &Path) -> Answer<Vec<Part>> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        text => Ok(serde_json::from_str(&text?)?),
    }
}

fn save(file: &Path, parts: &[Part]) -> Answer {
    let new = file.with_file_name(format!(".new-{}", std::process::id()));
    fs::write(&new, serde_json::to_string(parts)?)?;
    Ok(fs::rename(&new, file)?)
}

/// Runs DEL of every part in a file, the last one first, and then removes the file.
fn delete<'a>(file: &Path, prepare: impl Fn(&Part) -> Answer<Delegate<'a>>) -> Answer {
    let parts = saved(file)?;
    parts.iter().rev().try_for_each(|part| prepare(part)?.del())?;
    if parts.is_empty() { Ok(()) } else { Ok(fs::remove_file(file)?) }
}

struct Overlay;

impl Plugin for Overlay {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let config: Config = call.config.typed()?;
        let (mut parts, file) = (config.parts(call, call.ifname.as_str())?, config.file(call));
        fs::create_dir_all(config.dir(call))?;
        // Before the first delegate runs, so that DEL finds the leftovers of an ADD that was killed.
        save(&file, &parts)?;
        // Where the second one fails, the first is dropped, and so is undone.
        let added = parts.iter().map(|part| part.delegate(call)?.add()).collect::<Answer<Vec<_>>>()?;
        for (part, added) in parts.iter_mut().zip(&added) {
            part.config.set("prevResult", added.result());
        }
        save(&file, &parts)?;
        let mut body = v100::Body::default();
        added.into_iter().for_each(|added| body.append(added.keep().latest()));
        Ok(body.into())
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        delete(&call.config.typed::<Config>()?.file(call), |part| part.delegate(call))
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let file = call.config.typed::<Config>()?.file(call);
        match &saved(&file)?[..] {
            [] => Err(Failure::internal(format!("{}, which ADD wrote, is not there", file.display()))),
            parts => parts.iter().try_for_each(|part| part.delegate(call)?.check()),
        }
    }

    fn gc(&self, call: &Call) -> Answer {
        let dir = call.config.typed::<Config>()?.dir(call);
        let Some(valid) = call.config.valid_attachments()? else { return Ok(()) };
        for file in fs::read_dir(dir).into_iter().flatten() {
            let file = file?;
            let name = file.file_name().into_string().unwrap_or_default();
            let Some((id, ifname)) = name.split_once(':') else { continue };
            let (id, ifname): (ContainerId, IfName) = (id.parse()?, ifname.parse()?);
            if !valid.contains(&ValidAttachment::new(&id, &ifname)) {
                delete(&file.path(), |part| Ok(part.delegate(call)?.container_id(&id)))?;
            }
        }
        Ok(())
    }

    fn status(&self, call: &Call) -> Answer {
        let config: Config = call.config.typed()?;
        let parts = config.parts(call, "eth0")?;
        parts.iter().try_for_each(|part| part.delegate(call)?.status())
    }
}

fn main() -> ExitCode {
    run(Overlay)
}
