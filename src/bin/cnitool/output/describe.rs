//! A network in the tool's words.

use std::path::Path;

use libcni::Chain;
use libcni::conf::{ConfError, NetworkConfig};
use libcni::spec::Object;

pub(crate) fn file(network: &NetworkConfig) -> String {
    network.path().map(|path| path.display().to_string()).unwrap_or_default()
}

/// A file that is no configuration, for people: `LINE:COLUMN: `, if known, and the reason.
pub(crate) fn broken(error: &ConfError) -> String {
    let place = error.position().map(|at| format!("{}:{}: ", at.line, at.column)).unwrap_or_default();
    format!("{place}{}", Chain(error.problem()))
}

/// The same for programs: `file`, `line` and `column`, if known, and `message`.
pub(crate) fn broken_object(error: &ConfError) -> Object {
    let mut object = Object::new();
    object.set("file", &error.file().map(Path::to_string_lossy));
    if let Some(at) = error.position() {
        object.set("line", &at.line);
        object.set("column", &at.column);
    }
    object.set("message", &Chain(error.problem()).to_string());
    object
}
