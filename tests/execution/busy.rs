//! A program that is being replaced while it is run.

use std::fs::{File, OpenOptions};
use std::time::Duration;

use libcni::invoke::ExecError;

use crate::support::Script;

#[track_caller]
fn writer(script: &Script) -> File {
    OpenOptions::new().append(true).open(script.program()).unwrap()
}

#[test]
fn a_program_that_is_being_written_is_run_when_that_is_over() {
    let script = Script::new("echo '{}'");
    let writer = writer(&script);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(writer);
        });
        assert_eq!(script.stdout(), "{}\n");
    });
}

#[test]
fn a_program_that_stays_open_for_writing_is_an_error_that_names_it() {
    let script = Script::new("touch ~/ran").timeout(100);
    let _writer = writer(&script);
    let error = script.error();
    assert!(matches!(error, ExecError::Busy { .. }), "{error:?}");
    assert!(error.to_string().contains(script.program().to_str().unwrap()), "{error}");
    assert!(!error.was_started() && !script.file("ran").exists());
}
