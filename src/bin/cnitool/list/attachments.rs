//! `cnitool list attachments`.

use libcni::spec::Object;
use libcni::{Cni, Error};

use crate::Failure;
use crate::cached::{Attached, attached};
use crate::cli::Arguments;
use crate::output::{print_json, warn};
use crate::table::Table;

/// Prints what is attached; a warning for every file of the cache that is no attachment.
pub(super) fn list(arguments: &Arguments, cni: &Cni, plain: bool) -> Result<(), Failure> {
    let (all, unreadable) = attached(cni.cache()).map_err(Error::from)?;
    if arguments.json() {
        let mut report = Object::new();
        report.set("attachments", &all.iter().map(Attached::describe).collect::<Vec<_>>());
        report.set("unreadable", &unreadable);
        return Ok(print_json(&report)?);
    }
    let titles = ["NETWORK", "CONTAINER", "INTERFACE", "ADDRESSES", "NAMESPACE", "STATE", "AGE"];
    let mut table = Table::new(titles);
    let shown = all.iter().filter(|attachment| !plain || attachment.file.is_some());
    shown.for_each(|attachment| table.row(row(attachment)));
    super::show(&table, plain)?;
    unreadable.iter().for_each(|file| warn(&format!("skipped {file}")));
    Ok(())
}

fn row(attachment: &Attached) -> [String; 7] {
    let entry = &attachment.entry;
    [
        entry.network.clone(),
        entry.container_id.clone(),
        entry.ifname.clone(),
        attachment.addresses().join(","),
        entry.netns.clone(),
        attachment.state().to_owned(),
        attachment.age_text(),
    ]
}
