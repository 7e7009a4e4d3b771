//! Checks of any plugin, in any language, against the [specification](crate::specification).
//!
//! A [`Subject`] is the plugin with its configuration, a [`Suite`] has the checks, and a [`Report`] has their findings.
//! `cnitool conformance` is thin over this module, and so is a plugin's own test target:
//!
//! ```no_run
//! // tests/conformance.rs, with `harness = false` in Cargo.toml
//! use std::process::ExitCode;
//!
//! use libcni::conformance::{Subject, Suite};
//!
//! fn main() -> ExitCode {
//!     # let plugin = "target/debug/my-plugin";
//!     // In a test target: env!("CARGO_BIN_EXE_my-plugin")
//!     let subject = Subject::new(plugin, ["/usr/lib/cni"]).expect("the plugin is built");
//!     Suite::new(subject).main()
//! }
//! ```
//!
//! Each check runs on a host of its own, made out of namespaces, so that nothing reaches the network of the real host.
//! This needs root, or a kernel that lets users have namespaces.

// The program runs itself again in namespaces of its own (`isolation`), whose process (`judge`) finds out what kind of
// plugin it has (`survey`), and makes one check after another (`check`, `groups`), each on a host of its own (`host`).
// It says what it finds (`messages`) to the one outside, which writes the report.
mod answer;
mod bench;
mod call;
mod check;
mod configured;
mod container;
mod facts;
mod file;
mod finding;
mod groups;
mod host;
mod ipam;
mod isolation;
mod judge;
mod known;
mod log;
mod messages;
mod network;
mod nft;
mod outcome;
mod predecessor;
mod previous;
mod processes;
mod profile;
mod report;
mod subject;
mod suite;
mod survey;

pub use self::check::{Check, Level, Origin};
pub use self::isolation::NotIsolated;
pub use self::log::Execution;
pub use self::outcome::{Checked, Outcome, Summary};
pub use self::profile::{Profile, Role};
pub use self::report::{Format, Reporter, UnknownFormat};
pub use self::subject::{Subject, SubjectError};
pub use self::suite::{NoSuchCheck, Report, Suite, SuiteError};
