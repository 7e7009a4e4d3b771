//! The Container Network Interface for Rust: the library that runtimes and plugins link.
//!
//! A file in net.d becomes a network ([`conf`]), a network and an attachment become one request per plugin
//! ([`runtime`]), a request becomes a process and a reply ([`invoke`]), the reply becomes a result ([`result`]), the
//! last result becomes a cache entry ([`cache`]). [`spec`] is the vocabulary under all of them, [`plugin`] the other
//! end of the pipe.
//!
//! | to | begin with |
//! |---|---|
//! | find networks | [`conf::ConfDir`] |
//! | find the network of containers that ask for none by name | [`conf::ConfDir::default_network`] |
//! | change a configuration as an installer does | [`conf::edit_file`] |
//! | choose where plugins and records are, and how plugins are run | [`Cni::builder`] |
//! | add containers to them and remove them again | [`Cni`], [`Attachment`] |
//! | read what a plugin answered | [`result::AddResult::latest`] |
//! | add one container to several networks, or to none of them | [`Cni::add_all`] |
//! | see the requests to plugins and their answers | [`invoke::ObservedExec`], [`Cni::add_requests`] |
//! | use the newest version that all plugins know | [`Cni::negotiate`] |
//! | list the attachments | [`cache::Cache::inventory`] |
//! | make namespaces, enter them, know whether they still exist | [`netns`] |
//! | know why something failed | [`Error`], [`Chain`] |
//! | write a plugin | [`plugin`] |
//! | check a plugin against the specification | `conformance` |
//! | know the protocol | [`specification`] |
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
//! `examples/runtime.rs` is a whole runtime in one page. A runtime keeps only the duties that the library can't fulfil:
//! it makes the namespace ([`netns`]) and keeps it until DEL, it runs DEL after an ADD that failed
//! ([`Error::needs_cleanup`], or [`Cni::add_with_rollback`]), and it knows which containers are alive
//! ([`runtime::Keep`]). The library does the rest:
//!
//! - Each execution of a plugin has a deadline, can be cancelled, and takes its children with it ([`invoke::Limits`]).
//! - Operations on one container wait for each other, across processes ([`lock`]).
//! - An ADD is recorded on disk before the first plugin runs, and the attachment in the format of the Go libcni
//!   ([`cache`]).
//! - Names are checked when they are made ([`spec::ContainerId`]); unknown keys are passed on as they were written
//!   ([`spec::Object`]).
//!
//! Threads can share a [`Cni`]. The library has no global state. It writes nothing to stdout, and nothing to stderr
//! once [`runtime::Builder::on_notice`] is set.
//!
//! # A plugin
//!
//! Implement [`plugin::Plugin`] and call [`plugin::run`] from `main`; see [`plugin`].
//!
//! # Tests of your own
//!
//! The tests of a runtime are quick with fake plugins: give [`runtime::Builder::exec`] an [`invoke::Exec`] that answers
//! for them. The tests of a plugin call [`plugin::dispatch`], which takes environment and stdin and returns stdout and
//! the exit code.
//!
//! # Features
//!
//! | feature | | brings |
//! |---|---|---|
//! | `cli` (default) | the parts that only the binary `cnitool` needs; link with `default-features = false` | `clap` |
//! | `tokio` | `AsyncCni`: the verbs as futures; dropping one ends the plugin with all its children | `tokio` with `rt`, `sync` |
//! | `tracing` | `Builder::tracing`: each execution as a span, the lines of a plugin's stderr as its events | `tracing` |
//! | `plugins` (default) | the parts that only the binary `cni-plugins` needs | `link`, `netlink-packet-netfilter` |
//! | `link` | `link`: links, addresses and routes of the kernel; `netns::Namespace::bring_loopback_up` | netlink crates |
//! | `conformance` (with `cli`) | `conformance`: checks of any plugin against the specification | `link` |
//! | `watch` | `watch::Watcher`: a snapshot of the configuration and plugin directories after each change | nothing |
//!
//! All features except `cli` and `plugins` are off by default, and add no dependency and no code while they are off.
//! With `tokio` and `tracing`, futures keep the span of the task that awaits them; with `tokio` and `watch`, tasks can
//! await a watcher's snapshots.
//!
//! # Systems
//!
//! Containers are attached on Linux. The words of the protocol ([`spec`], [`result`]), configurations ([`conf`]) and
//! the plugin's side as values ([`plugin::dispatch`]) also work on macOS, Windows and FreeBSD, so that tools and the
//! unit tests of plugins can be built and run there.
//!
//! The whole protocol is in [`specification`].

// The parts that are for every system have functions that only the others use.
#![cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports))]

mod chain;
mod printable;
mod setters;

pub mod conf;
pub mod invoke;
pub mod plugin;
pub mod result;
pub mod spec;

// What attaches containers is for Linux: it is about processes, namespaces and the kernel's network.
#[cfg(target_os = "linux")]
pub mod cache;
#[cfg(target_os = "linux")]
mod cancel;
#[cfg(all(feature = "conformance", target_os = "linux"))]
pub mod conformance;
#[cfg(target_os = "linux")]
mod directory;
#[cfg(target_os = "linux")]
mod error;
#[cfg(all(feature = "link", target_os = "linux"))]
pub mod link;
#[cfg(target_os = "linux")]
pub mod lock;
#[cfg(target_os = "linux")]
pub mod netns;
#[cfg(target_os = "linux")]
pub mod runtime;
#[cfg(target_os = "linux")]
mod threads;
#[cfg(target_os = "linux")]
mod waiting;
#[cfg(all(feature = "watch", target_os = "linux"))]
pub mod watch;

#[cfg(target_os = "linux")]
pub use cancel::CancelToken;
pub use chain::Chain;
#[cfg(target_os = "linux")]
pub use error::{Error, Failures, Occupied, WhyNotUpdated};
pub use printable::{Printable, PrintableJson};
#[cfg(all(feature = "tokio", target_os = "linux"))]
pub use runtime::AsyncCni;
#[cfg(target_os = "linux")]
pub use runtime::{Attachment, Cni};

// Only for the documentation: the page itself, so that links to its sections lead somewhere.
#[cfg(doc)]
#[doc = include_str!("../SPECIFICATION.md")]
pub mod specification {}

// Only for the documentation, and for its examples to be tested, which use these features.
#[cfg(any(doc, all(doctest, feature = "tokio", feature = "watch")))]
#[doc = include_str!("guide.md")]
pub mod guide {}

/// The examples of the page of a registry.
#[cfg(doctest)]
#[doc = include_str!("CRATE.md")]
mod registry {}

/// The examples of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
