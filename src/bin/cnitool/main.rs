//! `cnitool`: adds a network namespace to a network, and removes it again. Thin over the library `libcni`.

mod cached;
mod cli;
mod conformance;
mod describe;
mod dry_run;
mod failure;
mod inspect;
mod list;
mod manual;
mod namespace;
mod netlink;
mod netns;
mod options;
mod output;
mod plain;
mod removal;
mod request;
mod rootless;
mod run;
mod signals;
mod table;
mod trace;
mod validate;
mod versions;
mod why;

use std::process::ExitCode;

use clap::Parser;
use libcni::conf::NetworkConfig;
use libcni::{Chain, Cni, Error};

use self::cli::{Arguments, Verb};
use self::failure::Failure;
use self::output::{print, warn};
use self::signals::Signals;

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    let arguments = match plain::read(std::env::args_os().skip(1)).map_or_else(Arguments::try_parse, Ok) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    output::choose(arguments.json());
    // Without a descriptor left for them, signals end the tool as they always do.
    let signals = Signals::catch().ok();
    run(&arguments, signals.as_ref()).unwrap_or_else(|failure| {
        output::fail(&failure);
        let signal = signals.as_ref().and_then(Signals::caught);
        ExitCode::from(signal.map_or(failure.status(), |number| 128 + number))
    })
}

/// Help and the version, which were asked for, or what is wrong with the arguments.
fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    if !error.use_stderr() {
        let Err(error) = print(text.trim_end()) else { return ExitCode::SUCCESS };
        output::fail(&error.into());
        return ExitCode::FAILURE;
    }
    output::choose(std::env::args_os().any(|argument| argument == "--json"));
    output::say_usage(&text);
    ExitCode::from(2)
}

fn run(arguments: &Arguments, signals: Option<&Signals>) -> Result<ExitCode, Failure> {
    let cni = arguments.cni(signals.and_then(Signals::token))?;
    match &arguments.verb {
        Verb::Add(what) => add(arguments, what, &cni)?,
        Verb::Del(del) => removal::del(arguments, del, &cni)?,
        Verb::Check(target) => check(arguments, target, &cni)?,
        Verb::Gc(gc) => removal::gc(arguments, gc, &cni)?,
        Verb::Status(target) => cni.status(&network(arguments, &cni, &target.network)?)?,
        Verb::List(what) => list::list(arguments, &cni, what)?,
        Verb::Inspect(target) => inspect::inspect(arguments, &cni, target)?,
        Verb::Validate(what) => validate::validate(arguments, &cni, what)?,
        Verb::Versions(target) => versions::versions(arguments, &cni, target)?,
        Verb::Conformance(asked) => {
            return Ok(ExitCode::from(conformance::conformance(arguments, asked, signals)?));
        }
        Verb::Completions(shell) => manual::completions(shell)?,
        Verb::Man(page) => manual::man(page)?,
        Verb::Run(command) => return Ok(ExitCode::from(run::run(arguments, &cni, command, signals)?)),
    }
    Ok(ExitCode::SUCCESS)
}

fn add(arguments: &Arguments, add: &cli::Add, cni: &Cni) -> Result<(), Failure> {
    let target = &add.target;
    let attachment = arguments.attachment(target)?;
    let network = network(arguments, cni, &target.network)?;
    if target.dry_run {
        return dry_run::print(arguments, &cni.add_requests(&network, &attachment)?);
    }
    let added = match add.rollback {
        true => cni.add_with_rollback(&network, &attachment),
        false => cni.add(&network, &attachment),
    };
    let result = added.map_err(|error| Failure::NotAdded(Box::new(error)))?;
    print(&result.to_json_pretty()).map_err(Failure::Added)
}

fn check(arguments: &Arguments, target: &cli::Target, cni: &Cni) -> Result<(), Failure> {
    let attachment = arguments.attachment(target)?;
    let network = network(arguments, cni, &target.network)?;
    match target.dry_run {
        true => dry_run::print(arguments, &cni.check_requests(&network, &attachment)?),
        false => Ok(cni.check(&network, &attachment)?),
    }
}

/// The network of a name, at the version that was asked for.
fn network(arguments: &Arguments, cni: &Cni, name: &str) -> Result<NetworkConfig, Error> {
    let network = configured(arguments, name)?;
    match arguments.negotiates() {
        true => cni.negotiate(&network),
        false => Ok(network),
    }
}

/// The network of a name as its file has it, and a warning for every broken file on the way to it.
fn configured(arguments: &Arguments, name: &str) -> Result<NetworkConfig, Error> {
    let loaded = arguments.conf_dir().load(name)?;
    for problem in &loaded.skipped {
        warn(&format!("skipped {}", Chain(problem)));
    }
    Ok(loaded.network)
}
