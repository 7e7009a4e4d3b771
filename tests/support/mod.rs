//! The parts that tests are made of.

mod alone;
mod document;
mod fake;
mod patience;
mod sandbox;
mod script;
#[cfg(feature = "cli")]
mod tool;

pub(crate) use alone::alone;
pub(crate) use document::{Document, repository};
pub(crate) use fake::{FakeExec, failing, printing};
pub(crate) use patience::{eventually, is_gone, pid_in, promptly};
pub(crate) use sandbox::{Sandbox, attachment};
pub(crate) use script::Script;
#[cfg(feature = "cli")]
pub(crate) use tool::Ran;

/// A shell command that fails as a plugin does.
pub(crate) fn fails_with(code: u32, msg: &str) -> String {
    format!(r#"echo '{{"code":{code},"msg":"{msg}"}}'; exit 1"#)
}

/// An error and all its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
