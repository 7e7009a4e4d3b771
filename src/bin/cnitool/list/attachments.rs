//! `cnitool list attachments`.

use libcni::{Cni, Error};
use serde::Serialize;

use crate::Failure;
use crate::cached::{Attached, Unreadable, attached};
use crate::cli::Arguments;
use crate::netns::State;
use crate::output::{Table, print_json, warn};

/// Prints what is attached; a warning for every file of the cache that is no attachment.
pub(super) fn list(arguments: &Arguments, cni: &Cni, plain: bool) -> Result<(), Failure> {
    let (all, unreadable) = attached(cni.cache()).map_err(Error::from)?;
    if arguments.json() {
        let attachments = all.iter().map(Row::new).collect();
        return Ok(print_json(&Report { attachments, unreadable })?);
    }
    let titles = ["NETWORK", "CONTAINER", "INTERFACE", "ADDRESSES", "NAMESPACE", "STATE", "AGE"];
    let mut table = Table::new(titles);
    all.iter().for_each(|attachment| table.row(row(attachment)));
    super::show(&table, plain)?;
    unreadable.iter().for_each(|file| warn(&format!("skipped {file}")));
    Ok(())
}

fn row(attachment: &Attached) -> [String; 7] {
    let entry = &attachment.entry;
    let state = attachment.netns.map(State::as_str).unwrap_or_default();
    [
        entry.network.clone(),
        entry.container_id.clone(),
        entry.ifname.clone(),
        attachment.addresses().join(","),
        entry.netns.clone(),
        state.to_owned(),
        attachment.age_text(),
    ]
}

#[derive(Serialize)]
struct Report<'a> {
    attachments: Vec<Row<'a>>,
    unreadable: Vec<Unreadable>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    network: &'a str,
    container_id: &'a str,
    ifname: &'a str,
    addresses: Vec<String>,
    netns: &'a str,
    netns_state: Option<&'static str>,
    age_seconds: Option<u64>,
    file: String,
}

impl<'a> Row<'a> {
    fn new(attachment: &'a Attached) -> Self {
        let entry = &attachment.entry;
        Self {
            network: &entry.network,
            container_id: &entry.container_id,
            ifname: &entry.ifname,
            addresses: attachment.addresses(),
            netns: &entry.netns,
            netns_state: attachment.netns.map(State::as_str),
            age_seconds: attachment.age.map(|age| age.as_secs()),
            file: attachment.file.display().to_string(),
        }
    }
}
