//! The program under its own name, for a person: it says what it is, installs itself, and
//! removes the rules of the plugins.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use libcni::Chain;
use libcni::spec::{ErrorCode, ErrorReply};

use crate::flush;
use crate::install::{ABOUT, Existing, install, uninstall};
use crate::plugins;

const USAGE: &str = "\
usage: cni-plugins list                    print the names of the plugins
       cni-plugins install [--force] DIR   put the program into DIR, with a link for each plugin;
                                           --force replaces the plugins of others that are there
       cni-plugins uninstall DIR           remove the program and its links from DIR; the plugins of
                                           others stay
       cni-plugins flush                   remove the rules of the plugins, so that running containers
                                           lose masquerading and mapped ports; those of firewall stay
       cni-plugins --version";

/// Does what the arguments say.
pub(crate) fn run(arguments: &[OsString]) -> ExitCode {
    if std::env::var_os("CNI_COMMAND").is_some_and(|command| !command.is_empty()) {
        return no_plugin();
    }
    let words: Vec<_> = arguments.iter().map(|argument| argument.to_str().unwrap_or_default()).collect();
    match words.as_slice() {
        [] | ["--help" | "-h"] => print(&about()),
        ["--version" | "-V"] => print(concat!("cni-plugins ", env!("CARGO_PKG_VERSION"))),
        ["list"] => print(&plugins::names().collect::<Vec<_>>().join("\n")),
        ["install", "--force", _] => say(install(arguments[2].as_ref(), Existing::Replace)),
        ["install", dir] if !dir.starts_with('-') => say(install(arguments[1].as_ref(), Existing::Keep)),
        ["uninstall", dir] if !dir.starts_with('-') => say(uninstall(arguments[1].as_ref())),
        ["flush"] => flush(),
        _ => wrong_usage(),
    }
}

fn flush() -> ExitCode {
    match flush::flush() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure.into_reply().to_string()),
    }
}

fn about() -> String {
    let names = plugins::names().collect::<Vec<_>>().join(", ");
    format!("{ABOUT}: {names}\nThe name of the file, or of a link to it, selects the plugin.\n\n{USAGE}")
}

fn print(text: &str) -> ExitCode {
    let Err(error) = writeln!(io::stdout(), "{text}") else { return ExitCode::SUCCESS };
    fail(&format!("cannot write to stdout: {error}"))
}

fn say(installed: Result<(), crate::install::InstallError>) -> ExitCode {
    let Err(error) = installed else { return ExitCode::SUCCESS };
    fail(&Chain(&error).to_string())
}

fn fail(message: &str) -> ExitCode {
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(io::stderr(), "cni-plugins: {message}");
    ExitCode::FAILURE
}

fn wrong_usage() -> ExitCode {
    let _ = writeln!(io::stderr(), "{USAGE}");
    ExitCode::from(2)
}

/// Answers a runtime that runs every file of a plugin directory.
fn no_plugin() -> ExitCode {
    let msg = "no plugin is called cni-plugins: use the links to it that `cni-plugins install` makes";
    let reply = ErrorReply::new(ErrorCode::INVALID_ENVIRONMENT, msg);
    print(&serde_json::to_string(&reply).unwrap_or_default());
    ExitCode::FAILURE
}
