//! `cnitool list attachments`.

use clap::Args;
use libcni::spec::Object;

use super::form::Form;
use crate::context::options::Records;
use crate::output::attached::Attached;
use crate::output::failure::Failure;
use crate::output::table::Table;
use crate::output::{is_json, print_json, warn};

/// The arguments of `list attachments`.
#[derive(Args, Debug)]
pub(crate) struct Attachments {
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    records: Records,
}

/// Prints what is attached; a warning for every file of the cache that is no attachment.
pub(super) fn list(list: &Attachments) -> Result<(), Failure> {
    let (all, unreadable) = list.records.attached()?;
    if is_json() {
        let mut report = Object::new();
        report.set("attachments", &all.iter().map(Attached::describe).collect::<Vec<_>>());
        report.set("unreadable", &unreadable);
        return Ok(print_json(&report)?);
    }
    let titles = ["NETWORK", "CONTAINER", "INTERFACE", "ADDRESSES", "NAMESPACE", "STATE", "AGE"];
    let mut table = Table::new(titles);
    let shown = all.iter().filter(|attachment| !list.form.plain || attachment.file.is_some());
    shown.for_each(|attachment| table.row(row(attachment)));
    list.form.show(&table)?;
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
