//! Programs that can't be run, and directories without one.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use libcni::Error;
use libcni::invoke::{ExecError, FindError, find};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::support::{Sandbox, Script, attachment, chain};

/// The program can't be run, and the message has its path and the system's reason.
#[track_caller]
fn cannot_run(script: &Script, reason: &str) {
    let error = script.error();
    assert!(matches!(error, ExecError::Spawn { .. }), "{error:?}");
    assert!(!error.was_started());
    let message = chain(&error);
    for word in [script.program().to_str().unwrap(), reason] {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}

#[test]
fn a_program_that_may_not_be_executed_is_named() {
    let script = Script::new("true");
    fs::set_permissions(script.program(), Permissions::from_mode(0o644)).unwrap();
    cannot_run(&script, ": nobody may execute the file: Permission denied");
}

#[test]
fn a_program_for_another_machine_is_named() {
    // An ELF header of 64 bits for the machine 183, and nothing after it.
    let mut elf = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xb7\0\x01\0\0\0";
    cannot_run(&Script::from_bytes(&elf), "nor a program for this machine: Exec format error");
    elf[18] = 0xfe;
    cannot_run(&Script::from_bytes(&elf), "Exec format error");
}

#[test]
fn a_program_in_no_known_format_is_named_and_not_handed_to_a_shell() {
    let script = Script::from_bytes(b"touch ~/ran\n");
    cannot_run(&script, "Exec format error");
    assert!(!script.file("ran").exists());
}

#[test]
fn an_empty_program_is_named() {
    cannot_run(&Script::from_bytes(b""), "Exec format error");
}

#[test]
fn a_fifo_is_no_program_and_nobody_waits_for_it() {
    let script = Script::new("true");
    fs::remove_file(script.program()).unwrap();
    mkfifo(script.program(), Mode::S_IRWXU).unwrap();
    cannot_run(&script, ": it is not a regular file: Permission denied");
}

#[test]
fn a_missing_interpreter_is_named_as_that() {
    // Without it the message would say that the program itself does not exist.
    for (first, named) in [
        ("#!/no/such/interpreter", "`/no/such/interpreter`"),
        ("#! \t/no/such/interpreter -x", "`/no/such/interpreter`"),
        ("#!/bin/sh\r", r"`/bin/sh\r`"),
        ("#!/no/\u{1b}[2J", r"`/no/\u{1b}[2J`"),
    ] {
        let script = Script::from_bytes(format!("{first}\nexit 0\n").as_bytes());
        cannot_run(&script, &format!(": its interpreter {named} is missing: No such file"));
    }
}

#[test]
fn an_interpreter_that_may_not_be_executed_is_named() {
    cannot_run(&Script::from_bytes(b"#!/etc/passwd\n"), "its interpreter `/etc/passwd` may not be executed");
}

#[test]
fn a_directory_in_place_of_a_program_is_named() {
    let script = Script::new("true");
    fs::remove_file(script.program()).unwrap();
    fs::create_dir(script.program()).unwrap();
    cannot_run(&script, "Permission denied");
}

#[test]
fn a_program_that_is_gone_is_named() {
    let script = Script::new("true");
    fs::remove_file(script.program()).unwrap();
    cannot_run(&script, "No such file");
}

#[test]
fn an_error_of_a_verb_names_the_program_that_cannot_be_run() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let program = sandbox.bin().join("one");
    fs::remove_file(&program).unwrap();
    fs::write(&program, "").unwrap();
    let error = sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(matches!(error, Error::PluginNotFound { .. }), "{error:?}");
    let message = chain(&error);
    assert!(message.contains(&format!("{} may not be executed", program.display())), "{message}");
}

#[test]
fn without_plugin_directories_nothing_is_found() {
    let error = find("one", &[]).unwrap_err();
    assert!(matches!(error, FindError::NoDirs { .. }), "{error:?}");
}

#[test]
fn an_empty_plugin_directory_is_not_the_working_directory() {
    // The tests run in the directory of the crate, which has this file.
    let error = find("Cargo.toml", &[PathBuf::new()]).unwrap_err();
    assert!(matches!(error, FindError::NotFound { .. }), "{error:?}");
}

#[test]
fn a_relative_plugin_directory_counts_from_the_working_directory() {
    let found = find("plugin.sh", &["tests/support".into()]).unwrap();
    assert_eq!(found, std::env::current_dir().unwrap().join("tests/support/plugin.sh"));
}

#[test]
fn a_plugin_of_a_relative_directory_is_run() {
    let sandbox = Sandbox::new().plugins(["one"]);
    let up = "../".repeat(std::env::current_dir().unwrap().components().count());
    let relative = format!("{up}{}", sandbox.bin().display());
    sandbox
        .builder()
        .plugin_dirs([relative])
        .build()
        .unwrap()
        .add(&sandbox.network(), &attachment("c1", "eth0"))
        .unwrap();
    assert_eq!(sandbox.calls(), ["ADD one"]);
}

#[test]
fn a_file_that_may_not_be_executed_is_found_and_hides_later_ones() {
    // As in Go; and somebody who installs a plugin twice must hear of the one that is wrong.
    let sandbox = Sandbox::new().plugins(["one"]);
    fs::create_dir(sandbox.path("early")).unwrap();
    fs::write(sandbox.path("early/one"), "#!/bin/sh\n").unwrap();
    let cni = sandbox.builder().plugin_dirs([sandbox.path("early"), sandbox.bin()]).build().unwrap();
    let error = cni.add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(chain(&error).contains("early/one may not be executed"), "{}", chain(&error));
}

#[test]
fn what_is_no_file_is_passed_over() {
    let sandbox = Sandbox::new().plugins(["one"]);
    for name in ["fifo", "device", "loop", "file"] {
        fs::create_dir(sandbox.path(name)).unwrap();
    }
    mkfifo(&sandbox.path("fifo/one"), Mode::S_IRWXU).unwrap();
    symlink("/dev/null", sandbox.path("device/one")).unwrap();
    symlink("one", sandbox.path("loop/one")).unwrap();
    let dirs = ["fifo", "device", "loop", "file/no-directory", "bin"].map(|name| sandbox.path(name));
    assert_eq!(find("one", &dirs).unwrap(), sandbox.bin().join("one"));
    assert!(find("one", &dirs[..4]).is_err());
}

#[test]
fn the_first_directory_with_a_file_of_that_name_wins() {
    let sandbox = Sandbox::new().plugins(["one"]);
    for name in ["empty", "folder/one", "dangling", "late"] {
        fs::create_dir_all(sandbox.path(name)).unwrap();
    }
    symlink("nowhere", sandbox.path("dangling/one")).unwrap();
    fs::write(sandbox.path("late/one"), "").unwrap();
    let dirs = ["missing", "empty", "folder", "dangling", "bin", "late"].map(|name| sandbox.path(name));
    assert_eq!(find("one", &dirs).unwrap(), sandbox.bin().join("one"));
}
