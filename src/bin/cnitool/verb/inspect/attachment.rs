//! An attachment: what was asked for, what came of it, and what has become of it.

use libcni::Chain;
use libcni::cache::Attached;
use libcni::conf::NetworkConfig;
use libcni::runtime::Plan;
use libcni::spec::Object;

use crate::output::describe::path;
use crate::output::failure::Failure;
use crate::output::table::fields;
use crate::output::{is_json, print_json, printable};

pub(super) fn print(named: &[Attached], networks: &[NetworkConfig]) -> Result<(), Failure> {
    if is_json() {
        let mut report = Object::new();
        report.set("attachments", &named.iter().map(|attachment| describe(attachment, networks)).collect::<Vec<_>>());
        return Ok(print_json(&report)?);
    }
    let texts: Vec<_> = named.iter().map(|attachment| text(attachment, networks)).collect();
    Ok(crate::output::print(&texts.join("\n\n"))?)
}

fn text(attachment: &Attached, networks: &[NetworkConfig]) -> String {
    let entry = &attachment.entry;
    let result = match entry.result() {
        Ok(_) => String::new(),
        Err(error) => format!("not usable: {}", Chain(&error)),
    };
    let summary = fields(&[
        ("attachment", attachment.id()),
        ("network", entry.network.clone()),
        ("namespace", entry.netns.as_deref().map(|path| path.display().to_string()).unwrap_or_default()),
        ("state", attachment.state().unwrap_or_default().to_owned()),
        ("addresses", attachment.addresses().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        ("age", attachment.age_in_words().unwrap_or_default()),
        ("file", path(attachment.file.as_deref())),
        ("arguments", entry.args.to_string()),
        ("configuration", Plan::comparison(networks, &attachment.entry).unwrap_or_default().to_owned()),
        ("result", result),
    ]);
    let config = String::from_utf8_lossy(&entry.config);
    let config = Object::parse(&config).map_or_else(|_| config.into_owned(), |object| object.to_json_pretty());
    let capabilities = Object::parse(&entry.capability_args.to_string()).unwrap_or_default();
    let parts = [
        ("capability arguments", if capabilities.is_empty() { String::new() } else { capabilities.to_json_pretty() }),
        ("configuration", config),
        ("result", if entry.result.is_empty() { String::new() } else { entry.result.to_json_pretty() }),
    ];
    let filled = parts.iter().filter(|(_, text)| !text.is_empty());
    filled.fold(summary, |all, (title, text)| format!("{all}\n\n{title}\n{}", printable(text)))
}

fn describe(attachment: &Attached, networks: &[NetworkConfig]) -> Object {
    let mut object = attachment.to_whole_object();
    object.set("configuration", Plan::comparison(networks, &attachment.entry).unwrap_or_default());
    object
}
