//! The configuration of each container's delegate, in a file of the container's ID, as the plugin of
//! flannel-io keeps it.

use std::io;
use std::path::Path;

use libcni::plugin::{Answer, Failure};
use libcni::spec::{ErrorCode, Object};

use crate::directory;
use crate::flannel::render::Rendered;
use crate::text;
use crate::valid::Valid;
use crate::whole::{self, UNFINISHED};

fn failed(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(ErrorCode::IO, format!("flannel: cannot {doing} {}: {error}", path.display()))
}

/// Writes a container's file, whole, and not to be lost.
pub(crate) fn write(dir: &Path, container_id: &str, config: &Object) -> Answer {
    let path = dir.join(container_id);
    whole::write(&path, config.to_string().as_bytes()).map_err(|e| failed("write", &path, &e))
}

/// The file of a container, as one of its networks sees it.
pub(crate) enum Saved {
    Own(Rendered),
    /// There is none, or it says nothing.
    Nothing,
    AnotherNetworks,
}

/// Finds a container's file.
pub(crate) fn find(dir: &Path, container_id: &str, network: &str) -> Answer<Saved> {
    let Some(rendered) = read(dir, container_id)?.and_then(Rendered::of) else { return Ok(Saved::Nothing) };
    let is_own = rendered.network().is_none_or(|of| of == network);
    Ok(if is_own { Saved::Own(rendered) } else { Saved::AnotherNetworks })
}

/// Reads a container's file; `None` if there is none. A file that is not an object counts as one without keys.
fn read(dir: &Path, container_id: &str) -> Answer<Option<Object>> {
    let path = dir.join(container_id);
    match text::read_kept(&path) {
        Ok(text) => Ok(Some(Object::parse(&text).unwrap_or_default())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", &path, &error)),
    }
}

pub(crate) fn remove(dir: &Path, container_id: &str) -> Answer {
    let path = dir.join(container_id);
    whole::remove(&path).map_err(|e| failed("remove", &path, &e))
}

/// The files of those containers of a network that are not to be kept, with their IDs.
pub(crate) fn stale(dir: &Path, network: &str, valid: &Valid) -> Answer<Vec<(String, Object)>> {
    let mut stale = Vec::new();
    for name in directory::files(dir).map_err(|e| failed("list", dir, &e))? {
        // The process that wrote it may have been killed.
        let id = name.trim_start_matches(UNFINISHED);
        if valid.has_container(id) {
            continue;
        }
        let Some(config) = read(dir, &name)? else { continue };
        let of = Rendered::of(config.clone()).and_then(|rendered| rendered.network());
        if of.as_deref() == Some(network) {
            stale.push((id.to_owned(), config));
        }
    }
    Ok(stale)
}
