//! The tool on a terminal.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Output, Stdio};

use super::{NETNS, host};
use crate::support::Ran;

/// A command that has ended, whose stdin, stdout and stderr were a terminal; what that showed is in `stdout`.
fn on_terminal(command: &mut Command) -> Ran {
    let terminal = nix::pty::openpty(None, None).unwrap();
    let slave = || terminal.slave.try_clone().unwrap();
    let mut child = command.stdin(slave()).stdout(slave()).stderr(slave()).spawn().unwrap();
    // The end of what was written is seen when nobody has the other side open.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    drop(terminal.slave);
    let mut stdout = Vec::new();
    // That end is an error, EIO.
    File::from(terminal.master).read_to_end(&mut stdout).unwrap_err();
    Ran::of(command, Output { status: child.wait().unwrap(), stdout, stderr: Vec::new() })
}

#[test]
fn what_plugins_say_moves_no_cursor_of_a_terminal_and_is_kept_for_everybody_else() {
    let sandbox = host().on("one", "ADD", r"printf 'careful \033[2J\n' >&2; echo '{}'");
    let on_terminal = on_terminal(&mut sandbox.cnitool(["add", "net", NETNS])).exits_with(0);
    assert!(on_terminal.stdout().contains(r"careful \u{1b}[2J"), "{on_terminal}");
    Ran::new(&mut sandbox.cnitool(["add", "net", NETNS])).exits_with(0).says("careful \u{1b}[2J");
}

/// The command in a session whose terminal is its stdin.
fn in_session(command: &Command) -> Command {
    let mut session = Command::new("setsid");
    session.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args());
    session.env_clear().envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
    session.current_dir(command.get_current_dir().unwrap());
    session
}

#[test]
fn no_plugin_can_type_into_the_terminal() {
    // Every plugin, on every verb, before it answers. The tool itself has the terminal, as the probe in its place
    // shows.
    let probe = "if (exec 3<>/dev/tty) 2>/dev/null; then echo $CNI_COMMAND >>$home/terminal; fi";
    let verbs: [&[&str]; 6] = [
        &["add", "net", NETNS],
        &["del", "net", NETNS],
        &["status", "net"],
        &["list", "plugins"],
        &["validate", "net"],
        &["versions", "net"],
    ];
    for verb in verbs {
        let sandbox = host();
        for asked in ["ADD", "DEL", "STATUS", "VERSION"] {
            sandbox.now_on("one", asked, &format!("{probe}; echo '{{}}'"));
        }
        on_terminal(&mut in_session(sandbox.cnitool([]).args(verb)));
        assert!(sandbox.calls().iter().any(|call| call.ends_with(" one")), "{verb:?}: {:?}", sandbox.calls());
        let found = std::fs::read_to_string(sandbox.path("terminal"));
        assert!(found.is_err(), "{verb:?}: {found:?}");
    }
    let mut shell = Command::new("/bin/sh");
    let ran = on_terminal(&mut in_session(shell.args(["-c", "exec 3<>/dev/tty"]).current_dir("/")));
    ran.exits_with(0);
}
