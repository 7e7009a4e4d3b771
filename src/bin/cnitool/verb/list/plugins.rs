//! `cnitool list plugins`.

use clap::Args;
use libcni::invoke::UnreadableDir;
use libcni::runtime::InstalledPlugin;
use libcni::spec::Object;

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
    let found = list.running.cni(signals.and_then(Signals::token))?.installed_plugins()?;
    for dir in &found.of_system {
        warn(&format!("skipped {}: it has the system's programs, which may do anything when run", dir.display()));
    }
    for UnreadableDir { dir, error, .. } in &found.unreadable {
        warn(&format!("cannot read the plugin directory {}: {error}", dir.display()));
    }
    if is_json() {
        let mut report = Object::new();
        report.set("plugins", &found.plugins.iter().map(InstalledPlugin::to_object).collect::<Vec<_>>());
        return Ok(print_json(&report)?);
    }
    let mut table = Table::new(["PLUGIN", "VERSIONS", "FILE", "STATE"]);
    let shown = found.plugins.iter().filter(|plugin| !list.form.plain || plugin.is_usable());
    shown.for_each(|plugin| table.row(row(plugin)));
    list.form.show(&table)
}

fn row(plugin: &InstalledPlugin) -> [String; 4] {
    let shadowed = plugin.shadowed_by().map(|by| format!("shadowed by {}", by.display()));
    let state = plugin.error.clone().or(shadowed).unwrap_or_else(|| "ok".to_owned());
    let file = plugin.installed.path.display().to_string();
    [plugin.installed.name.clone(), plugin.supported_versions.join(","), file, state]
}
