//! Links, addresses and routes of the kernel, over netlink: what plugins do to a network namespace.
//!
//! A [`Handle`] talks to one namespace. It sends several [`Request`]s in one message, and the kernel carries them out
//! in order.
//!
//! ```no_run
//! use libcni::link::{Handle, Request};
//! use libcni::spec::Route;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut container = Handle::inside("/run/netns/blue")?;
//! let eth0 = container.link("eth0")?.ok_or("there is no eth0")?;
//! let default = Route::new("0.0.0.0/0".parse()?).via("10.1.0.1".parse()?);
//! container.ask([
//!     Request::add_address(eth0.index, "10.1.0.5/16".parse()?, false),
//!     Request::set_up(eth0.index),
//!     Request::add_route(eth0.index, &default),
//! ])?;
//! # Ok(())
//! # }
//! ```

mod address;
pub mod attribute;
mod bridge;
mod device;
mod error;
mod handle;
mod list;
mod localnet;
mod loopback;
mod macvlan;
mod message;
mod netns_id;
mod qdisc;
mod replies;
mod request;
mod routes;
mod setting;
mod shaping;
mod table;
mod veth;
mod vlan;

pub use self::address::Address;
pub use self::bridge::{Bridge, Port};
pub use self::device::Link;
pub use self::error::LinkError;
pub use self::handle::Handle;
pub use self::localnet::RouteLocalnet;
pub use self::macvlan::{Macvlan, MacvlanMode};
pub use self::qdisc::{Qdisc, TokenBucket};
pub use self::request::{Answer, Request};
pub use self::routes::Way;
pub use self::setting::Switch;
pub use self::shaping::Shaped;
pub use self::table::TableRoute;
pub use self::veth::Veth;
