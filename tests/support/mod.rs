//! What tests are made of.

mod fake;

pub(crate) use fake::{FakeExec, failing, printing};
