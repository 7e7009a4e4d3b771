//! The Container Network Interface for Rust.

mod chain;
mod error;

pub mod cache;
pub mod conf;
pub mod invoke;
pub mod plugin;
pub mod result;
pub mod runtime;
pub mod spec;

pub use chain::Chain;
pub use error::{Error, Failures};
pub use runtime::{Attachment, Cni};
