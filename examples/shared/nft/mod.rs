//! nf_tables over netlink: tables of verdict maps in which every element says whose it is.
//!
//! A plugin describes its table once ([`owned::Layout`]) and changes it with a pure function from the elements that
//! are there to those that shall go and come; [`owned`] does the rest in one atomic batch.

#![allow(dead_code, reason = "each plugin that includes this module uses a part of it")]

mod answer;
pub(crate) mod attribute;
pub(crate) mod expression;
pub(crate) mod family;
pub(crate) mod masquerade;
mod message;
pub(crate) mod owned;
pub(crate) mod owner;
mod plan;
pub(crate) mod socket;

pub(crate) use owner::Owner;
