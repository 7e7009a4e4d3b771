//! A network: where it comes from, which plugins it runs, and what is attached to it.

use std::path::{Path, PathBuf};

use libcni::cache::Attached;
use libcni::conf::{NetworkConfig, PluginConfig};
use libcni::invoke::{FindError, find};
use libcni::spec::{Command, Object};

use crate::output::describe::file;
use crate::output::failure::Failure;
use crate::output::table::{Table, fields};
use crate::output::{is_json, print_json, printable};

/// Prints a network, whose plugins are in these directories.
pub(super) fn print(network: &NetworkConfig, dirs: &[PathBuf], attached: &[Attached]) -> Result<(), Failure> {
    let plugins: Vec<_> = network.plugins().iter().map(|plugin| Plugin::locate(plugin, dirs)).collect();
    let attached: Vec<_> = attached.iter().map(Attached::id).collect();
    if is_json() {
        return Ok(print_json(&describe(network, &plugins, &attached))?);
    }
    let (summary, table) = (summary(network, &attached), table(&plugins));
    let config = printable(&network.to_object().to_json_pretty());
    Ok(crate::output::print(&format!("{summary}\n\n{}\n\nconfiguration\n{config}", table.aligned()))?)
}

/// A plugin of the network, with its file and that of the plugin it delegates addresses to.
struct Plugin<'a> {
    config: &'a PluginConfig,
    file: Result<PathBuf, FindError>,
    ipam: Option<Result<PathBuf, FindError>>,
}

impl<'a> Plugin<'a> {
    fn locate(config: &'a PluginConfig, dirs: &[PathBuf]) -> Self {
        let ipam = config.ipam_type();
        Self { config, file: find(config.plugin_type(), dirs), ipam: ipam.map(|ipam| find(ipam, dirs)) }
    }

    /// A row for the plugin, and one for that which it delegates to.
    fn rows(&self) -> impl Iterator<Item = [String; 4]> {
        let place = |file: &Result<PathBuf, FindError>| match file {
            Ok(file) => file.display().to_string(),
            Err(_) => "not found".to_owned(),
        };
        let name = self.config.plugin_type();
        let source = self.config.path().map_or_else(|| "the list".to_owned(), |path| path.display().to_string());
        let own = [name.to_owned(), place(&self.file), self.config.enabled_capabilities().join(","), source];
        let ipam = |file| {
            [
                self.config.ipam_type().unwrap_or_default().to_owned(),
                place(file),
                String::new(),
                format!("ipam of {name}"),
            ]
        };
        std::iter::once(own).chain(self.ipam.as_ref().map(ipam))
    }

    fn describe(&self) -> Object {
        let text = |file: &Result<PathBuf, FindError>| file.as_ref().ok().map(|file| file.display().to_string());
        let mut object = Object::new();
        object.set("type", self.config.plugin_type());
        object.set("file", &text(&self.file));
        if let Some(file) = &self.ipam {
            object.set("ipam", self.config.ipam_type().unwrap_or_default());
            object.set("ipamFile", &text(file));
        }
        object.set("capabilities", &self.config.enabled_capabilities());
        object.set("configuredIn", &self.config.path().map(Path::to_string_lossy));
        object
    }
}

fn summary(network: &NetworkConfig, attached: &[String]) -> String {
    let configured: Vec<_> = network.versions().iter().map(ToString::to_string).collect();
    fields(&[
        ("network", network.name().to_owned()),
        ("file", file(network)),
        ("version", network.effective_version().to_owned()),
        ("written for", configured.join(", ")),
        ("verbs", verbs(network).join(", ")),
        ("attachments", some_of(attached)),
    ])
}

/// The first attachments, and how many more there are.
fn some_of(attached: &[String]) -> String {
    const SHOWN: usize = 10;
    match attached.len().saturating_sub(SHOWN) {
        0 => attached.join(", "),
        more => format!("{} and {more} more, as `cnitool list attachments` shows", attached[..SHOWN].join(", ")),
    }
}

fn verbs(network: &NetworkConfig) -> Vec<&'static str> {
    network.verbs().into_iter().map(Command::as_str).collect()
}

fn table(plugins: &[Plugin<'_>]) -> Table<4> {
    let mut table = Table::new(["PLUGIN", "FILE", "CAPABILITIES", "CONFIGURED IN"]);
    plugins.iter().flat_map(Plugin::rows).for_each(|row| table.row(row));
    table
}

fn describe(network: &NetworkConfig, plugins: &[Plugin<'_>], attached: &[String]) -> Object {
    let mut object = Object::new();
    object.set("name", network.name());
    object.set("file", &file(network));
    object.set("cniVersion", network.cni_version().unwrap_or_default());
    object.set("verbs", &verbs(network));
    object.set("plugins", &plugins.iter().map(Plugin::describe).collect::<Vec<_>>());
    object.set("attachments", attached);
    object.set("config", &network.to_object());
    let mut report = Object::new();
    report.set("network", &object);
    report
}
