//! The configuration of each container's delegate, in a file of the container's ID, as the plugin of
//! flannel-io keeps it.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use libcni::plugin::{Answer, Failure};
use libcni::spec::{ErrorCode, Object};

use crate::flannel::render::Rendered;
use crate::valid::Valid;

fn failed(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(ErrorCode::IO, format!("flannel: cannot {doing} {}: {error}", path.display()))
}

/// Writes a container's file, whole, and not to be lost.
pub(crate) fn write(dir: &Path, container_id: &str, config: &Object) -> Answer {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| failed("make", dir, &e))?;
    let (path, new) = (dir.join(container_id), dir.join(format!(".new-{}", std::process::id())));
    let mut options = fs::OpenOptions::new();
    let opened = options.write(true).create(true).truncate(true).mode(0o600).open(&new);
    let written = opened.and_then(|mut file| {
        file.write_all(config.to_string().as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&new, &path)).map_err(|e| failed("write", &path, &e))
}

/// Reads a container's file; `None` when there is none. One that is no object is one without keys.
pub(crate) fn read(dir: &Path, container_id: &str) -> Answer<Option<Object>> {
    let path = dir.join(container_id);
    match fs::read(&path) {
        Ok(text) => Ok(Some(Object::parse(&String::from_utf8_lossy(&text)).unwrap_or_default())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", &path, &error)),
    }
}

pub(crate) fn remove(dir: &Path, container_id: &str) -> Answer {
    let path = dir.join(container_id);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &path, &error)),
        _ => Ok(()),
    }
}

/// The files of those containers of a network that are not to be kept, with their IDs.
pub(crate) fn stale(dir: &Path, network: &str, valid: &Valid) -> Answer<Vec<(String, Object)>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|e| failed("list", dir, &e))?,
    };
    let mut stale = Vec::new();
    for entry in entries {
        let name = entry.map_err(|e| failed("list", dir, &e))?.file_name();
        let Some(id) = name.to_str().filter(|id| !id.starts_with('.') && !valid.has_container(id)) else { continue };
        let Some(config) = read(dir, id)? else { continue };
        let of = Rendered::of(config.clone()).and_then(|rendered| rendered.network());
        if of.as_deref() == Some(network) {
            stale.push((id.to_owned(), config));
        }
    }
    Ok(stale)
}
