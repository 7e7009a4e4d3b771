//! One execution of a plugin: its limits, and what it gets.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test, in helpers too")]

mod busy;
mod cancel;
mod deadline;
mod environment;
mod failures;
mod output;
mod streams;
