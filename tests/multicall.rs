//! `cni-plugins`: which plugin it is, how it is installed, and delegates that are the same program.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cni-plugins");

fn run(program: impl AsRef<Path>, arguments: &[&Path]) -> Output {
    Command::new(program.as_ref()).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn install(arguments: &[&Path]) -> Output {
    run(PROGRAM, &[&["install".as_ref()], arguments].concat())
}

#[track_caller]
fn installed() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let output = install(&[dir.path()]);
    assert!(output.status.success(), "{output:?}");
    dir
}

/// The plugins that a runtime finds in a directory.
fn plugins() -> Vec<String> {
    stdout(&run(PROGRAM, &["list".as_ref()])).lines().map(str::to_owned).collect()
}

/// Calls a plugin as a runtime does.
fn call(program: &Path, verb: &str, path: &Path, stdin: &str) -> Output {
    let mut command = Command::new(program);
    command.env_clear().envs([("CNI_COMMAND", verb), ("CNI_CONTAINERID", "c1"), ("CNI_IFNAME", "eth0")]);
    command.env("CNI_NETNS", "/no/such/namespace").env("CNI_PATH", path);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // VERSION does not read it.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

#[track_caller]
fn is_plugin(program: &Path) {
    let output = call(program, "VERSION", Path::new("/"), r#"{"cniVersion":"1.1.0"}"#);
    assert!(stdout(&output).contains(r#""supportedVersions":["#), "{}: {output:?}", program.display());
}

#[test]
fn each_plugin_that_it_lists_is_there_after_installing() {
    let dir = installed();
    for plugin in plugins() {
        is_plugin(&dir.path().join(plugin));
    }
}

#[test]
fn a_symbolic_link_a_hard_link_and_a_copy_are_the_plugin_that_their_name_says() {
    let dir = tempfile::tempdir().unwrap();
    symlink(PROGRAM, dir.path().join("bridge")).unwrap();
    fs::copy(PROGRAM, dir.path().join("copy")).unwrap();
    fs::hard_link(dir.path().join("copy"), dir.path().join("portmap")).unwrap();
    fs::rename(dir.path().join("copy"), dir.path().join("host-local")).unwrap();
    symlink(dir.path().join("bridge"), dir.path().join("by-another-name")).unwrap();
    for name in ["bridge", "portmap", "host-local", "by-another-name"] {
        is_plugin(&dir.path().join(name));
    }
}

#[test]
fn by_its_own_name_it_says_what_it_is() {
    let output = run(PROGRAM, &[]);
    assert!(output.status.success(), "{output:?}");
    for plugin in plugins() {
        assert!(stdout(&output).contains(&plugin), "{plugin}: {output:?}");
    }
}

#[test]
fn by_its_own_name_it_is_no_plugin_and_says_so_to_a_runtime() {
    let output = call(Path::new(PROGRAM), "VERSION", Path::new("/"), r#"{"cniVersion":"1.1.0"}"#);
    assert!(!output.status.success());
    assert!(stdout(&output).contains(r#""msg":"no plugin is called cni-plugins"#), "{output:?}");
}

#[test]
fn a_wrong_command_line_is_status_2_with_the_usage() {
    for arguments in
        [&["instal"][..], &["install"], &["install", "a", "b"], &["list", "x"], &["install", "--forse", "a"]]
    {
        let arguments: Vec<&Path> = arguments.iter().map(Path::new).collect();
        let output = run(PROGRAM, &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(stderr(&output).contains("usage: cni-plugins"), "{output:?}");
    }
}

#[test]
fn installing_again_replaces_what_it_installed() {
    let dir = installed();
    fs::write(dir.path().join("cni-plugins"), "an older version, in part").unwrap();
    assert!(!install(&[dir.path()]).status.success(), "a program that is not known is replaced");
    let output = install(&["--force".as_ref(), dir.path()]);
    assert!(output.status.success(), "{output:?}");
    is_plugin(&dir.path().join("bridge"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), plugins().len() + 1, "nothing else is left");
}

#[test]
fn a_plugin_of_somebody_else_is_replaced_only_when_told_and_nothing_is_touched_before() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = dir.path().join("portmap");
    fs::write(&theirs, "theirs").unwrap();
    let output = install(&[dir.path()]);
    assert_eq!(output.status.code(), Some(1));
    let (message, path) = (stderr(&output), theirs.display().to_string());
    assert!(message.contains(&path) && message.contains("--force"), "{message}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "something is there besides theirs");
    assert!(install(&["--force".as_ref(), dir.path()]).status.success());
    is_plugin(&theirs);
}

#[test]
fn uninstalling_removes_what_it_installed_and_leaves_the_plugins_of_others() {
    let dir = installed();
    std::fs::remove_file(dir.path().join("bridge")).unwrap();
    std::fs::write(dir.path().join("bridge"), "of somebody else").unwrap();
    std::fs::write(dir.path().join("calico"), "of somebody else").unwrap();
    let output = run(PROGRAM, &["uninstall".as_ref(), dir.path()]);
    assert!(output.status.success(), "{}", stderr(&output));
    let mut left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["bridge", "calico"]);
}

#[test]
fn a_directory_in_the_way_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("bridge")).unwrap();
    for force in [&[][..], &["--force".as_ref()]] {
        let output = install(&[force, &[dir.path()]].concat());
        assert!(!output.status.success());
        assert!(stderr(&output).contains("bridge"), "{output:?}");
    }
}

#[test]
fn a_fifo_in_the_way_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    mkfifo(&dir.path().join("cni-plugins"), Mode::S_IRWXU).unwrap();
    let output = Command::new("timeout").args(["10", PROGRAM, "install"]).arg(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("cni-plugins is in the way, and is not a file"), "{output:?}");
}

/// Two plugin directories: in one `host-local` is the same program as `bridge`, in the other it is a copy, and so runs
/// as a process.
fn alike() -> [(TempDir, PathBuf); 2] {
    [false, true].map(|copied| {
        let dir = installed();
        if copied {
            fs::remove_file(dir.path().join("host-local")).unwrap();
            fs::copy(PROGRAM, dir.path().join("host-local")).unwrap();
        }
        let bridge = dir.path().join("bridge");
        (dir, bridge)
    })
}

#[test]
fn a_delegate_in_the_process_answers_as_one_that_is_a_process() {
    let taken = r#""ranges":[[{"subnet":"10.0.0.0/31"}]]"#;
    let cases = [
        ("CHECK", "1.1.0", taken, r#","prevResult":{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.2/30"}]}"#),
        ("DEL", "0.4.0", r#""ranges":[[{"subnet":"10.0.0.0/30"}]]"#, ""),
        ("STATUS", "1.1.0", taken, ""),
        ("STATUS", "1.1.0", r#""subnet":"10.0.0.0/24""#, ""),
        ("STATUS", "1.1.0", r#""subnet":7"#, ""),
        ("GC", "1.1.0", r#""subnet":"10.0.0.0/24""#, r#","cni.dev/valid-attachments":[]"#),
        ("GC", "1.1.0", r#""subnet":"10.0.0.0/24""#, r#","cni.dev/valid-attachments":7"#),
    ];
    let alike = alike();
    for (verb, version, ranges, more) in cases {
        let data = tempfile::tempdir().unwrap();
        let ipam = format!(r#"{{"type":"host-local","dataDir":"{}",{ranges}}}"#, data.path().display());
        let config = format!(
            r#"{{"cniVersion":"{version}","name":"net","type":"bridge","bridge":"no-such","ipam":{ipam}{more}}}"#
        );
        let [in_process, process] = alike.each_ref().map(|(dir, bridge)| {
            let output = call(bridge, verb, dir.path(), &config);
            let without_dir = |text: String| text.replace(&dir.path().display().to_string(), "DIR");
            (output.status.code(), without_dir(stdout(&output)), without_dir(stderr(&output)))
        });
        assert_eq!(in_process, process, "{verb} {config}");
    }
}

#[test]
fn an_error_of_each_plugin_says_the_version_that_was_asked_for() {
    let dir = installed();
    for plugin in plugins() {
        for version in libcni::spec::Version::ALL {
            // What only some of them need, and not all of it.
            let config =
                format!(r#"{{"cniVersion":"{version}","name":"net","type":"{plugin}","ipam":{{"type":"static"}}}}"#);
            let output = call(&dir.path().join(&plugin), "ADD", dir.path(), &config);
            let reply = serde_json::from_str::<libcni::spec::ErrorReply>(&stdout(&output)).unwrap();
            assert_eq!(reply.cni_version.as_deref(), Some(version.as_str()), "{plugin}: {output:?}");
        }
    }
}
