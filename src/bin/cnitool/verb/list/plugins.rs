//! `cnitool list plugins`.

use std::path::Path;

use clap::Args;
use libcni::invoke::{Installed, Standing, installed};
use libcni::{Cni, Error};
use serde::Serialize;

use super::form::Form;
use crate::context::options::Running;
use crate::context::signals::Signals;
use crate::output::failure::Failure;
use crate::output::table::Table;
use crate::output::{is_json, print_json, warn};

/// The arguments of `list plugins`.
#[derive(Args, Debug)]
pub(crate) struct Plugins {
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    running: Running,
}

/// Prints the files of the plugin directories with the versions that they support, or why they support none.
pub(super) fn list(list: &Plugins, signals: Option<&Signals>) -> Result<(), Failure> {
    let cni = list.running.cni(signals.and_then(Signals::token))?;
    let (of_system, dirs): (Vec<_>, Vec<_>) =
        list.running.dirs.plugin_dirs().into_iter().partition(|dir| is_of_system(dir));
    for dir in of_system {
        warn(&format!("skipped {}: it has the system's programs, which may do anything when run", dir.display()));
    }
    let (files, unreadable) = installed(&dirs);
    for (dir, error) in unreadable {
        warn(&format!("cannot read the plugin directory {}: {error}", dir.display()));
    }
    let plugins = files.into_iter().map(|file| Plugin::ask(&cni, file)).collect::<Result<Vec<_>, _>>()?;
    if is_json() {
        return Ok(print_json(&Report { plugins })?);
    }
    let mut table = Table::new(["PLUGIN", "VERSIONS", "FILE", "STATE"]);
    let shown = plugins.into_iter().filter(|plugin| !list.form.plain || plugin.is_usable());
    shown.for_each(|plugin| table.row(plugin.row()));
    list.form.show(&table)
}

/// Asking `reboot` for its version would be a bad idea.
fn is_of_system(dir: &Path) -> bool {
    let dir = std::fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    let system = ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
    system.iter().any(|name| dir == Path::new(name))
}

#[derive(Serialize)]
struct Report {
    plugins: Vec<Plugin>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plugin {
    name: String,
    file: String,
    supported_versions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shadowed_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Plugin {
    fn ask(cni: &Cni, file: Installed) -> Result<Self, Error> {
        let Installed { name, path, standing } = file;
        let file = path.display().to_string();
        let mut plugin = Self { name, file, supported_versions: Vec::new(), shadowed_by: None, error: None };
        match standing {
            Standing::Shadowed { by } => plugin.shadowed_by = Some(by.display().to_string()),
            Standing::NotExecutable => plugin.error = Some("not executable".to_owned()),
            _ => match cni.plugin_version(&plugin.name) {
                Ok(reply) => plugin.supported_versions = reply.supported_versions,
                Err(error) if error.is_cancelled() => return Err(error),
                Err(error) => plugin.error = Some(format!("no plugin: {}", error.reason())),
            },
        }
        Ok(plugin)
    }

    fn is_usable(&self) -> bool {
        self.error.is_none() && self.shadowed_by.is_none()
    }

    fn row(self) -> [String; 4] {
        let shadowed = self.shadowed_by.map(|by| format!("shadowed by {by}"));
        let state = self.error.or(shadowed).unwrap_or_else(|| "ok".to_owned());
        [self.name, self.supported_versions.join(","), self.file, state]
    }
}
