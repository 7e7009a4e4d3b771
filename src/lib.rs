//! The Container Network Interface for Rust: the library that runtimes and plugins link.
//!
//! A file in net.d becomes a network ([`conf`]), a network and an attachment become one request per plugin
//! ([`runtime`]), a request becomes a process and a reply ([`invoke`]), the reply becomes a result ([`result`]), the last
//! result becomes a cache entry ([`cache`]). [`spec`] is the vocabulary under all of them, [`plugin`] the other end of the
//! pipe.
//!
//! # A runtime
//!
//! ```no_run
//! use libcni::conf::ConfDir;
//! use libcni::{Attachment, Cni};
//!
//! let network = ConfDir::default().load("mynet")?.network;
//! let attachment = Attachment::new("web-0".parse()?, "eth0".parse()?).netns("/run/netns/web-0");
//!
//! let cni = Cni::new();
//! let result = cni.add(&network, &attachment)?;
//! println!("{}", result.latest().ips[0].address);
//! cni.del(&network, &attachment)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Each execution of a plugin has a deadline ([`invoke::Limits`]); an error says which plugin, which verb and why
//! ([`Error`], and [`Chain`] to print it with its causes). `examples/runtime.rs` is a whole runtime in one page.
//!
//! # A plugin
//!
//! Implement [`plugin::Plugin`] and call [`plugin::run`] from `main`; see [`plugin`].
//!
//! # Features
//!
//! - `cli` (default): what only the binary `cnitool` needs. Link with `default-features = false`.
//!
//! The protocol in full, and what this crate promises, is in [`specification`].

mod chain;
mod error;

pub mod cache;
pub mod conf;
pub mod invoke;
pub mod lock;
pub mod netns;
pub mod plugin;
pub mod result;
pub mod runtime;
pub mod spec;

pub use chain::Chain;
pub use error::{Error, Failures};
pub use runtime::{Attachment, Cni};

// Only for the documentation: the page itself, so that links to its sections lead somewhere.
#[cfg(doc)]
#[doc = include_str!("../SPECIFICATION.md")]
pub mod specification {}

/// The examples of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
