//! The kernel's network by hand-made netlink messages: what the tool makes, looks at and takes away, and no more.
//!
//! Everything is about the network namespace of the calling thread.

mod address;
mod link;
mod message;
mod nft;
mod route;

pub(crate) use self::address::{Address, add_address, addresses, delete_address};
pub(crate) use self::link::{LOOPBACK, Link, create_link, create_veth, delete_link, link_named, links, set_up};
pub(crate) use self::nft::chains;
pub(crate) use self::route::{Route, add_route, delete_route, routes};
