//! One execution of a plugin: its limits, and what it gets.

mod answers;
mod busy;
mod cancel;
mod deadline;
mod environment;
mod failures;
mod neighbours;
mod observed;
mod output;
mod streams;
