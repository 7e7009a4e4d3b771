//! The checks, a file for each subject.

pub(super) mod add;
pub(super) mod check;
pub(super) mod concurrency;
pub(super) mod configuration;
pub(super) mod del;
pub(super) mod delegation;
pub(super) mod environment;
pub(super) mod gc;
pub(super) mod output;
pub(super) mod result;
pub(super) mod status;
pub(super) mod version;
