//! `cnitool`: adds a network namespace to a network, and removes it again. Thin over the library `libcni`.

mod cached;
mod cli;
mod list;
mod namespace;
mod netns;
mod output;
mod run;
mod signals;
mod versions;
mod why;

use std::process::ExitCode;

use clap::Parser;
use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::{Chain, Cni, Error};

use self::cli::{Arguments, Invalid, Verb};
use self::output::{print, say};
use self::signals::Signals;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Without a descriptor left for them, signals end the tool as they always do.
    let signals = Signals::catch().ok();
    run(&arguments, signals.as_ref()).unwrap_or_else(|failure| {
        say(&format!("error: {failure}"));
        let signal = signals.as_ref().and_then(Signals::caught);
        ExitCode::from(signal.map_or(1, |number| 128 + number))
    })
}

const UNDO_HINT: &str =
    "\nhint: plugins may have done part of their work; `cnitool del` with the same arguments undoes it";

/// Why the tool fails.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Arguments(#[from] Invalid),
    #[error("{}", Chain(.0))]
    Cni(#[from] Error),
    #[error("{}{UNDO_HINT}", Chain(.0))]
    HalfAdded(Box<Error>),
    #[error(transparent)]
    Run(#[from] run::RunError),
    #[error("version {version} of network `{network}` is not supported by all of its plugins")]
    VersionUnsupported { network: String, version: String },
    #[error("cannot write to stdout: {0}")]
    Stdout(#[from] std::io::Error),
}

fn run(arguments: &Arguments, signals: Option<&Signals>) -> Result<ExitCode, Failure> {
    let cni = arguments.cni(signals.and_then(Signals::token));
    match &arguments.verb {
        Verb::Add(target) => add(arguments, target, &cni)?,
        Verb::Del(target) => {
            let attachment = arguments.attachment(target)?;
            cni.del(&network(arguments, &cni, &target.network)?, &attachment)?;
        }
        Verb::Check(target) => {
            let attachment = arguments.attachment(target)?;
            cni.check(&network(arguments, &cni, &target.network)?, &attachment)?;
        }
        Verb::Gc(target) => cni.gc(&network(arguments, &cni, &target.network)?, &Keep::Nothing)?,
        Verb::Status(target) => cni.status(&network(arguments, &cni, &target.network)?)?,
        Verb::List(what) => list::list(arguments, &cni, what)?,
        Verb::Versions(target) => versions::versions(arguments, &cni, target)?,
        Verb::Run(command) => return Ok(ExitCode::from(run::run(arguments, command, signals)?)),
    }
    Ok(ExitCode::SUCCESS)
}

fn add(arguments: &Arguments, target: &cli::Target, cni: &Cni) -> Result<(), Failure> {
    let attachment = arguments.attachment(target)?;
    let network = network(arguments, cni, &target.network)?;
    let result = cni.add(&network, &attachment).map_err(|error| match error.needs_cleanup() {
        true => Failure::HalfAdded(Box::new(error)),
        false => Failure::Cni(error),
    })?;
    Ok(print(&result.to_json_pretty())?)
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
        say(&format!("warning: skipped {}", Chain(problem)));
    }
    Ok(loaded.network)
}
