//! nf_tables over netlink: tables of verdict maps in which every element says whose it is.
//!
//! A plugin describes its table once ([`owned::Layout`]) and changes it with a pure function from the elements that
//! are there to those that shall go and come; [`owned`] does the rest in one atomic batch.
//!
//! # Why not `iptables` or `nft`
//!
//! To masquerade for one container the Go plugins (1.1.1) run `iptables` eight times, and six times to end it. Where
//! this was measured, an `iptables` that adds a rule takes 1.2 ms at best, one that deletes a rule 7.5 ms, since it
//! can't end before the kernel has freed the rule; `nft` takes 3.2 and 3.9 ms. Of a container's whole ADD, masquerading
//! is 11 to 14 ms with the Go plugins, and under 1 ms with this module; of DEL it is 24 ms with them, and here nothing
//! that can be seen, since the wait goes on beside that for the container's links (`scripts/bench-plugins.sh`).
//!
//! Besides, all of a change is there or none of it, whoever is killed when; nobody waits for a lock; a packet is looked
//! up in a map instead of being compared with rules for each container; and no program must be on the host.

mod answer;
pub(crate) mod attempts;
pub(crate) mod batch;
mod changing;
mod counted;
mod counts;
pub(crate) mod error;
pub(crate) mod expression;
pub(crate) mod family;
pub(crate) mod masquerade;
pub(crate) mod message;
pub(crate) mod owned;
pub(crate) mod owner;
mod plan;
pub(crate) mod reading;
pub(crate) mod request;
pub(crate) mod socket;

pub(crate) use libcni::link::attribute;
pub(crate) use owner::Owner;
