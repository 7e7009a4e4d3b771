//! Cache entries there and back.

use libcni::cache::unlocked;
use libcni::cache::{Cache, Cached, Entry, Key};
use libcni::result::AddResult;
use libcni::spec::CniArgs;
use libcni::spec::capability::CapabilityArgs;
use proptest::collection::vec;
use proptest::prelude::*;

use super::made_up::{body, object};

fn key() -> impl Strategy<Value = Key> {
    // Short, so that some names of files are wanted twice.
    ("[ab](-[ab]){0,2}", "[ab](-[ab]){0,2}", "[ab]|\\PC{1,3}").prop_filter_map("a name", |(network, id, ifname)| {
        Some(Key::new(network.parse().ok()?, id.parse().ok()?, ifname.parse().ok()?))
    })
}

fn entry(key: Key) -> impl Strategy<Value = (Key, Entry)> {
    let parts = (".*", vec((".*", ".*"), 0..3), object("\\PC{0,3}"), vec(any::<u8>(), 0..50), body());
    parts.prop_map(move |(netns, args, capabilities, config, body)| {
        let mut entry = Entry::default()
            .container_id(key.container_id.as_str())
            .network(key.network.as_str())
            .ifname(key.ifname.as_str())
            .args(args.into_iter().collect::<CniArgs>())
            .capability_args(CapabilityArgs::from(capabilities))
            .config(config)
            .result_object(AddResult::from(body).to_object());
        entry.netns = Some(netns).filter(|netns| !netns.is_empty()).map(Into::into);
        (key.clone(), entry)
    })
}

proptest! {
    #![proptest_config(super::very_few())]

    #[test]
    fn every_entry_is_read_as_it_was_written_whatever_file_names_collide(
        entries in vec(key().prop_flat_map(entry), 1..8),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path());
        let mut expected: Vec<(Key, Entry)> = Vec::new();
        for (key, entry) in entries {
            unlocked::write(&cache, &key, &entry).unwrap();
            expected.retain(|(other, _)| *other != key);
            expected.push((key, entry));
        }
        for (key, entry) in &expected {
            prop_assert_eq!(cache.read(key).unwrap(), Some(Cached::Entry(entry.clone())));
        }
        prop_assert_eq!(cache.attachments(None).unwrap().entries.len(), expected.len());
        for (key, _) in &expected {
            unlocked::remove(&cache, key).unwrap();
            prop_assert_eq!(cache.read(key).unwrap(), None);
        }
        prop_assert!(cache.attachments(None).unwrap().entries.is_empty());
    }
}
