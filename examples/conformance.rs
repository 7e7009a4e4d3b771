//! A plugin's own test against the specification: the `main` of a test target, `tests/conformance.rs`, with
//!
//! ```toml
//! [[test]]
//! name = "conformance"
//! harness = false
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use libcni::conformance::{Subject, Suite};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    // A test target knows its plugin: env!("CARGO_BIN_EXE_my-plugin"). An example finds `noop` beside itself.
    let beside = std::env::current_exe()?.with_file_name("noop");
    let plugin = std::env::args_os().nth(1).map_or(beside, PathBuf::from);
    let subject = Subject::new(plugin, ["/usr/lib/cni"])?;
    // 509 is about an ADD that is killed half-way: it takes as long as ADD does, five times.
    Ok(Suite::new(subject).skip(&[509])?.main())
}
