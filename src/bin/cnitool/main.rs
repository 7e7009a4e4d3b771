//! `cnitool`: adds a network namespace to a network, and removes it again. Thin over the library `libcni`.
//!
//! Words become a verb with its arguments ([`command_line`]), options and the environment become what verbs work with
//! ([`context`]), a verb does its work ([`verb`]) and says what came of it ([`output`]). Each knows only those after
//! it.

mod command_line;
mod context;
mod examples;
mod output;
mod verb;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;

use self::command_line::{Verb, whole};
use self::context::signals::Signals;
use self::output::failure::Failure;
use self::output::print;
use self::verb::{add, check, conformance, del, gc, inspect, list, manual, run, status, update, validate, versions};

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let own: Vec<_> = words.iter().take_while(|word| *word != "--").collect();
    let says = |option: &str| own.iter().any(|word| *word == option);
    output::choose(says("--json"), says("--quiet"));
    let verb = match command_line::read(&words) {
        Ok(verb) => verb,
        Err(error) => return usage(&error),
    };
    // Without a descriptor left for them, signals end the tool as they always do.
    let signals = Signals::catch().ok();
    perform(&verb, signals.as_ref()).unwrap_or_else(|failure| {
        failure.tell();
        let signal = signals.as_ref().and_then(Signals::caught);
        ExitCode::from(signal.map_or(failure.status(), |number| 128 + number))
    })
}

/// Help and the version, which were asked for, or what is wrong with the arguments.
fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    if error.use_stderr() {
        output::say_usage(&text);
        return ExitCode::from(2);
    }
    let Err(error) = print(text.trim_end()) else { return ExitCode::SUCCESS };
    Failure::from(error).tell();
    ExitCode::FAILURE
}

fn perform(verb: &Verb, signals: Option<&Signals>) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Add(arguments) => add::add(arguments, signals)?,
        Verb::Check(arguments) => check::check(arguments, signals)?,
        Verb::Del(arguments) => del::del(arguments, signals)?,
        Verb::Gc(arguments) => gc::gc(arguments, signals)?,
        Verb::Update(arguments) => update::update(arguments, signals)?,
        Verb::Status(arguments) => status::status(arguments, signals)?,
        Verb::Inspect(arguments) => inspect::inspect(arguments)?,
        Verb::Validate(arguments) => validate::validate(arguments, signals)?,
        Verb::Versions(arguments) => versions::versions(arguments, signals)?,
        Verb::List(arguments) => list::list(arguments, signals)?,
        Verb::Run(arguments) => return Ok(ExitCode::from(run::run(arguments, signals)?)),
        Verb::Completions(arguments) => manual::completions(arguments, whole())?,
        Verb::Man(arguments) => manual::man(arguments, whole())?,
        Verb::Conformance(arguments) => return Ok(ExitCode::from(conformance::conformance(arguments, signals)?)),
    }
    Ok(ExitCode::SUCCESS)
}
