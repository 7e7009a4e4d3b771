//! `flannel`: has another plugin connect a container to the node's part of a flannel network, which flanneld writes
//! into a file.

mod render;
mod saved;
mod subnet;

use std::path::Path;

use libcni::plugin::{Answer, AttachmentCall, Call, Config, Failure, Plugin};
use libcni::result::AddResult;
use libcni::spec::ErrorCode;

use self::render::{Rendered, render};
use self::subnet::Subnet;
use crate::valid::Valid;

pub(crate) struct Flannel;

/// The keys that are about this plugin itself. They are read even if the rest of the configuration is invalid.
fn paths(config: &Config) -> Paths {
    config.typed().unwrap_or_default()
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Paths {
    subnet_file: String,
    data_dir: String,
}

impl Default for Paths {
    fn default() -> Self {
        Self { subnet_file: "/run/flannel/subnet.env".to_owned(), data_dir: "/var/lib/cni/flannel".to_owned() }
    }
}

impl Plugin for Flannel {
    fn add(&self, call: &AttachmentCall) -> Answer<AddResult> {
        let paths: Paths = call.config.typed()?;
        let previous = call.config.prev_result()?;
        let subnet = Subnet::read(Path::new(&paths.subnet_file))?;
        let mut rendered = render(&call.config, &subnet)?;
        saved::write(Path::new(&paths.data_dir), call.container_id.as_str(), &rendered.config)?;
        if previous.is_some() {
            rendered.take_from(call.config.object());
        }
        // One that refuses since the attachment is there already must not be told to remove it. What another one
        // leaves, DEL finds: its configuration is saved.
        Ok(call.delegate(&rendered.plugin).config(&rendered.config).without_undo().add()?.keep())
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        let paths = paths(&call.config);
        let dir = Path::new(&paths.data_dir);
        let saved = saved::read(dir, call.container_id.as_str())?;
        let Some(mut rendered) = saved.and_then(Rendered::of) else {
            // Nothing was added, or it is not known what.
            return saved::remove(dir, call.container_id.as_str());
        };
        // Asked for by the same network only: the file is the container's.
        if rendered.network().is_some_and(|network| network != call.config.name().as_str()) {
            return Ok(());
        }
        rendered.take_from(call.config.object());
        call.delegate(&rendered.plugin).config(&rendered.config).del()?;
        saved::remove(dir, call.container_id.as_str())
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let paths: Paths = call.config.typed()?;
        let saved = saved::read(Path::new(&paths.data_dir), call.container_id.as_str())?.and_then(Rendered::of);
        let missing = || {
            let (dir, id) = (&paths.data_dir, &call.container_id);
            Failure::internal(format!("CHECK: flannel: {dir}/{id}, which has the delegate's configuration, is gone"))
        };
        let mut rendered = saved.ok_or_else(missing)?;
        call.config.require_prev_result()?;
        rendered.take_from(call.config.object());
        call.delegate(&rendered.plugin).config(&rendered.config).check()
    }

    fn gc(&self, call: &Call) -> Answer {
        let paths = paths(&call.config);
        let Some(valid) = call.config.valid_attachments()?.map(Valid::new) else { return Ok(()) };
        let dir = Path::new(&paths.data_dir);
        let network = call.config.name().as_str();
        let now = Subnet::read(Path::new(&paths.subnet_file)).and_then(|subnet| render(&call.config, &subnet));
        let stale = saved::stale(dir, network, &valid)?;
        // The file of today, or else what a container was added by.
        let last = || stale.iter().find_map(|(_, config)| Rendered::of(config.clone()));
        if let Some(mut rendered) = now.ok().or_else(last) {
            rendered.take_from(call.config.object());
            call.delegate(&rendered.plugin).config(&rendered.config).gc()?;
        }
        stale.iter().try_for_each(|(id, _)| saved::remove(dir, id))
    }

    fn status(&self, call: &Call) -> Answer {
        let paths: Paths = call.config.typed()?;
        let unavailable = |failure: Failure| Failure::new(ErrorCode::NOT_AVAILABLE, failure.into_reply().to_string());
        let subnet = Subnet::read(Path::new(&paths.subnet_file)).map_err(unavailable)?;
        let Rendered { plugin, config } = render(&call.config, &subnet)?;
        call.delegate(&plugin).config(&config).status()
    }

    fn about(&self) -> Option<String> {
        Some(crate::about::about("flannel"))
    }
}
