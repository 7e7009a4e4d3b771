//! Network namespaces: making them, giving them a name, entering them, and telling whether a recorded one still exists.
//!
//! A runtime makes a namespace for each container, and keeps it until DEL: from ADD to DEL, the path that it gives to
//! plugins must lead to that namespace. A namespace lives as long as a process is in it, a descriptor is open on it, or
//! it is *pinned*: mounted on a file, which is what `ip netns` does below `/run/netns`.
//!
//! ```no_run
//! use libcni::netns::{self, Namespace};
//! use libcni::{Attachment, Cni};
//!
//! # fn example(cni: &Cni, network: &libcni::conf::NetworkConfig) -> Result<(), Box<dyn std::error::Error>> {
//! let pin = Namespace::create()?.pin("/run/netns/web-0")?;
//! # #[cfg(feature = "link")]
//! pin.namespace().bring_loopback_up()?;
//! let attachment = Attachment::new("web-0".parse()?, "eth0".parse()?).netns("/run/netns/web-0");
//! // Should this fail, the namespace goes with `pin`: the kernel takes down with it what is in it.
//! cni.add_with_rollback(network, &attachment)?;
//! pin.keep();
//!
//! // Some other day, after DEL:
//! cni.del(network, &attachment)?;
//! netns::remove("/run/netns/web-0")?;
//! # Ok(())
//! # }
//! ```
//!
//! The namespace may be removed once DEL has returned. If ADD was aborted, by a deadline or a
//! [`CancelToken`](crate::CancelToken), none of its plugins runs any more when the call returns, and DEL comes next, as
//! after any failed ADD. (A dropped future of `AsyncCni` returns earlier: the next DEL of the container waits for the
//! rest of it, and so does `AsyncCni::settled`.)
//!
//! A path does not identify a namespace, since names and process IDs are used again. The cache therefore records an
//! [`Identity`] beside the path, and [`State`] says whether the path still leads to that namespace.
//!
//! A process needs CAP_SYS_ADMIN to make a namespace, and that right over the namespace to enter it. Root has both;
//! [`unshare_as_root`] gives them to a program of an ordinary user. Errors name the right that an operation needs.

mod command;
mod enter;
mod error;
mod found;
#[cfg(feature = "link")]
mod host;
mod identity;
mod interface;
mod named;
mod namespace;
mod own;
mod pin;
mod settings;
mod state;
mod unshare;

pub use self::command::{CommandError, supervise};
pub use self::enter::run_in;
pub use self::error::NetnsError;
#[cfg(feature = "link")]
pub use self::host::{HostError, enter_own_host};
pub use self::identity::Identity;
pub use self::named::{InvalidNamespace, NAMED, container_id, resolve};
pub use self::namespace::Namespace;
pub use self::own::is_own;
pub use self::pin::{Pin, remove};
pub use self::state::State;
pub use self::unshare::{Kind, UnshareError, unshare, unshare_as_root};
