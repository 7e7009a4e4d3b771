//! One execution of a plugin: its limits, and what it gets.

mod busy;
mod cancel;
mod deadline;
mod environment;
mod failures;
mod observed;
mod output;
mod streams;
