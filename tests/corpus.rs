//! What must hold for any input, for the committed corpus of the fuzz targets: what a fuzzer found stays found.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

/// The laws that the fuzz targets check.
#[allow(unreachable_pub, reason = "public in the crate of the fuzz targets")]
mod laws;

#[track_caller]
fn holds_for_all(target: &str, holds: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/inputs").join(target);
    let files: Vec<_> = fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 10, "{} of {} files", files.len(), corpus.display());
    for file in files {
        let data = fs::read(&file).unwrap();
        assert!(catch_unwind(|| holds(&data)).is_ok(), "does not hold for {}", file.display());
    }
}

#[test]
fn configurations_are_kept_or_refused_with_a_place() {
    holds_for_all("configuration", laws::configuration::holds);
}

#[test]
fn results_are_printed_as_read_and_converted() {
    holds_for_all("result", laws::result::holds);
}

#[test]
fn requests_have_every_byte_of_the_plugins_own() {
    holds_for_all("request", laws::request::holds);
}

#[test]
fn cache_entries_are_entries_or_can_be_removed() {
    holds_for_all("cache_entry", laws::cache_entry::holds);
}

#[test]
fn arguments_are_printed_as_read() {
    holds_for_all("arguments", laws::arguments::holds);
}

#[test]
fn failures_are_one_message() {
    holds_for_all("reply", laws::reply::holds);
}

#[test]
fn plugins_answer_with_one_document() {
    holds_for_all("dispatch", laws::dispatch::holds);
}
