//! `cni-plugins`: all plugins of this project in one program. Its file name says which one it is.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "by its own name, the program talks to a person")]

mod bridge;
mod host_local;
mod install;
mod loopback;
mod nft;
mod plugins;
mod portmap;

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

use libcni::Chain;
use libcni::plugin::Plugin;

// musl's own allocator asks the kernel for a page at a time, and gives it back: a plugin that starts for every
// container pays more for that than for the work.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

const USAGE: &str = "\
usage: cni-plugins list                    print the names of the plugins
       cni-plugins install [--force] DIR   put the program into DIR, with a link for each plugin";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    if let Some(plugin) = called(Path::new(&program)) {
        return libcni::plugin::run(plugin);
    }
    by_own_name(&arguments.collect::<Vec<_>>())
}

/// The plugin that this program was called as: by the name of a file, or of a link that leads to one.
fn called(program: &Path) -> Option<&'static dyn Plugin> {
    let mut path = program.to_owned();
    // As many links as the kernel follows.
    for _ in 0..40 {
        if let Some(plugin) = path.file_name().and_then(plugins::named) {
            return Some(plugin);
        }
        let target = std::fs::read_link(&path).ok()?;
        path = path.with_file_name("").join(target);
    }
    None
}

fn by_own_name(arguments: &[std::ffi::OsString]) -> ExitCode {
    let arguments: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
    match arguments.iter().map(|argument| argument.to_str()).collect::<Vec<_>>().as_slice() {
        [] => about(),
        [Some("list")] => list(),
        [Some("install"), Some("--force"), _] => install(arguments[2], true),
        [Some("install"), _] => install(arguments[1], false),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn about() -> ExitCode {
    let names: Vec<_> = plugins::names().collect();
    println!("cni-plugins {}: the CNI plugins {}", env!("CARGO_PKG_VERSION"), names.join(", "));
    println!("The name of the file says which plugin it is.\n\n{USAGE}");
    ExitCode::SUCCESS
}

fn list() -> ExitCode {
    plugins::names().for_each(|name| println!("{name}"));
    ExitCode::SUCCESS
}

fn install(dir: &OsStr, force: bool) -> ExitCode {
    match install::install(Path::new(dir), force) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cni-plugins: {}", Chain(&error));
            ExitCode::FAILURE
        }
    }
}
