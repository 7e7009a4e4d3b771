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
use self::saved::Saved;
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

impl Paths {
    /// The delegate's configuration, by the file of flanneld as it is.
    fn today(&self, config: &Config) -> Answer<Rendered> {
        render(config, &Subnet::read(Path::new(&self.subnet_file))?)
    }
}

impl Saved {
    /// The delegate's configuration as it was saved, or else as it is today. The file is the container's, and not the
    /// attachment's: of several, the last ADD has written it, and the first DEL removes it.
    fn or_as_today(self, call: &AttachmentCall, paths: &Paths) -> Option<Rendered> {
        if let Self::Own(rendered) = self { Some(rendered) } else { paths.today(&call.config).ok() }
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
            rendered.take_from(call.config.object())?;
        }
        // One that refuses since the attachment is there already must not be told to remove it. What another one
        // leaves, DEL finds: its configuration is saved.
        Ok(call.delegate(&rendered.plugin).config(&rendered.config).without_undo().add()?.keep())
    }

    fn del(&self, call: &AttachmentCall) -> Answer {
        let paths = paths(&call.config);
        let dir = Path::new(&paths.data_dir);
        let saved = saved::find(dir, call.container_id.as_str(), call.config.name().as_str())?;
        let is_anothers = matches!(saved, Saved::AnotherNetworks);
        // Without flanneld's file, nothing was added, or it is not known what.
        if let Some(mut rendered) = saved.or_as_today(call, &paths) {
            rendered.take_from(call.config.object())?;
            call.delegate(&rendered.plugin).config(&rendered.config).del()?;
        }
        if is_anothers { Ok(()) } else { saved::remove(dir, call.container_id.as_str()) }
    }

    fn check(&self, call: &AttachmentCall) -> Answer {
        let paths: Paths = call.config.typed()?;
        let (dir, id) = (&paths.data_dir, &call.container_id);
        let saved = saved::find(Path::new(dir), id.as_str(), call.config.name().as_str())?;
        let missing = || {
            Failure::internal(format!("CHECK: flannel: {dir}/{id}, which has the delegate's configuration, is gone"))
        };
        let mut rendered = saved.or_as_today(call, &paths).ok_or_else(missing)?;
        call.config.require_prev_result()?;
        rendered.take_from(call.config.object())?;
        call.delegate(&rendered.plugin).config(&rendered.config).check()
    }

    fn gc(&self, call: &Call) -> Answer {
        let paths = paths(&call.config);
        let Some(valid) = call.config.valid_attachments()?.map(Valid::new) else { return Ok(()) };
        let dir = Path::new(&paths.data_dir);
        let network = call.config.name().as_str();
        let now = paths.today(&call.config);
        let stale = saved::stale(dir, network, &valid)?;
        // The file of today, or else what a container was added by.
        let last = || stale.iter().find_map(|(_, config)| Rendered::of(config.clone()));
        if let Some(mut rendered) = now.ok().or_else(last) {
            rendered.take_from(call.config.object())?;
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
