//! Entries that the Go libcni may have written.

use std::fs;
use std::path::Path;

use libcni::cache::{Cache, CacheError, Cached, Entry, InvalidEntry, Key};
use libcni::result::go;
use libcni::spec::{ContainerId, InvalidName, Version};
use serde_json::{Value, json};

use super::{Case, Outcome, category, run, value};

#[test]
fn cache_vectors() {
    run("cache.json", |case| {
        let dir = tempfile::tempdir().unwrap();
        if !case.value("files").is_null() {
            let results = dir.path().join("results");
            fs::create_dir(&results).unwrap();
            case.write_files(&results);
        }
        let cache = Cache::new(dir.path());
        match case.op() {
            "attachments" => attachments(case, &cache),
            "result" => result(case, &cache),
            "config" => config(case, &cache),
            op => panic!("unknown op {op}"),
        }
    });
}

fn attachments(case: &Case, cache: &Cache) -> Outcome {
    let id = case.text_if_any("containerID").filter(|id| !id.is_empty());
    let id = id.map(|id| ContainerId::new(id).unwrap());
    let listing = cache.attachments(id.as_ref()).unwrap();
    let attachment = |entry: &Entry| {
        json!({
            "containerID": entry.container_id,
            "network": entry.network,
            "ifName": entry.ifname,
            "netns": entry.netns.as_deref().unwrap_or(Path::new("")),
            "cniArgs": entry.args.iter().collect::<Vec<_>>(),
            "capabilityArgs": value(&entry.capability_args),
            "config": String::from_utf8_lossy(&entry.config),
        })
    };
    Ok(listing.entries.iter().map(attachment).collect())
}

fn key(case: &Case) -> Result<Key, InvalidName> {
    Ok(Key::new(case.text("network").parse()?, case.text("containerID").parse()?, case.text("ifName").parse()?))
}

fn read(case: &Case, cache: &Cache) -> Result<Option<Cached>, Value> {
    let key = key(case).or_else(|_| category("bad_key"))?;
    match cache.read(&key) {
        Ok(cached) => Ok(cached),
        Err(CacheError::Invalid { source: InvalidEntry::Kind(_), .. }) => category("wrong_kind"),
        Err(CacheError::Invalid { .. }) => category("parse"),
        Err(error) => panic!("{error}"),
    }
}

fn result(case: &Case, cache: &Cache) -> Outcome {
    let Some(cached) = read(case, cache)? else { return Ok(Value::Null) };
    let result = cached.result().or_else(|_| category("parse"))?;
    let version: Version = case.text("cniVersion").parse().unwrap();
    let converted = result.to_version(&version).or_else(|_| category("convert"))?;
    let version = converted.version().to_string();
    Ok(json!({"version": version, "result": value(go::without_unknown_keys(converted))}))
}

fn config(case: &Case, cache: &Cache) -> Outcome {
    match read(case, cache)? {
        None => Ok(Value::Null),
        Some(Cached::BareResult(_)) => category("wrong_kind"),
        Some(Cached::Entry(entry)) => Ok(json!({
            "config": String::from_utf8_lossy(&entry.config),
            "cniArgs": entry.args.iter().collect::<Vec<_>>(),
            "capabilityArgs": value(&entry.capability_args),
        })),
        Some(other) => panic!("{other:?}"),
    }
}
