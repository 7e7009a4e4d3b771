//! The verbs: what each takes from the command line, and what it does, thin over the library.

pub(crate) mod add;
pub(crate) mod check;
pub(crate) mod conformance;
pub(crate) mod del;
pub(crate) mod gc;
pub(crate) mod inspect;
pub(crate) mod list;
pub(crate) mod manual;
pub(crate) mod run;
pub(crate) mod status;
pub(crate) mod target;
pub(crate) mod update;
pub(crate) mod validate;
pub(crate) mod versions;
