//! `cnitool list attachments`.

use clap::Args;
use libcni::Error;
use libcni::cache::{Attached, CacheError};
use libcni::conf::NetworkConfig;
use libcni::runtime::Plan;
use libcni::spec::Object;

use super::form::Form;
use crate::context::options::{Configurations, Records};
use crate::output::failure::Failure;
use crate::output::table::Table;
use crate::output::{is_json, print_json, warn};

/// The arguments of `list attachments`.
#[derive(Args, Debug)]
pub(crate) struct Attachments {
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    configurations: Configurations,
    #[command(flatten)]
    records: Records,
}

/// Prints the attachments, and a warning for every file of the cache that is not one.
pub(super) fn list(list: &Attachments) -> Result<(), Failure> {
    let missing = list.records.cache_dir.iter().find(|dir| !dir.exists());
    missing.into_iter().for_each(|dir| warn(&format!("the cache directory {} does not exist", dir.display())));
    let inventory = list.records.cache().inventory().map_err(Error::from)?;
    let networks = list.configurations.conf_dir().list().map(|listing| listing.networks).unwrap_or_default();
    if is_json() {
        let mut report = Object::new();
        let describe = |attached: &Attached| {
            let mut object = attached.to_object();
            object.set("configuration", Plan::comparison(&networks, &attached.entry).unwrap_or_default());
            object
        };
        report.set("attachments", &inventory.attached.iter().map(describe).collect::<Vec<_>>());
        report.set("unreadable", &inventory.unusable.iter().map(CacheError::to_object).collect::<Vec<_>>());
        return Ok(print_json(&report)?);
    }
    let titles = ["NETWORK", "CONTAINER", "INTERFACE", "ADDRESSES", "NAMESPACE", "STATE", "AGE", "CONFIGURATION"];
    let mut table = Table::new(titles);
    let shown = inventory.attached.iter().filter(|attached| !list.form.plain || attached.is_finished());
    shown.for_each(|attached| table.row(row(attached, &networks)));
    list.form.show(&table)?;
    let skip = |error: &CacheError| warn(&format!("skipped {}: {}", error.path().display(), error.reason()));
    inventory.unusable.iter().for_each(skip);
    Ok(())
}

fn row(attached: &Attached, networks: &[NetworkConfig]) -> [String; 8] {
    let entry = &attached.entry;
    [
        entry.network.clone(),
        entry.container_id.clone(),
        entry.ifname.clone(),
        attached.addresses().iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        entry.netns.as_deref().map(|path| path.display().to_string()).unwrap_or_default(),
        attached.state().unwrap_or_default().to_owned(),
        attached.age_in_words().unwrap_or_default(),
        Plan::comparison(networks, &attached.entry).unwrap_or_default().to_owned(),
    ]
}
